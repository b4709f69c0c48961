// SPDX-License-Identifier: GPL-2.0-or-later
// rebuild: the short way from what is applied to what is planned, when all that changed is how reals are:
// verdicts, weights by hand, ramps, who is full. Only the services concerned are built, by the code that builds
// them in a whole plan, so the price doesn't grow with the others. With another number of slots it is their own chains
// and slot maps that are exchanged (OP_SERVICE).
//
//	struct rebuild one = {0};
//	if (rebuild_service(&one, applied, input, i)) { rebuild_diff(&ops, applied, &one); …; rebuild_take(applied, &one); }
//	rebuild_free(&one);
//
// What it makes of `applied` is what plan_build() would have made (a property test says so).
#ifndef GWD_CORE_REBUILD_H
#define GWD_CORE_REBUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/core/plan.h"

struct build_input;
struct ops;

struct rebuild {
	size_t at; // index into plan.services
	struct plan_service service;
	struct plan own; // its sets, and nothing else
	bool chains;     // its chains are others
	uint64_t shape;  // what it therefore adds to the plan's
	struct plan had; // then, its sets as they were declared before
	struct plan was,
		part; // of sets that services by dr and tun share, what is its reals': before, and now
};

// Fills `one` (zeroed; rebuild_free() it in any case). False: the change reaches further than this service's
// own elements and chains, so it takes a whole plan. The applied plan's services are the model's, in its order.
bool rebuild_service(struct rebuild *one, const struct plan *applied, const struct build_input *input,
		     size_t at);

// Adds what leads to it: elements first; then, by rebuild_ends(), whose connections end. Points into both.
void rebuild_diff(struct ops *ops, const struct plan *applied, const struct rebuild *one);
void rebuild_ends(struct ops *ops, const struct plan *applied, const struct rebuild *one);

// It is in force. What was there before is the rebuild's, to be freed with it.
void rebuild_take(struct plan *applied, struct rebuild *one);

void rebuild_free(struct rebuild *one);

#endif
