// SPDX-License-Identifier: GPL-2.0-or-later
// ending_priv: what ending*.c share. Nobody else includes it.
#ifndef GWD_ENDING_PRIV_H
#define GWD_ENDING_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/vec.h"
#include "gwd/core/plan.h"
#include "gwd/wake_segment.h"

struct conntrack;
struct ending_batch;
struct event;
struct event_base;
struct wake;

// A socket for each link by which clients come, opened at the first need.
struct ending_wake {
	uint32_t mark;
	struct wake *wake;
};

// A listener that the service has no longer.
struct ending_former {
	char service[MODEL_NAME_MAX + 1];
	struct plan_listen listen;
};

struct ending {
	struct event_base *base;
	struct conntrack *ct;
	struct ending_batch *noted; // to be looked for
	struct event *look;         // it is due
	int64_t looked_ms;          // the last one was,
	int64_t look_us;            // and took so long
	struct ending_batch *again; // what was found and ends later
	VEC(struct ending_wake) wakes;
	VEC(struct ending_former) former;
};

struct ending_flow {
	uint32_t mark; // with the gateway by which the client came; none: the LAN
	struct wake_flow wake;
};

// Who came by it to this real of the service has nobody else's connection. `plan`: in force.
bool ending_is_former(const struct ending_former *former, const struct plan *plan,
		      const struct plan_service *service, const struct plan_real *real);

// Makes these clients speak. `name` ("SERVICE/REAL") is for the log; `mask` of the gateways' marks.
void ending_speak(struct ending *ending, const char *name, const struct ending_flow *flows, size_t n,
		  uint32_t mask);

#endif
