// SPDX-License-Identifier: GPL-2.0-or-later
// verdict: what the probes say of each gateway, as data. The health machine in probes/ produces
// them, the shell keeps them by gateway name over a reload, the core judges by them.
#ifndef GWD_CORE_VERDICT_H
#define GWD_CORE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/addr.h"

enum state {
	STATE_UNKNOWN, // no verdict yet: treated as usable, so that a start interrupts nothing
	STATE_UP,
	STATE_DEGRADED, // answers, but worse than it should: used only while nothing better is up
	STATE_DOWN,
	STATE_DRAIN,    // weight 0: takes no new clients
	STATE_DISABLED, // switched off by the operator
};

struct verdict {
	enum state state;  // UNKNOWN, UP, DEGRADED or DOWN
	char reason[160];  // in words, measured: "2 of 2 targets answer", "no answer from 9.9.9.9 (3 in a
			   // row)"
	int64_t since_ms;  // monotonic instant of the last change of `state`
	double latency_ms; // mean round trip over the last answers; < 0: none yet
	double jitter_ms;  // mean difference between successive round trips; < 0: none yet
	double loss;       // share of the last probes that were not answered, 0..1
};

const char *state_name(enum state state); // "up", "down", …

#endif
