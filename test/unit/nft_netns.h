// SPDX-License-Identifier: GPL-2.0-or-later
// nft_netns: a network namespace of its own for a test that needs the kernel; a user's own, too, if the
// tests are not run by root. Criterion runs each test in a process of its own, so it goes with it.
// (Apart, because <sched.h> has names that the core has too.)
#ifndef GWD_TEST_UNIT_NFT_NETNS_H
#define GWD_TEST_UNIT_NFT_NETNS_H

void nft_netns_enter(void); // asserts

#endif
