// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/quorum.h"

#include <assert.h>
#include <stdbool.h>

static int rank(enum state state)
{
	switch (state) {
	case STATE_UP:
		return 0;
	case STATE_DEGRADED:
		return 1;
	case STATE_UNKNOWN:
		return 2;
	case STATE_DOWN:
	case STATE_DRAIN: // not states that a probe gives
	case STATE_DISABLED:
		return 3;
	}
	return 3;
}

enum state quorum_state(const enum state *states, size_t n, unsigned need)
{
	assert(n > 0 && need > 0);
	for (size_t i = 0; i < n; i++) {
		size_t better = 0, as_good = 0;

		for (size_t k = 0; k < n; k++) {
			better += rank(states[k]) < rank(states[i]);
			as_good += rank(states[k]) == rank(states[i]);
		}
		size_t place = need > n ? n : need;
		if (better < place && place <= better + as_good)
			return states[i];
	}
	return STATE_DOWN; // not reached: every place is somebody's
}

static bool smaller(double a, double b)
{
	return a >= 0 && (b < 0 || a < b);
}

double quorum_figure(const double *values, size_t n, unsigned need)
{
	assert(n > 0 && need > 0);
	for (size_t i = 0; i < n; i++) {
		size_t below = 0, above = 0;

		for (size_t k = 0; k < n; k++) {
			below += smaller(values[k], values[i]);
			above += smaller(values[i], values[k]);
		}
		size_t place = need > n ? n : need;
		if (below < place && place <= n - above)
			return values[i] < 0 ? -1 : values[i];
	}
	return -1; // not reached
}
