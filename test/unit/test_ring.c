// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/vec.h"
#include "gwd/core/ring.h"
#include "gwd/core/slots.h"

// ---- the kernel's schedulers, as they are written there ----------------------------------------

// ip_vs_dest_conn_overhead(): active << 8 + inactive
static uint64_t ip_vs_overhead(const struct ring_member *m)
{
	return (m->flows << 8) + m->closed;
}

// ip_vs_lc.c
static int ip_vs_lc(const struct ring_member *m, size_t n)
{
	int least = -1;
	uint64_t loh = 0;
	for (size_t i = 0; i < n; i++) {
		if (!m[i].active || m[i].weight == 0)
			continue;
		uint64_t doh = ip_vs_overhead(&m[i]);
		if (least < 0 || doh < loh) {
			least = (int)i;
			loh = doh;
		}
	}
	return least;
}

// ip_vs_wlc.c: as above; ip_vs_sed.c: overhead = connections + 1
static int ip_vs_by_weight(const struct ring_member *m, size_t n, bool sed)
{
	size_t i = 0;
	while (i < n && !(m[i].active && m[i].weight > 0))
		i++;
	if (i == n)
		return -1;
	size_t least = i;
	uint64_t loh = sed ? m[i].flows + 1 : ip_vs_overhead(&m[i]);
	for (i++; i < n; i++) {
		if (!m[i].active || !m[i].weight)
			continue;
		uint64_t doh = sed ? m[i].flows + 1 : ip_vs_overhead(&m[i]);
		if (loh * m[i].weight > doh * m[least].weight) {
			least = i;
			loh = doh;
		}
	}
	return (int)least;
}

// ip_vs_nq.c
static int ip_vs_nq(const struct ring_member *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (m[i].active && m[i].weight && m[i].flows == 0)
			return (int)i;
	return ip_vs_by_weight(m, n, true);
}

static int ip_vs(enum scheduler scheduler, const struct ring_member *m, size_t n)
{
	if (scheduler == SCHED_LC)
		return ip_vs_lc(m, n);
	if (scheduler == SCHED_NQ)
		return ip_vs_nq(m, n);
	return ip_vs_by_weight(m, n, scheduler == SCHED_SED);
}

static const enum scheduler kinds[] = {SCHED_LC, SCHED_WLC, SCHED_SED, SCHED_NQ};

static size_t random_members(struct ring_member *m)
{
	size_t n = 1 + (size_t)rand() % 12;
	for (size_t i = 0; i < n; i++)
		m[i] = (struct ring_member){.flows = (uint64_t)rand() % (rand() % 2 ? 5 : 100000),
					    .closed = (uint64_t)rand() % (rand() % 2 ? 5 : 1000),
					    .weight = rand() % 6 ? 1 + (unsigned)rand() % 100 : 0,
					    .active = rand() % 6 != 0};
	return n;
}

// ---- tests ------------------------------------------------------------------------------------

Test(ring, three_two_one)
{
	struct ring_member m[] = {{0, 3, true}, {0, 2, true}, {0, 1, true}};
	static const uint16_t want[] = {0, 1, 2, 0, 1, 0, 0, 1, 2, 0, 1, 0, 0, 1, 2, 0};
	uint16_t slots[RING_SLOTS];
	ring_fill(slots, RING_SLOTS, (struct ring_turn){0, 1}, SCHED_WLC, m, 3);
	for (unsigned i = 0; i < RING_SLOTS; i++)
		cr_assert_eq(slots[i], want[i], "slot %u is of member %u", i, slots[i]);
}

// One short connection after the other.
Test(ring, closed_ones_decide_between_equals)
{
	struct ring_member m[] = {{0, 1, true}, {0, 1, true}, {0, 1, true}};
	uint16_t slots[RING_SLOTS];
	for (unsigned i = 0; i < 300; i++) {
		ring_fill(slots, RING_SLOTS, (struct ring_turn){i % RING_SLOTS, 1}, SCHED_WLC, m, 3);
		m[slots[i % RING_SLOTS]].closed++;
	}
	for (int i = 0; i < 3; i++)
		cr_assert_eq(m[i].closed, 100);
}

Test(ring, who_lags_behind_gets_all)
{
	struct ring_member m[] = {{1000, 1, true}, {3, 1, true}};
	uint16_t slots[RING_SLOTS];
	ring_fill(slots, RING_SLOTS, (struct ring_turn){5, 1}, SCHED_LC, m, 2);
	for (unsigned i = 0; i < RING_SLOTS; i++)
		cr_assert_eq(slots[i], 1);
}

Test(ring, nobody_active_leaves_it_empty)
{
	struct ring_member m[] = {{0, 0, true}, {0, 3, false}};
	uint16_t slots[RING_SLOTS];
	ring_fill(slots, RING_SLOTS, (struct ring_turn){3, 1}, SCHED_SED, m, 2);
	for (unsigned i = 0; i < RING_SLOTS; i++)
		cr_assert_eq(slots[i], SLOT_EMPTY);
}

Test(ring, nq_sends_to_an_idle_one_first_and_sed_to_the_fast_one)
{
	struct ring_member m[] = {{3, 10, true}, {0, 1, true}};
	uint16_t slots[RING_SLOTS];
	ring_fill(slots, RING_SLOTS, (struct ring_turn){0, 1}, SCHED_NQ, m, 2);
	cr_assert_eq(slots[0], 1);
	cr_assert_eq(slots[1], 0);
	ring_fill(slots, RING_SLOTS, (struct ring_turn){0, 1}, SCHED_SED, m, 2);
	cr_assert_eq(slots[0], 0);
}

Test(ring, property_slots_are_ip_vs_fed_one_flow_at_a_time)
{
	srand(1);
	for (int round = 0; round < 40000; round++) {
		struct ring_member m[12];
		uint16_t slots[RING_SLOTS];
		enum scheduler scheduler = kinds[rand() % 4];
		size_t n = random_members(m);
		unsigned next = (unsigned)rand() % RING_SLOTS;
		ring_fill(slots, RING_SLOTS, (struct ring_turn){next, 1}, scheduler, m, n);
		for (unsigned i = 0; i < RING_SLOTS; i++) {
			int want = ip_vs(scheduler, m, n);
			uint16_t got = slots[(next + i) % RING_SLOTS];
			cr_assert_eq(got, want < 0 ? SLOT_EMPTY : (uint16_t)want, "round %d flow %u", round,
				     i);
			if (want >= 0)
				m[want].flows++;
		}
	}
}

// As in life: events come late, in batches, and flows end. The kernel walks the ring that it has.
struct world {
	struct ring_member now[3];   // what is true
	struct ring_member told[3];  // what the events said so far
	struct ring_member ip_vs[3]; // the reference: it decides with each flow
	uint16_t slots[RING_SLOTS];
	unsigned taken, filled;
};

static void arrive(struct world *w, enum scheduler scheduler)
{
	w->now[w->slots[w->taken++ % RING_SLOTS]].flows++;
	w->ip_vs[ip_vs(scheduler, w->ip_vs, 3)].flows++;
}

static void refill(struct world *w, enum scheduler scheduler)
{
	unsigned batch = w->taken - w->filled;
	struct ring_turn turn = {w->taken % RING_SLOTS, batch > RING_SLOTS ? batch / RING_SLOTS + 1 : 1};
	w->filled = w->taken;
	for (int i = 0; i < 3; i++)
		w->told[i] = w->now[i];
	ring_fill(w->slots, RING_SLOTS, turn, scheduler, w->told, 3);
}

static double worst_of(enum scheduler scheduler, unsigned flows, unsigned batch)
{
	struct world w = {.now = {{0, 3, true}, {0, 2, true}, {0, 1, true}}};
	double worst = 0;
	memcpy(w.ip_vs, w.now, sizeof(w.now));
	for (unsigned flow = 0, left = 0; flow < flows; flow++, left--) {
		if (!left) {
			refill(&w, scheduler);
			left = 1 + (unsigned)rand() % batch;
		}
		arrive(&w, scheduler);
		for (int i = 0; i < 3; i++)
			worst = fmax(worst, fabs((double)w.now[i].flows - (double)w.ip_vs[i].flows));
	}
	return worst;
}

Test(ring, property_batches_of_less_than_a_ring_are_as_good_as_ip_vs)
{
	srand(2);
	for (int round = 0; round < 200; round++)
		cr_assert_eq(worst_of(kinds[round % 4], 1000, RING_SLOTS), 0);
}

// 30,000 new flows in a second, told of once in a millisecond: off by 0.1 % at the most.
Test(ring, property_larger_batches_stay_near)
{
	srand(3);
	for (int round = 0; round < 40; round++)
		cr_assert_leq(worst_of(kinds[round % 4], 30000, 60), 24);
}

Test(ring, property_what_was_not_used_up_stays)
{
	srand(4);
	for (int round = 0; round < 5000; round++) {
		struct ring_member m[12];
		uint16_t before[RING_SLOTS], after[RING_SLOTS];
		enum scheduler scheduler = kinds[rand() % 4];
		size_t n = random_members(m);
		unsigned next = (unsigned)rand() % RING_SLOTS, used = (unsigned)rand() % RING_SLOTS;
		ring_fill(before, RING_SLOTS, (struct ring_turn){next, 1}, scheduler, m, n);
		for (unsigned i = 0; i < used && before[0] != SLOT_EMPTY; i++)
			m[before[(next + i) % RING_SLOTS]].flows++;
		ring_fill(after, RING_SLOTS, (struct ring_turn){(next + used) % RING_SLOTS, 1}, scheduler, m,
			  n);
		for (unsigned i = used; i < RING_SLOTS; i++)
			cr_assert_eq(before[(next + i) % RING_SLOTS], after[(next + i) % RING_SLOTS]);
	}
}
