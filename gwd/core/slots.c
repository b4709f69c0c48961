// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/slots.h"

#include <assert.h>
#include <stdlib.h>

#include "gwd/base/alloc.h"
#include "gwd/base/hash.h"
#include "gwd/core/ramp.h"
#include "gwd/core/ring.h"

static bool slots_by_hash(enum scheduler scheduler)
{
	return scheduler == SCHED_SH || scheduler == SCHED_DH || scheduler == SCHED_MH;
}

static unsigned slots_weight(enum scheduler scheduler, const struct slots_member *member)
{
	return scheduler == SCHED_RR ? member->weight > 0 : member->weight;
}

static uint64_t slots_gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

// Length of one exact cycle of a tier's weights: their sum over their greatest common divisor.
static uint64_t slots_cycle(enum scheduler scheduler, const struct slots_member *members, size_t n,
			    unsigned tier)
{
	uint64_t sum = 0, gcd = 0;
	for (size_t i = 0; i < n; i++) {
		if (members[i].tier != tier)
			continue;
		uint64_t weight = slots_weight(scheduler, &members[i]);
		sum += weight;
		gcd = slots_gcd(gcd, weight);
	}
	return gcd ? sum / gcd : 1;
}

unsigned slots_count(enum scheduler scheduler, const struct slots_member *members, size_t n)
{
	if (scheduler == SCHED_FO || scheduler == SCHED_LOWEST_LATENCY)
		return 1;
	if (slots_by_hash(scheduler))
		return SLOTS_HASH;
	if (ring_schedules(scheduler))
		return RING_SLOTS;
	if (scheduler == SCHED_LEAST_LOAD)
		return SLOTS_LOAD;
	uint64_t cycle = 1; // least common multiple over the tiers
	for (size_t i = 0; i < n && cycle <= SLOTS_MAX; i++) {
		if (i && members[i].tier == members[i - 1].tier)
			continue; // it has been reckoned with
		uint64_t own = slots_cycle(scheduler, members, n, members[i].tier);
		cycle = cycle / slots_gcd(cycle, own) * own;
	}
	if (cycle > SLOTS_MAX)
		return SLOTS_MAX;
	uint64_t repeat = (SLOTS_MIN_CYCLE + cycle - 1) / cycle;
	return (unsigned)(cycle * repeat <= SLOTS_MAX ? cycle * repeat : cycle);
}

// A member at work: how many slots it may have, how many it has, and its smooth round robin credit.
struct slots_share {
	unsigned weight, quota, taken;
	int64_t credit;
	unsigned offset, skip; // its Maglev permutation
	unsigned next;
};

// Whole slots by weight, what is left over to the largest remainders (ties: the first).
static void slots_quotas(struct slots_share *shares, size_t n, unsigned n_slots)
{
	uint64_t sum = 0;
	unsigned left = n_slots;
	for (size_t i = 0; i < n; i++)
		sum += shares[i].weight;
	for (size_t i = 0; i < n && sum; i++) {
		shares[i].quota = (unsigned)((uint64_t)n_slots * shares[i].weight / sum);
		shares[i].credit = (int64_t)((uint64_t)n_slots * shares[i].weight % sum);
		left -= shares[i].quota;
	}
	for (size_t i = 0; i < n; i++)
		if (shares[i].taken > shares[i].quota) // keeps the slot that it has: first in line
			shares[i].credit += (int64_t)sum;
	for (; sum && left; left--) {
		size_t best = 0;
		for (size_t i = 1; i < n; i++)
			if (shares[i].credit > shares[best].credit)
				best = i;
		shares[best].quota++;
		shares[best].credit = -1;
	}
	for (size_t i = 0; i < n; i++)
		shares[i].credit = 0;
}

// The next member in smooth round robin by quota among those with room; SLOT_EMPTY when all are full.
static uint16_t slots_next(struct slots_share *shares, size_t n)
{
	int64_t total = 0;
	size_t best = SLOT_EMPTY;
	for (size_t i = 0; i < n; i++) {
		if (shares[i].taken >= shares[i].quota)
			continue;
		shares[i].credit += shares[i].quota;
		total += shares[i].quota;
		if (best == SLOT_EMPTY || shares[i].credit > shares[best].credit)
			best = i;
	}
	if (best != SLOT_EMPTY) {
		shares[best].credit -= total;
		shares[best].taken++;
	}
	return (uint16_t)best;
}

static unsigned slots_hash_place(struct slots_share *share, const uint16_t *slots, unsigned n_slots)
{
	unsigned place;
	do {
		place = (unsigned)((share->offset + (uint64_t)share->next++ * share->skip) % n_slots);
	} while (slots[place] != SLOT_EMPTY);
	return place;
}

// Smooth round robin by equal quotas is plain round robin.
static bool slots_fill_in_turn(uint16_t *slots, unsigned n_slots, struct slots_share *shares, size_t n)
{
	unsigned quota = 0;
	for (size_t i = 0; i < n; i++) {
		if (shares[i].quota && quota && shares[i].quota != quota)
			return false;
		quota = shares[i].quota ? shares[i].quota : quota;
	}
	for (size_t i = 0, slot = 0; slot < n_slots && quota; i = (i + 1) % n)
		if (shares[i].quota)
			slots[slot++] = (uint16_t)i;
	for (size_t i = 0; i < n; i++)
		shares[i].taken = shares[i].quota;
	return true;
}

// Everybody of the tier, alive or not: this is the map that deaths are taken out of.
static void slots_fill_base(uint16_t *slots, unsigned n_slots, bool by_hash, struct slots_share *shares,
			    size_t n)
{
	if (!by_hash && slots_fill_in_turn(slots, n_slots, shares, n))
		return;
	for (unsigned i = 0; i < n_slots; i++) {
		uint16_t member = slots_next(shares, n);
		if (member == SLOT_EMPTY)
			return;
		slots[by_hash ? slots_hash_place(&shares[member], slots, n_slots) : i] = member;
	}
}

// The slots of those who are not active go to the others, who so reach their new quotas. `most` is
// the most that one may hold back to count as active.
static void slots_refill(uint16_t *slots, unsigned n_slots, const struct slots_member *members,
			 struct slots_share *shares, size_t n, unsigned most)
{
	bool all = true;
	for (size_t i = 0; i < n; i++) {
		if (!members[i].active || members[i].held > most) {
			all &= !shares[i].weight;
			shares[i].weight = shares[i].taken = 0;
		}
	}
	if (all)
		return; // nobody's slots are to be had
	for (size_t i = 0; i < n; i++)
		shares[i].quota = 0;
	slots_quotas(shares, n, n_slots);
	for (unsigned i = 0; i < n_slots; i++)
		if (slots[i] == SLOT_EMPTY || !shares[slots[i]].weight)
			slots[i] = slots_next(shares, n);
}

static void slots_fill_failover(uint16_t *slots, const struct slots_member *members, size_t n, unsigned tier)
{
	size_t best = SLOT_EMPTY;
	for (size_t i = 0; i < n; i++)
		if (members[i].tier == tier && members[i].active && members[i].weight &&
		    (best == SLOT_EMPTY || members[i].weight > members[best].weight))
			best = i;
	slots[0] = (uint16_t)best;
}

// By weight, as if nobody was ramped up; who holds back more than `most` counts as dead.
static void slots_fill(uint16_t *slots, unsigned n_slots, enum scheduler scheduler,
		       const struct slots_member *members, size_t n, unsigned tier, unsigned most)
{
	struct slots_share *shares = xcalloc(n, sizeof(*shares));
	for (unsigned i = 0; i < n_slots; i++)
		slots[i] = SLOT_EMPTY;
	for (size_t i = 0; i < n; i++) {
		uint64_t hash = hash_str(members[i].name);
		shares[i].weight = members[i].tier == tier ? slots_weight(scheduler, &members[i]) : 0;
		shares[i].offset = (unsigned)(hash >> 32) % n_slots;
		shares[i].skip = n_slots > 1 ? (unsigned)(hash & 0xffffffff) % (n_slots - 1) + 1 : 1;
	}
	slots_quotas(shares, n, n_slots);
	slots_fill_base(slots, n_slots, slots_by_hash(scheduler), shares, n);
	slots_refill(slots, n_slots, members, shares, n, most);
	free(shares);
}

// Of all its slots a member that is ramped up takes only so many yet; the others stay whose they would
// be without it.
static void slots_hold_back(uint16_t *slots, const uint16_t *without, unsigned n_slots, uint16_t member,
			    unsigned taken)
{
	uint16_t own[SLOTS_MAX];
	unsigned n = 0;
	for (unsigned i = 0; i < n_slots; i++)
		if (slots[i] == member)
			own[n++] = (uint16_t)i;
	for (unsigned i = ramp_places(n, taken); i < n; i++) {
		unsigned slot = own[ramp_place(i, n)];
		slots[slot] = without[slot];
	}
}

static void slots_ramp(uint16_t *slots, unsigned n_slots, enum scheduler scheduler,
		       const struct slots_member *members, size_t n, unsigned tier)
{
	uint16_t without[SLOTS_MAX];
	unsigned least = RAMP_FULL, most = 0;
	for (size_t i = 0; i < n; i++) {
		if (!members[i].active || members[i].tier != tier || !members[i].weight)
			continue;
		least = members[i].held < least ? members[i].held : least;
		most = members[i].held > most ? members[i].held : most;
	}
	if (most <= least)
		return;
	slots_fill(without, n_slots, scheduler, members, n, tier, least);
	for (size_t i = 0; i < n; i++)
		if (members[i].active && members[i].held > least)
			slots_hold_back(slots, without, n_slots, (uint16_t)i,
					ramp_taken(members[i].held, least));
}

void slots_build(uint16_t *slots, unsigned n_slots, enum scheduler scheduler,
		 const struct slots_member *members, size_t n, unsigned tier)
{
	assert(n < SLOT_EMPTY && n_slots >= 1 && n_slots <= SLOTS_MAX);
	if (scheduler == SCHED_FO) {
		slots_fill_failover(slots, members, n, tier);
		return;
	}
	slots_fill(slots, n_slots, scheduler, members, n, tier, RAMP_FULL);
	slots_ramp(slots, n_slots, scheduler, members, n, tier);
}
