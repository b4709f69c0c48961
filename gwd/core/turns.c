// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/turns.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TURNS_STEP_MAX 64      // a longer pause was no batch
#define TURNS_PACED_MAX 100000 // unless it is the usual one

static struct turns_entry *turns_find(const struct turns *turns, const char *group)
{
	vec_each(&turns->entries, entry)
		if (!strcmp(entry->group, group))
			return entry;
	return NULL;
}

static struct turns_entry *turns_read(struct turns *turns, const char *group, enum fam fam, uint64_t taken)
{
	struct turns_entry *entry = turns_find(turns, group);
	if (!entry) {
		vec_add(&turns->entries, entry);
		snprintf(entry->group, sizeof(entry->group), "%s", group);
		entry->taken[FAM_4] = entry->taken[FAM_6] = taken;
	}
	entry->batch[fam] = taken > entry->taken[fam] ? taken - entry->taken[fam] : 0;
	entry->taken[fam] = taken;
	return entry;
}

void turns_set(struct turns *turns, const char *group, enum fam fam, uint64_t taken)
{
	turns_read(turns, group, fam, taken);
}

void turns_set_paced(struct turns *turns, const char *group, enum fam fam, uint64_t taken)
{
	turns_read(turns, group, fam, taken)->paced = true;
}

struct ring_turn turns_get(const struct turns *turns, const char *group, enum fam fam)
{
	const struct turns_entry *entry = turns ? turns_find(turns, group) : NULL;
	struct ring_turn turn = {.step = 1};
	if (!entry)
		return turn;
	turn.next = (unsigned)(entry->taken[fam] % RING_SLOTS);
	if (entry->batch[fam] > RING_SLOTS)
		turn.step = (unsigned)fmin((double)(entry->batch[fam] / RING_SLOTS + 1),
					   entry->paced ? TURNS_PACED_MAX : TURNS_STEP_MAX);
	return turn;
}

void turns_clear(struct turns *turns)
{
	vec_free(&turns->entries);
}
