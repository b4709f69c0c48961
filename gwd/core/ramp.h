// SPDX-License-Identifier: GPL-2.0-or-later
// ramp: whoever comes back into use is not flooded: it reaches its weight over a time (`slow-start`).
//
// Pure arithmetic, the same for gateways and reals; time is passed in. What is passed around is how much
// of its share a member does not take yet, `held`: 0 is nobody special, so whoever knows of no ramp writes
// nothing. It shrinks in RAMP_STEPS steps, so that a ramp is as many small transactions, however long it
// takes. It is meant relative to the others: of those at work the one that is furthest on counts as
// whole (ramp_taken()), so a member that is alone, or came back together with all others, has all.
//
// slots.c and ring.c follow it; ramps.h and the shell remember since when, in a struct ramp_since each.
#ifndef GWD_CORE_RAMP_H
#define GWD_CORE_RAMP_H

#include <stdbool.h>
#include <stdint.h>

#define RAMP_FULL 1000
#define RAMP_STEPS 20
#define RAMP_OVER INT64_MAX // ramp_wait_ms(): nothing changes any more

// What is held back, of RAMP_FULL, so long after it came up. total_ms 0: nothing.
unsigned ramp_held(int64_t elapsed_ms, unsigned total_ms);

// Until ramp_held() changes next.
int64_t ramp_wait_ms(int64_t elapsed_ms, unsigned total_ms);

// Since when one is in use. Zeroed: it was never seen.
struct ramp_since {
	bool seen, in_use, ramped; // ramped: since_ms is known
	int64_t since_ms;
};

// The same two for one that is in use now, whatever was known of it before. Who was never seen is not ramped.
unsigned ramp_since_held(const struct ramp_since *since, int64_t now_ms, unsigned total_ms);
int64_t ramp_since_wait_ms(const struct ramp_since *since, int64_t now_ms, unsigned total_ms);
void ramp_since_note(struct ramp_since *since, bool in_use, int64_t now_ms);

// What it takes, of RAMP_FULL, beside others of whom the furthest on holds back `least_held`. Never 0.
unsigned ramp_taken(unsigned held, unsigned least_held);

// How many of `n` places that are its own it takes: at least one of them, if it has any.
unsigned ramp_places(unsigned n, unsigned taken);

// Which: place_of(0), place_of(1), … of 0..n-1. Each one once, spread evenly at any time.
unsigned ramp_place(unsigned i, unsigned n);

#endif
