// SPDX-License-Identifier: GPL-2.0-or-later
// forger: answers echo requests inside one place of the lab the way a liar, or an honest host, would.
//
// The place's own kernel is told not to answer. What the forger sends is right in everything but the one
// thing that its lie names, so a test that sees `up` for FORGER_HONEST and not for a lie has shown that
// this one thing is checked.
#ifndef GWD_TEST_NET_FORGER_H
#define GWD_TEST_NET_FORGER_H

#include <stddef.h>

struct lab_ns;
struct forger;

enum forger_lie {
	FORGER_HONEST,
	FORGER_NONCE,     // the nonce of an earlier request
	FORGER_ID,        // another echo id
	FORGER_SEQUENCE,  // another sequence number
	FORGER_SOURCE,    // from another of its addresses
	FORGER_CHECKSUM,  // damaged on the way (IPv4: the kernel checks it for IPv6)
	FORGER_CODE,      // a code that no reply has
	FORGER_SHORT,     // cut off inside the nonce
	FORGER_ERROR,     // no lie: "host unreachable", quoting the request
	FORGER_ERROR_LIE, // the same with another nonce in the quotation
};

struct forger *forger_start(const struct lab_ns *ns, int family, enum forger_lie lie);
size_t forger_stop(struct forger *forger); // how many requests it answered; frees it

#endif
