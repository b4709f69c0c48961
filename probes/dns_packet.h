// SPDX-License-Identifier: GPL-2.0-or-later
// dns_packet: one DNS question as bytes, and what a received message says to it.
//
// Pure. dns_parse() takes whatever a name server, or somebody in its place, sends: it reads inside the
// given bytes only, follows no compression pointer (so none can loop), and looks at no more records
// than the message can hold.
#ifndef GWD_PROBES_DNS_PACKET_H
#define GWD_PROBES_DNS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"

#define DNS_QUESTION_MAX 272 // a header, a name of 255 bytes, type and class

struct dns_question {
	uint16_t id;
	const char *name; // with or without a final dot
	uint16_t type;
};

struct dns_reply {
	unsigned rcode;
	bool truncated;
	unsigned records;  // of the type that was asked for
	bool has_expected; // one of them is the expected address
};

// Returns the size, or 0 if the name can't be asked for (an empty label, one of more than 63 bytes, …).
size_t dns_build(const struct dns_question *question, uint8_t out[DNS_QUESTION_MAX]);

// Is it a well-formed reply to this question (id, name and type are the same)? Then `reply` is filled in.
// `expect` may be none.
bool dns_parse(const uint8_t *data, size_t size, const struct dns_question *question,
	       const struct addr *expect, struct dns_reply *reply);

// "NXDOMAIN"; a number as text for what has no name.
const char *dns_rcode_text(unsigned rcode, char text[12]);

#endif
