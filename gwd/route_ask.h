// SPDX-License-Identifier: GPL-2.0-or-later
// route_ask: where the kernel would route a packet to, asked on the spot. `gwctl trace` uses it.
#ifndef GWD_ROUTE_ASK_H
#define GWD_ROUTE_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/addr.h"

struct err;

struct route_answer {
	uint8_t type; // RTN_UNICAST, RTN_LOCAL, …; RTN_UNSPEC: there is no route, or one that refuses
	bool refuses; // the latter: blackhole, unreachable, prohibit
	uint32_t oif; // of the first hop
	uint8_t len;  // prefix length of the route
};

// By the ip rules and tables as they are, for a packet of this host with that mark. 0 or -errno: can't ask.
int route_ask(struct route_answer *answer, const struct addr *to, uint32_t mark, struct err *err);

#endif
