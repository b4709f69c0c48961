// SPDX-License-Identifier: GPL-2.0-or-later
// turns: where the packet path stands in the rings of the groups that go by counts, as last read from
// the kernel. Pure data: steer.c keeps it, the builder of rings reads it.
#ifndef GWD_CORE_TURNS_H
#define GWD_CORE_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/base/vec.h"
#include "gwd/core/plan.h"
#include "gwd/core/ring.h"

struct turns_entry {
	char group[PLAN_GROUP_NAME_SIZE];
	uint64_t taken[FAM_COUNT]; // slots so far
	uint64_t batch[FAM_COUNT]; // of these, between the last two readings
	bool paced;                // they are read at a pace of its own: the next batch is like the last one
};

struct turns {
	VEC(struct turns_entry) entries;
};

void turns_set(struct turns *turns, const char *group, enum fam fam, uint64_t taken);
void turns_set_paced(struct turns *turns, const char *group, enum fam fam, uint64_t taken);
struct ring_turn turns_get(const struct turns *turns, const char *group, enum fam fam); // NULL: the start
void turns_clear(struct turns *turns); // all at the start; frees

#endif
