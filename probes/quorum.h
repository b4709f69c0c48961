// SPDX-License-Identifier: GPL-2.0-or-later
// quorum: when `need` of n must be well, the whole is exactly as good as its need-th best part.
//
// That one idea gives the state and each figure, of a probe over its targets and of a gateway over
// its probes: with need 1 of 2, a dead or slow second target changes nothing; with need 2 of 2 the
// worse one counts.
#ifndef GWD_PROBES_QUORUM_H
#define GWD_PROBES_QUORUM_H

#include <stddef.h>

#include "gwd/core/verdict.h"

// From best to worst: up, degraded, unknown, down. `need` is cut to n; neither is 0.
enum state quorum_state(const enum state *states, size_t n, unsigned need);

// The need-th smallest; values < 0 are not known and rank last. < 0: it is not known.
double quorum_figure(const double *values, size_t n, unsigned need);

#endif
