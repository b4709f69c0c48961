// SPDX-License-Identifier: GPL-2.0-or-later
// loads: how busy each gateway is: its live flows, counted by conntrack's events, and what the core
// concludes from flows, rates and latency (core/load.h). Kept by name over a reload.
//
// The engine feeds it once a second and reads it for every plan. It listens to conntrack only while the
// model needs counts (a scheduler that goes by them, max-flows). Counts begin with a listing of
// conntrack; so does what follows a lost event. It is repeated all the time, as often as a quarter percent
// of a processor allows, since it is what makes the kernel tell of flows that expired.
#ifndef GWD_LOADS_H
#define GWD_LOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"

struct conntrack;
struct event_base;
struct ids;
struct load;
struct loads;
struct model;

enum loads_news {
	LOADS_COUNTS,      // flows came or went
	LOADS_CONCLUSIONS, // somebody is full, or not any more, or …: the plan is another one
};

typedef void loads_changed_fn(void *arg, enum loads_news news); // from the event loop

struct loads *loads_new(struct event_base *base, struct conntrack *ct, loads_changed_fn *changed, void *arg);
void loads_free(struct loads *loads); // NULL is fine

// After a reload. Every gateway has an id.
void loads_configure(struct loads *loads, const struct model *model, const struct ids *ids);

// By index into model.gateways of the last loads_configure(); by name: NULL if there is none.
const struct load *loads_now(const struct loads *loads);
const struct load *loads_of(const struct loads *loads, const char *gateway);
bool loads_counting(const struct loads *loads); // load.flows is what is live now

// Measurements, of the i-th gateway; then loads_measured() tells what came of them.
void loads_take_rate(struct loads *loads, size_t i, double rx_bps, double tx_bps); // bits a second
void loads_take_latency(struct loads *loads, size_t i, enum fam fam, double latency_ms);
void loads_measured(struct loads *loads);

// True once for each time that new flows of the family were seen.
bool loads_take_arrivals(struct loads *loads, enum fam fam);

#endif
