// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/pick.h"

#include <stdint.h>

// 0: good, 1: second choice, 2: not usable.
static unsigned pick_rank(enum state state)
{
	switch (state) {
	case STATE_UNKNOWN:
	case STATE_UP:
		return 0;
	case STATE_DEGRADED:
		return 1;
	case STATE_DOWN:
	case STATE_DRAIN:
	case STATE_DISABLED:
		return 2;
	}
	return 2;
}

static bool pick_better(const struct pick_member *a, const struct pick_member *b)
{
	unsigned rank_a = pick_rank(a->state), rank_b = pick_rank(b->state);
	return rank_a != rank_b ? rank_a < rank_b : a->tier < b->tier;
}

static const struct pick_member *pick_best(const struct pick_member *members, size_t n, bool with_weight,
					   bool with_full)
{
	const struct pick_member *best = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct pick_member *member = &members[i];
		if (pick_rank(member->state) > 1 || (with_weight && !member->weight) ||
		    (member->full && !with_full))
			continue;
		if (!best || pick_better(member, best))
			best = member;
	}
	return best;
}

// The member with the highest weight (ties: the first) stays, the others of the class wait.
static void pick_single(struct pick_member *members, size_t n)
{
	struct pick_member *best = NULL;
	for (size_t i = 0; i < n; i++)
		if (members[i].active && (!best || members[i].weight > best->weight))
			best = &members[i];
	for (size_t i = 0; i < n && best; i++)
		members[i].active = members[i].live = &members[i] == best;
}

unsigned pick_members(struct pick_member *members, size_t n, enum scheduler scheduler)
{
	bool with_full = false;
	const struct pick_member *best = pick_best(members, n, true, false);
	if (!best) {
		with_full = true;
		best = pick_best(members, n, true, true);
	}
	bool serving = best != NULL;
	if (!best) // everyone who is left drains: pinned clients may finish
		best = pick_best(members, n, false, true);
	for (size_t i = 0; i < n; i++)
		members[i].active = members[i].live = false;
	if (!best)
		return 0;
	unsigned tier = best->tier, rank = pick_rank(best->state);
	for (size_t i = 0; i < n; i++) {
		members[i].live = pick_rank(members[i].state) == rank && members[i].tier == tier &&
				  (with_full || !members[i].full);
		members[i].active = members[i].live && members[i].weight > 0;
	}
	if (scheduler == SCHED_FO)
		pick_single(members, n);
	return serving ? tier : 0;
}
