// SPDX-License-Identifier: GPL-2.0-or-later
// real: what the shell knows of one real server at the moment, as data: its verdict, its live
// connections, how far its slow start has come. Kept by SERVICE/NAME over a reload; plan_build() reads it.
#ifndef GWD_CORE_REAL_H
#define GWD_CORE_REAL_H

#include <stdbool.h>
#include <stdint.h>

struct verdict;

struct real_now {
	const struct verdict *verdict; // NULL: not judged (it has no probes, or no answer yet)
	uint64_t connections;          // live ones; 0 while nobody counts
	uint64_t closed;               // ended, but still in conntrack (TIME_WAIT and the like)
	bool full;                     // reached max-connections and is not below min-connections since
	unsigned held;                 // what it does not take of its share yet, of RAMP_FULL (ramp.h)
};

#define REAL_NOTHING ((struct real_now){0})

#endif
