// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/ring.h"

#include <assert.h>
#include <stdlib.h>

#include "gwd/base/alloc.h"
#include "gwd/core/slots.h"

bool ring_schedules(enum scheduler scheduler)
{
	return scheduler == SCHED_LC || scheduler == SCHED_WLC || scheduler == SCHED_SED ||
	       scheduler == SCHED_NQ;
}

// True when `a` would be the better next choice: load of a / weight of a < load of b / weight of b.
static bool ring_better(enum scheduler scheduler, const struct ring_member *a, const struct ring_member *b)
{
	if (scheduler == SCHED_NQ && (!a->flows || !b->flows))
		return !a->flows && b->flows;
	if (scheduler == SCHED_LC)
		return a->flows < b->flows;
	unsigned ahead = scheduler == SCHED_SED || scheduler == SCHED_NQ; // with the flow that is to come
	return (a->flows + ahead) * b->weight < (b->flows + ahead) * a->weight;
}

static uint16_t ring_next(enum scheduler scheduler, const struct ring_member *members, size_t n)
{
	size_t best = SLOT_EMPTY;
	for (size_t i = 0; i < n; i++)
		if (members[i].active && members[i].weight &&
		    (best == SLOT_EMPTY || ring_better(scheduler, &members[i], &members[best])))
			best = i;
	return (uint16_t)best;
}

void ring_fill(uint16_t *slots, unsigned n_slots, struct ring_turn turn, enum scheduler scheduler,
	       const struct ring_member *members, size_t n)
{
	assert(ring_schedules(scheduler) && turn.next < n_slots && turn.step && n < SLOT_EMPTY);
	struct ring_member *ahead = xcalloc(n, sizeof(*ahead));
	for (size_t i = 0; i < n; i++)
		ahead[i] = members[i];
	for (unsigned i = 0; i < n_slots; i++) {
		uint16_t member = ring_next(scheduler, ahead, n);
		slots[(turn.next + i) % n_slots] = member;
		if (member != SLOT_EMPTY)
			ahead[member].flows += turn.step;
	}
	free(ahead);
}
