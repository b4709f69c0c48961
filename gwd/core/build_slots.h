// SPDX-License-Identifier: GPL-2.0-or-later
// build_slots: one group's slot map, whatever its scheduler. plan_build() makes all of them with it, and
// steer.c makes those anew that go by counts, for each batch of events, without a whole plan.
#ifndef GWD_CORE_BUILD_SLOTS_H
#define GWD_CORE_BUILD_SLOTS_H

#include "gwd/base/addr.h"
#include "gwd/core/ring.h"

struct load;
struct model;
struct plan;
struct plan_group;
struct plan_set;

struct build_slots_input {
	const struct plan *plan; // its gateways are the model's, in the model's order
	const struct plan_group *group;
	enum fam fam;
	const struct model *model;
	const struct load *loads; // by index into plan.gateways; NULL: nothing measured yet
	struct ring_turn turn;    // where the packet path stands; for the schedulers that go by counts
};

// Fills `set` (zeroed), in the order of the slots.
void build_slots(struct plan_set *set, const struct build_slots_input *input);

#endif
