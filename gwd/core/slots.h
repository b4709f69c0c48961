// SPDX-License-Identifier: GPL-2.0-or-later
// slots: how a scheduler becomes data. N numbered slots each name a member; the packet path draws a
// slot (by counter, random number or hash) and looks the member up. So one map serves every
// scheduler, and a change of membership is a change of a few map elements.
//
// Guarantees, shown by property tests:
//   - each active member has its share of the slots by weight, to within one slot;
//   - in counter order the sequence is smooth (no member in a row where it can be avoided);
//   - when a member goes, only its slots change; when it returns, the map is as it was before;
//   - while it is ramped up (ramp.h), each step only adds to its slots, and the last one makes that map.
//
// Sources: smooth weighted round robin as in nginx (commit 52327e0627f4); the hash table is filled as
// in Maglev (Eisenbud et al., NSDI 2016, 3.4), with each member's quota fixed by its weight.
#ifndef GWD_CORE_SLOTS_H
#define GWD_CORE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/core/model.h"

#define SLOTS_MAX 1021     // most slots of a group (prime)
#define SLOTS_MIN_CYCLE 60 // a cycle of weights is repeated up to here, so a death spreads evenly
#define SLOTS_HASH 509     // slots of the hash schedulers (prime)
#define SLOTS_LOAD 64      // slots of least-load, whose weights move
#define SLOT_EMPTY UINT16_MAX

struct slots_member {
	const char *name; // places it in the hash table
	unsigned weight;  // 0: gets no slot
	unsigned tier;    // only members of one tier share the slots at a time
	bool active;      // usable now
	unsigned held;    // how much of its share it does not take yet, of RAMP_FULL; not with fo
};

// N for these members: the same whoever is active and whichever tier serves, so that the modulus in the
// packet path stays. 1..SLOTS_MAX.
unsigned slots_count(enum scheduler scheduler, const struct slots_member *members, size_t n);

// Fills slots[0..n_slots) with indices into `members`, all of them of `tier`; SLOT_EMPTY everywhere
// when nobody is active with a weight. Not for the schedulers that go by counts (ring.h) or latency.
void slots_build(uint16_t *slots, unsigned n_slots, enum scheduler scheduler,
		 const struct slots_member *members, size_t n, unsigned tier);

#endif
