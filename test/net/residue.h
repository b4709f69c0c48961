// SPDX-License-Identifier: GPL-2.0-or-later
// residue: what gwd has in the kernel and holds itself, to see that nothing is left of what has come and gone.
#ifndef GWD_TEST_NET_RESIDUE_H
#define GWD_TEST_NET_RESIDUE_H

struct net;

struct residue {
	int routes, rules, descriptors; // but guards of addresses that have gone, which stay for two minutes
	long resident_kb;               // 0: not to be compared, a sanitizer's own memory grows
};

struct residue residue_of(struct net *net);

// Asserts that it is as before, when that has come true: a descriptor more and a mebibyte are none.
void residue_expect(struct net *net, const struct residue *before);

#endif
