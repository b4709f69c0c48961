// SPDX-License-Identifier: GPL-2.0-or-later
// ring: the schedulers that go by how many flows each member has, as data. The packet path can't
// compare counts, but it walks slots in turn; so the slots that come next are filled with the members
// that the scheduler would choose one after the other if nothing but new flows happened. Whenever a
// count turns out otherwise, the ring is filled anew from where the packet path stands.
//
// Pure; build_slots.c puts it into the slot maps. As long as the packet path does not run through a whole
// ring between two fillings, arrivals are placed exactly as ip_vs would place them, and from one filling to
// the next only those slots change that were used up, unless a count went down meanwhile. Where it
// comes around several times, each slot stands for `step` flows.
//
// Who is ramped up (ramp.h) has neither many flows nor all that come: it counts by the weight that it takes so
// far, and has only so many of the ring's places, always the same ones; with the last step all are open to it.
//
// The formulas are those of ip_vs_lc.c, ip_vs_wlc.c, ip_vs_sed.c and ip_vs_nq.c; of equals the first wins. So in lc
// and wlc a closed connection counts as 1/256 of a live one while it is remembered: short connections, one
// after the other, go round instead of all to the first.
#ifndef GWD_CORE_RING_H
#define GWD_CORE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/core/model.h"

#define RING_SLOTS 16

struct ring_member {
	uint64_t flows;  // live ones
	unsigned weight; // 0: gets none
	bool active;     // usable now
	unsigned held;   // how much of its share it does not take yet, of RAMP_FULL
	uint64_t closed; // flows that have ended, but are remembered yet: between equals they have a say
};

bool ring_schedules(enum scheduler scheduler); // lc, wlc, sed or nq

// Where the packet path stands in a ring.
struct ring_turn {
	unsigned next; // slot that it takes next
	unsigned step; // how often it will come by until the next filling, 1..
};

// Fills slots[0..n_slots) with indices into `members`; SLOT_EMPTY everywhere when nobody is active with
// a weight.
void ring_fill(uint16_t *slots, unsigned n_slots, struct ring_turn turn, enum scheduler scheduler,
	       const struct ring_member *members, size_t n);

#endif
