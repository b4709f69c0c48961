// SPDX-License-Identifier: GPL-2.0-or-later
// real: what the shell knows of one real server at the moment, as data: its verdict, its live
// connections, how far its slow start has come. Kept by SERVICE/NAME over a reload; plan_build() reads it.
#ifndef GWD_CORE_REAL_H
#define GWD_CORE_REAL_H

#include <stdbool.h>
#include <stdint.h>

#define REAL_SHARE_ALL 1000

struct verdict;

struct real_now {
	const struct verdict *verdict; // NULL: not judged (it has no probes, or no answer yet)
	uint64_t connections;          // live ones; 0 while nobody counts
	uint64_t closed;               // ended, but still in conntrack (TIME_WAIT and the like)
	bool full;                     // reached max-connections and is not below min-connections since
	unsigned share;                // of its weight that counts now, 0..REAL_SHARE_ALL
};

#define REAL_NOTHING ((struct real_now){.share = REAL_SHARE_ALL})

#endif
