// SPDX-License-Identifier: GPL-2.0-or-later
// pick: who of a group takes new flows now. Tiers, health and weight 0 are judged here and nowhere else.
//
// The members that serve are those of the best class that has one with a weight: `up` (or not judged
// yet) before `degraded`, within that the lowest tier. Within the serving class:
//   - active: usable and weight > 0: gets slots
//   - live:   usable, any weight: flows that are pinned to it may stay (weight 0 drains that way)
// Who is full (max-flows, spill) counts as not usable here as long as anybody else of the group, of whatever
// tier, is usable with a weight. So new flows spill, pinned clients with them; but they are never turned
// away for it.
// A failover group (SCHED_FO) serves by exactly one member, as if each weight were a tier of its own.
#ifndef GWD_CORE_PICK_H
#define GWD_CORE_PICK_H

#include <stdbool.h>
#include <stddef.h>

#include "gwd/core/model.h"
#include "gwd/core/verdict.h"

struct pick_member {
	enum state state; // UNKNOWN and UP are good, DEGRADED is second choice, all else is not usable
	unsigned tier, weight;
	bool full;         // new flows should rather go elsewhere
	bool active, live; // the result
};

// Fills `active` and `live`. Returns the tier that serves, 0 when nobody is active.
unsigned pick_members(struct pick_member *members, size_t n, enum scheduler scheduler);

#endif
