// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/ring.h"

#include <assert.h>
#include <stdlib.h>

#include "gwd/base/alloc.h"
#include "gwd/core/ramp.h"
#include "gwd/core/slots.h"

bool ring_schedules(enum scheduler scheduler)
{
	return scheduler == SCHED_LC || scheduler == SCHED_WLC || scheduler == SCHED_SED ||
	       scheduler == SCHED_NQ;
}

// A member at work.
struct ring_share {
	uint64_t flows; // with those of the slots so far
	uint64_t closed;
	uint64_t weight; // as the scheduler sees it
	unsigned taken;  // of RAMP_FULL; 0: gets none
};

#define RING_LIVE 256 // a live flow, in closed ones

static uint64_t ring_overhead(const struct ring_share *share)
{
	return share->flows * RING_LIVE + share->closed;
}

// True when `a` would be the better next choice: load of a / weight of a < load of b / weight of b.
static bool ring_better(enum scheduler scheduler, const struct ring_share *a, const struct ring_share *b)
{
	if (scheduler == SCHED_NQ && (!a->flows || !b->flows))
		return !a->flows && b->flows;
	if (scheduler == SCHED_LC || scheduler == SCHED_WLC)
		return ring_overhead(a) * b->weight < ring_overhead(b) * a->weight;
	return (a->flows + 1) * b->weight < (b->flows + 1) * a->weight; // with the flow that is to come
}

static bool ring_has_place(const struct ring_share *share, unsigned place, unsigned n_slots)
{
	for (unsigned i = 0, n = ramp_places(n_slots, share->taken); i < n; i++)
		if (ramp_place(i, n_slots) == place)
			return true;
	return false;
}

static uint16_t ring_next(enum scheduler scheduler, const struct ring_share *shares, size_t n, unsigned place,
			  unsigned n_slots)
{
	size_t best = SLOT_EMPTY;
	for (size_t i = 0; i < n; i++)
		if (shares[i].taken &&
		    (best == SLOT_EMPTY || ring_better(scheduler, &shares[i], &shares[best])) &&
		    (shares[i].taken == RAMP_FULL || ring_has_place(&shares[i], place, n_slots)))
			best = i;
	return (uint16_t)best;
}

static void ring_shares(struct ring_share *shares, enum scheduler scheduler,
			const struct ring_member *members, size_t n)
{
	unsigned least = RAMP_FULL - 1;
	for (size_t i = 0; i < n; i++)
		if (members[i].active && members[i].weight && members[i].held < least)
			least = members[i].held;
	for (size_t i = 0; i < n; i++) {
		const struct ring_member *member = &members[i];
		if (!member->active || !member->weight)
			continue;
		shares[i].flows = member->flows;
		shares[i].closed = member->closed;
		shares[i].taken = ramp_taken(member->held, least);
		shares[i].weight = (uint64_t)shares[i].taken * (scheduler == SCHED_LC ? 1 : member->weight);
	}
}

void ring_fill(uint16_t *slots, unsigned n_slots, struct ring_turn turn, enum scheduler scheduler,
	       const struct ring_member *members, size_t n)
{
	assert(ring_schedules(scheduler) && turn.next < n_slots && turn.step && n < SLOT_EMPTY);
	struct ring_share *shares = xcalloc(n, sizeof(*shares));
	ring_shares(shares, scheduler, members, n);
	for (unsigned i = 0; i < n_slots; i++) {
		unsigned place = (turn.next + i) % n_slots;
		slots[place] = ring_next(scheduler, shares, n, place, n_slots);
		if (slots[place] != SLOT_EMPTY)
			shares[slots[place]].flows += turn.step;
	}
	free(shares);
}
