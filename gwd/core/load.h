// SPDX-License-Identifier: GPL-2.0-or-later
// load: how busy a gateway is, judged: full, spilling, how much of its line is free, how quick it is. What
// is measured moves all the time; what is concluded from it must not, or new flows would swing from link
// to link. So each conclusion has its hysteresis, and it is here and nowhere else.
//
// Pure: the shell feeds measurements (loads.h) and keeps one for each gateway, by name, over a reload;
// plan_build() reads it. Each load_take_*() returns true when a conclusion changed.
//
//	full      at max-flows; no longer at 95 % of it
//	spilling  above `spill` of the bandwidth, in the worse direction; no longer at 90 % of that
//	free      share of the bandwidth that is free in the worse direction; moves in steps of 5 % at least
//	latency   sticks until the measured one is 25 % and 3 ms away from it
#ifndef GWD_CORE_LOAD_H
#define GWD_CORE_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/addr.h"

struct model;
struct model_gateway;

struct load {
	uint64_t flows; // live ones
	bool full, spilling;
	bool has_free;
	double free;                  // 0.01..1, if has_free
	double latency_ms[FAM_COUNT]; // < 0: not known
};

#define LOAD_NOTHING ((struct load){.latency_ms = {-1, -1}})

bool load_take_flows(struct load *load, const struct model_gateway *gw, uint64_t flows);
bool load_take_rate(struct load *load, const struct model_gateway *gw, double rx_bps,
		    double tx_bps);                                         // bits a second, smoothed
bool load_take_latency(struct load *load, enum fam fam, double latency_ms); // < 0: not known

// Takes new flows only where nobody else can.
bool load_spills(const struct load *load);

// Weight for least-load: free capacity. `load` NULL: all is free.
unsigned load_free_weight(const struct load *load, const struct model_gateway *gw);

// Some balance or gateway of the model needs counts; or rates.
bool load_needs_counts(const struct model *model);

#endif
