// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/core/plan.h"
#include "gwd/core/ramp.h"
#include "gwd/core/ramps.h"
#include "gwd/core/ring.h"
#include "gwd/core/slots.h"
#include "test/unit/fixture.h"

Test(ramp, it_begins_with_one_step_and_ends_on_time)
{
	cr_expect_eq(ramp_held(0, 10000), 950);
	cr_expect_eq(ramp_held(-5, 10000), 950);
	cr_expect_eq(ramp_held(999, 10000), 950);
	cr_expect_eq(ramp_held(1000, 10000), 900);
	cr_expect_eq(ramp_held(5000, 10000), 500);
	cr_expect_eq(ramp_held(9999, 10000), 50);
	cr_expect_eq(ramp_held(10000, 10000), 0);
	cr_expect_eq(ramp_held(INT64_MAX, 10000), 0);
	cr_expect_eq(ramp_held(0, 0), 0);
}

// The waits lead from step to step, and to the end; whatever the time, of which some don't divide evenly.
Test(ramp, each_wait_ends_at_a_step)
{
	static const unsigned totals[] = {1, 7, 20, 333, 10000, 3600000};
	for (size_t i = 0; i < ARRAY_SIZE(totals); i++) {
		int64_t now = 0, wait;
		unsigned held = ramp_held(0, totals[i]), steps = 0;
		while ((wait = ramp_wait_ms(now, totals[i])) != RAMP_OVER) {
			cr_assert_gt(wait, 0);
			if (wait > 1)
				cr_expect_eq(ramp_held(now + wait - 1, totals[i]), held);
			now += wait;
			cr_assert_lt(ramp_held(now, totals[i]), held);
			held = ramp_held(now, totals[i]);
			cr_assert_leq(++steps, RAMP_STEPS);
		}
		cr_expect_eq(now, totals[i]);
		cr_expect_eq(held, 0);
	}
	cr_expect_eq(ramp_wait_ms(0, 0), RAMP_OVER);
}

Test(ramp, it_is_relative_to_who_is_furthest_on)
{
	cr_expect_eq(ramp_taken(0, 0), RAMP_FULL);
	cr_expect_eq(ramp_taken(950, 0), 50);
	cr_expect_eq(ramp_taken(950, 950), RAMP_FULL); // all came back together
	cr_expect_eq(ramp_taken(950, 900), 500);
	cr_expect_eq(ramp_places(60, 50), 3);
	cr_expect_eq(ramp_places(3, 50), 1); // not nothing
	cr_expect_eq(ramp_places(0, 50), 0);
	cr_expect_eq(ramp_places(60, RAMP_FULL), 60);
}

Test(ramp, places_are_each_one_once_and_even_at_any_time)
{
	for (unsigned n = 1; n <= SLOTS_MAX; n++) {
		bool seen[SLOTS_MAX] = {false};
		for (unsigned i = 0; i < n; i++) {
			unsigned place = ramp_place(i, n);
			cr_assert_lt(place, n);
			cr_assert(!seen[place], "%u of %u twice", place, n);
			seen[place] = true;
		}
	}
	unsigned halves[2] = {0, 0}; // a quarter of 64 is in both halves alike
	for (unsigned i = 0; i < 16; i++)
		halves[ramp_place(i, 64) / 32]++;
	cr_expect(abs((int)halves[0] - (int)halves[1]) <= 2, "%u and %u", halves[0], halves[1]);
}

// ---- slots -----------------------------------------------------------------------------------

static unsigned count(const uint16_t *slots, unsigned n, unsigned member)
{
	unsigned found = 0;
	for (unsigned i = 0; i < n; i++)
		found += slots[i] == member;
	return found;
}

Test(ramp, slots_follow_it)
{
	struct slots_member m[] = {{"a", 1, 1, true}, {"b", 1, 1, true, 950}};
	uint16_t slots[SLOTS_MAX];
	unsigned n = slots_count(SCHED_WRR, m, 2);
	slots_build(slots, n, SCHED_WRR, m, 2, 1);
	cr_expect_eq(count(slots, n, 1), 1);
	m[1].held = 500;
	slots_build(slots, n, SCHED_WRR, m, 2, 1);
	cr_expect_eq(count(slots, n, 1), n / 4);
	cr_expect_eq(count(slots, n, 0), n - n / 4);
	m[0].held = 500; // as far as the other
	slots_build(slots, n, SCHED_WRR, m, 2, 1);
	cr_expect_eq(count(slots, n, 1), n / 2);
	m[0].active = false;
	slots_build(slots, n, SCHED_WRR, m, 2, 1);
	cr_expect_eq(count(slots, n, 1), n);
}

static void random_members(struct slots_member *m, char names[][12], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		snprintf(names[i], 12, "m%d", rand() % 100000);
		m[i] = (struct slots_member){names[i], 1 + (unsigned)rand() % (rand() % 3 ? 6 : 300), 1,
					     rand() % 5 != 0};
	}
}

// From its death over each step until it is whole nothing moves but to it; with a hash scheduler this means
// that no source on a healthy link is moved to another one of them.
Test(ramp, property_each_step_only_adds_to_who_comes_back)
{
	static const enum scheduler kinds[] = {SCHED_RR, SCHED_WRR, SCHED_RANDOM, SCHED_SH, SCHED_DH};
	srand(1);
	for (int round = 0; round < 2000; round++) {
		struct slots_member m[12];
		char names[12][12];
		uint16_t old[SLOTS_MAX], now[SLOTS_MAX], whole[SLOTS_MAX];
		size_t n = 2 + (size_t)rand() % 11, back = (size_t)rand() % n;
		enum scheduler scheduler = kinds[rand() % 5];
		random_members(m, names, n);
		unsigned n_slots = slots_count(scheduler, m, n), mine = 0;
		m[back].active = true;
		slots_build(whole, n_slots, scheduler, m, n, 1);
		for (int64_t t = 0; t <= 10000; t += 500) {
			m[back].held = ramp_held(t, 10000);
			slots_build(now, n_slots, scheduler, m, n, 1);
			for (unsigned i = 0; t && i < n_slots; i++)
				cr_assert(now[i] == old[i] || now[i] == back, "round %d, slot %u", round, i);
			cr_assert_geq(count(now, n_slots, (unsigned)back), mine);
			mine = count(now, n_slots, (unsigned)back);
			memcpy(old, now, sizeof(now));
		}
		cr_assert_arr_eq(now, whole, n_slots * sizeof(now[0]));
	}
}

// ---- ring ------------------------------------------------------------------------------------

// So many new flows, each of which is counted before the next one comes; none ends.
static unsigned arrive(enum scheduler scheduler, struct ring_member m[2], unsigned flows)
{
	uint64_t before = m[1].flows;
	uint16_t slots[RING_SLOTS];
	for (unsigned i = 0; i < flows; i++) {
		ring_fill(slots, RING_SLOTS, (struct ring_turn){i % RING_SLOTS, 1}, scheduler, m, 2);
		m[slots[i % RING_SLOTS]].flows++;
	}
	return (unsigned)(m[1].flows - before);
}

Test(ramp, a_counting_scheduler_does_not_send_all_to_who_has_nothing)
{
	static const enum scheduler kinds[] = {SCHED_LC, SCHED_WLC, SCHED_SED, SCHED_NQ};
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct ring_member m[] = {{10000, 1, true}, {0, 1, true, 950}};
		cr_expect_eq(arrive(kinds[k], m, 160), 10, "one place in sixteen");
		m[1].held = 500;
		cr_expect_eq(arrive(kinds[k], m, 160), 80);
		m[1].held = 0;
		cr_expect_eq(arrive(kinds[k], m, 160), 160); // the scheduler's own choice
	}
}

Test(ramp, a_counting_scheduler_gives_no_more_in_all_than_the_share_allows)
{
	static const enum scheduler kinds[] = {SCHED_LC, SCHED_WLC, SCHED_SED, SCHED_NQ};
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct ring_member m[] = {{100, 1, true}, {0, 1, true, 900}};
		cr_expect_leq(arrive(kinds[k], m, 320), 45, "a tenth of the others'");
		cr_expect_geq(m[1].flows, 20);
	}
}

Test(ramp, counting_is_as_ever_where_all_came_back_together)
{
	struct ring_member m[] = {{0, 3, true, 950}, {0, 2, true, 950}, {0, 1, true, 950}};
	static const uint16_t want[] = {0, 1, 2, 0, 1, 0, 0, 1, 2, 0, 1, 0, 0, 1, 2, 0};
	uint16_t slots[RING_SLOTS];
	ring_fill(slots, RING_SLOTS, (struct ring_turn){0, 1}, SCHED_WLC, m, 3);
	cr_assert_arr_eq(slots, want, sizeof(want));
}

// ---- the plan ---------------------------------------------------------------------------------

// Builds, counts the slots of g1, and lets the plan be in force.
static unsigned slots_of_g1(struct fixture *f, struct ramps *ramps, int64_t now_ms, int64_t *wait_ms)
{
	struct plan plan = {0};
	f->ramps = ramps;
	f->now_ms = now_ms;
	fixture_build(f, &plan);
	unsigned n = fixture_slots_of(&plan, "default", FAM_4, "g1");
	ramps_note(ramps, &plan, now_ms);
	if (wait_ms)
		*wait_ms = ramps_wait_ms(ramps, &plan, now_ms);
	plan_free(&plan);
	return n;
}

static struct fixture *two_gateways(void)
{
	struct fixture *f = fixture_new(2);
	f->gateways[0].slow_start_ms = f->gateways[1].slow_start_ms = 10000;
	f->uses[0].weight = f->uses[1].weight = 1;
	return f;
}

Test(ramp, a_gateway_that_comes_back_is_ramped_up)
{
	struct fixture *f = two_gateways();
	struct ramps ramps = {0};
	int64_t wait;
	cr_expect_eq(slots_of_g1(f, &ramps, 0, &wait), 30, "not at the start");
	cr_expect_eq(wait, RAMP_OVER);
	fixture_verdict(f, 0, STATE_DOWN);
	cr_expect_eq(slots_of_g1(f, &ramps, 100000, &wait), 0);
	cr_expect_eq(wait, RAMP_OVER);
	fixture_verdict(f, 0, STATE_UP);
	cr_expect_eq(slots_of_g1(f, &ramps, 200000, &wait), 1);
	cr_expect_eq(wait, 1000);
	cr_expect_eq(slots_of_g1(f, &ramps, 205000, &wait), 15);
	cr_expect_eq(wait, 500);
	cr_expect_eq(slots_of_g1(f, &ramps, 210000, &wait), 30);
	cr_expect_eq(wait, RAMP_OVER);
	ramps_free(&ramps);
	fixture_free(f);
}

Test(ramp, one_that_is_alone_in_use_has_all_and_one_that_was_degraded_is_ramped_too)
{
	struct fixture *f = two_gateways();
	struct ramps ramps = {0};
	fixture_verdict(f, 0, STATE_DOWN);
	fixture_verdict(f, 1, STATE_DOWN);
	slots_of_g1(f, &ramps, 0, NULL);
	fixture_verdict(f, 0, STATE_UP);
	cr_expect_eq(slots_of_g1(f, &ramps, 1000, NULL), 60);
	fixture_verdict(f, 1, STATE_UP);
	cr_expect_eq(slots_of_g1(f, &ramps, 60000, NULL), 59);
	fixture_verdict(f, 0, STATE_DEGRADED);
	cr_expect_eq(slots_of_g1(f, &ramps, 120000, NULL), 0);
	fixture_verdict(f, 0, STATE_UP);
	cr_expect_eq(slots_of_g1(f, &ramps, 180000, NULL), 1);
	f->gateways[0].slow_start_ms = 0; // a reload
	cr_expect_eq(slots_of_g1(f, &ramps, 180001, NULL), 30);
	ramps_free(&ramps);
	fixture_free(f);
}

Test(ramp, a_new_gateway_is_not_ramped)
{
	struct fixture *f = two_gateways();
	struct ramps ramps = {0};
	f->model.n_gateways = f->balances[0].n_uses = 1;
	slots_of_g1(f, &ramps, 0, NULL);
	f->model.n_gateways = f->balances[0].n_uses = 2;
	cr_expect_eq(slots_of_g1(f, &ramps, 1000, NULL), 30);
	ramps_free(&ramps);
	fixture_free(f);
}
