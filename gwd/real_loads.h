// SPDX-License-Identifier: GPL-2.0-or-later
// real_loads: how many connections each real has, by conntrack's events, as loads.h has it for gateways. What
// comes of it is written into reals->now: connections, closed. Each connection that begins or ends is told, too: who has a
// limit gets its place back (vacancy.h).
//
// It listens only while a service of the model goes by counts, or a real has a limit. Every flow that
// is counted is known by itself, so an event that is told again, or a listing in between, changes nothing. A
// listing begins it, follows lost events, and is repeated, as it makes the kernel tell of flows that expired.
#ifndef GWD_REAL_LOADS_H
#define GWD_REAL_LOADS_H

#include <stdbool.h>

#include "gwd/base/addr.h"
#include "gwd/loads.h"

struct conntrack;
struct ct_flow;
struct event_base;
struct model;
struct real_loads;
struct reals;

// By an event (not by a listing): a connection of this real is live, or is not any more.
typedef void real_loads_told_fn(void *arg, size_t real, const struct ct_flow *flow, bool live);

struct real_loads *real_loads_new(struct event_base *base, struct conntrack *ct, struct reals *reals,
				  loads_changed_fn *changed, real_loads_told_fn *told, void *arg);
void real_loads_free(struct real_loads *loads); // NULL is fine

// After reals_configure().
void real_loads_configure(struct real_loads *loads, const struct model *model);
bool real_loads_counting(const struct real_loads *loads);

// True once for each time that new connections of the family were seen.
bool real_loads_take_arrivals(struct real_loads *loads, enum fam fam);

#endif
