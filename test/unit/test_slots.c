// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "gwd/base/vec.h"
#include "gwd/core/slots.h"

static unsigned count(const uint16_t *slots, unsigned n, unsigned member)
{
	unsigned found = 0;
	for (unsigned i = 0; i < n; i++)
		found += slots[i] == member;
	return found;
}

Test(slots, three_two_one_is_smooth_and_exact)
{
	struct slots_member m[] = {{"a", 3, 1, true}, {"b", 2, 1, true}, {"c", 1, 1, true}};
	uint16_t slots[SLOTS_MAX];
	unsigned n = slots_count(SCHED_WRR, m, 3);
	cr_assert_eq(n, 60);
	slots_build(slots, n, SCHED_WRR, m, 3, 1);
	for (unsigned cycle = 0; cycle < n; cycle += 6) { // every six in a row are 3:2:1
		cr_assert_eq(count(slots + cycle, 6, 0), 3);
		cr_assert_eq(count(slots + cycle, 6, 1), 2);
		cr_assert_eq(count(slots + cycle, 6, 2), 1);
	}
	for (unsigned i = 0; i + 2 < n; i++) // never three times the same
		cr_assert(slots[i] != slots[i + 1] || slots[i] != slots[i + 2]);
}

Test(slots, rr_ignores_weights_but_not_zero)
{
	struct slots_member m[] = {{"a", 30, 1, true}, {"b", 2, 1, true}, {"c", 0, 1, true}};
	uint16_t slots[SLOTS_MAX];
	unsigned n = slots_count(SCHED_RR, m, 3);
	slots_build(slots, n, SCHED_RR, m, 3, 1);
	cr_assert_eq(count(slots, n, 0), n / 2);
	cr_assert_eq(count(slots, n, 1), n / 2);
	cr_assert_eq(count(slots, n, 2), 0);
}

Test(slots, nobody_active_leaves_all_empty)
{
	struct slots_member m[] = {{"a", 3, 1, false}, {"b", 0, 1, true}, {"c", 2, 2, true}};
	uint16_t slots[SLOTS_MAX];
	unsigned n = slots_count(SCHED_WRR, m, 3);
	slots_build(slots, n, SCHED_WRR, m, 3, 1);
	cr_assert_eq(count(slots, n, SLOT_EMPTY), n);
	slots_build(slots, n, SCHED_WRR, m, 3, 0); // no tier serves
	cr_assert_eq(count(slots, n, SLOT_EMPTY), n);
}

Test(slots, fo_takes_the_heaviest_and_the_first_of_equals)
{
	struct slots_member m[] = {
		{"a", 1, 1, true}, {"b", 5, 1, false}, {"c", 4, 1, true}, {"d", 4, 1, true}};
	uint16_t slots[1];
	cr_assert_eq(slots_count(SCHED_FO, m, 4), 1);
	slots_build(slots, 1, SCHED_FO, m, 4, 1);
	cr_assert_eq(slots[0], 2);
	m[1].active = true;
	slots_build(slots, 1, SCHED_FO, m, 4, 1);
	cr_assert_eq(slots[0], 1);
}

Test(slots, only_the_serving_tier_gets_slots_and_n_is_the_same_for_all_tiers)
{
	struct slots_member m[] = {
		{"a", 3, 1, true}, {"b", 2, 1, true}, {"c", 7, 2, true}, {"d", 4, 2, true}};
	uint16_t slots[SLOTS_MAX];
	unsigned n = slots_count(SCHED_WRR, m, 4);
	cr_assert_eq(n % 5, 0);
	cr_assert_eq(n % 11, 0);
	slots_build(slots, n, SCHED_WRR, m, 4, 2);
	cr_assert_eq(count(slots, n, 2), n * 7 / 11);
	cr_assert_eq(count(slots, n, 3), n * 4 / 11);
}

// ---- properties ----------------------------------------------------------------------------

struct world {
	struct slots_member m[24];
	char names[24][12];
	size_t n;
	enum scheduler scheduler;
	unsigned n_slots;
};

static void world_random(struct world *w)
{
	static const enum scheduler kinds[] = {SCHED_RR, SCHED_WRR, SCHED_RANDOM, SCHED_SH, SCHED_DH};
	w->n = 1 + (size_t)rand() % 23;
	w->scheduler = kinds[rand() % 5];
	for (size_t i = 0; i < w->n; i++) {
		snprintf(w->names[i], sizeof(w->names[i]), "m%d", rand() % 100000);
		unsigned weight = rand() % 8 ? 1 + (unsigned)rand() % (rand() % 3 ? 6 : 300) : 0;
		w->m[i] = (struct slots_member){w->names[i], weight, 1, rand() % 5 != 0};
	}
	w->n_slots = slots_count(w->scheduler, w->m, w->n);
}

static double ideal(const struct world *w, size_t i)
{
	double sum = 0, own = w->scheduler == SCHED_RR ? w->m[i].weight > 0 : w->m[i].weight;
	for (size_t k = 0; k < w->n; k++)
		if (w->m[k].active)
			sum += w->scheduler == SCHED_RR ? w->m[k].weight > 0 : w->m[k].weight;
	return w->m[i].active && sum > 0 ? w->n_slots * own / sum : 0;
}

Test(slots, property_weights_are_kept_to_within_one_slot)
{
	srand(1);
	for (int round = 0; round < 20000; round++) {
		struct world w;
		uint16_t slots[SLOTS_MAX];
		world_random(&w);
		slots_build(slots, w.n_slots, w.scheduler, w.m, w.n, 1);
		for (size_t i = 0; i < w.n; i++)
			cr_assert_lt(fabs(count(slots, w.n_slots, (unsigned)i) - ideal(&w, i)), 1.0001,
				     "round %d: member %zu of %zu has %u slots of %u, ideal %.2f", round, i,
				     w.n, count(slots, w.n_slots, (unsigned)i), w.n_slots, ideal(&w, i));
	}
}

Test(slots, property_a_death_moves_only_the_dead_ones_slots_and_a_return_restores_all)
{
	srand(2);
	for (int round = 0; round < 5000; round++) {
		struct world w;
		uint16_t before[SLOTS_MAX], after[SLOTS_MAX], again[SLOTS_MAX];
		world_random(&w);
		for (size_t i = 0; i < w.n; i++)
			w.m[i].active = true;
		slots_build(before, w.n_slots, w.scheduler, w.m, w.n, 1);
		size_t dead = (size_t)rand() % w.n;
		w.m[dead].active = false;
		slots_build(after, w.n_slots, w.scheduler, w.m, w.n, 1);
		for (unsigned i = 0; i < w.n_slots; i++)
			cr_assert(before[i] == dead || before[i] == after[i]);
		w.m[dead].active = true;
		slots_build(again, w.n_slots, w.scheduler, w.m, w.n, 1);
		cr_assert_arr_eq(before, again, w.n_slots * sizeof(before[0]));
	}
}

Test(slots, property_a_new_member_takes_its_share_of_a_hash_table_and_little_else_moves)
{
	srand(3);
	double worst = 0;
	for (int round = 0; round < 500; round++) {
		struct world w;
		uint16_t before[SLOTS_MAX], after[SLOTS_MAX];
		world_random(&w);
		for (size_t i = 0; i < w.n; i++) {
			w.m[i].active = true;
			w.m[i].weight = 1;
		}
		slots_build(before, SLOTS_HASH, SCHED_SH, w.m, w.n, 1);
		w.m[w.n++] = (struct slots_member){"newcomer", 1, 1, true};
		slots_build(after, SLOTS_HASH, SCHED_SH, w.m, w.n, 1);
		unsigned moved = 0;
		for (unsigned i = 0; i < SLOTS_HASH; i++)
			moved += before[i] != after[i] && after[i] != w.n - 1;
		if (moved / (double)SLOTS_HASH > worst)
			worst = moved / (double)SLOTS_HASH;
	}
	cr_assert_lt(worst, 0.25, "%.3f of the slots moved between old members", worst);
}
