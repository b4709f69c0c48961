// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/core/load.h"
#include "gwd/core/model.h"
#include "test/unit/fixture.h"

Test(load, full_at_max_flows_and_back_at_95_percent)
{
	struct model_gateway gw = {.max_flows = 200};
	struct load load = LOAD_NOTHING;
	cr_assert(!load_take_flows(&load, &gw, 199) && !load.full);
	cr_assert(load_take_flows(&load, &gw, 200) && load.full && load_spills(&load));
	cr_assert(!load_take_flows(&load, &gw, 191) && load.full);
	cr_assert(load_take_flows(&load, &gw, 190) && !load.full);
	cr_assert(!load_take_flows(&load, &gw, 199));
	cr_assert_eq(load.flows, 199);
	gw.max_flows = 0; // by a reload
	load.full = true;
	cr_assert(load_take_flows(&load, &gw, 500) && !load.full);
}

Test(load, a_limit_of_one_is_a_limit_too)
{
	struct model_gateway gw = {.max_flows = 1};
	struct load load = LOAD_NOTHING;
	cr_assert(load_take_flows(&load, &gw, 1) && load.full);
	cr_assert(load_take_flows(&load, &gw, 0) && !load.full);
}

Test(load, spill_goes_by_the_worse_direction_and_comes_back_lower)
{
	struct model_gateway gw = {.bandwidth_bps = 100000000, .spill_percent = 80};
	struct load load = LOAD_NOTHING;
	load_take_rate(&load, &gw, 79e6, 10e6);
	cr_assert(!load.spilling);
	cr_assert(load_take_rate(&load, &gw, 10e6, 81e6) && load.spilling);
	load_take_rate(&load, &gw, 73e6, 0);
	cr_assert(load.spilling);
	cr_assert(load_take_rate(&load, &gw, 71e6, 60e6) && !load.spilling);
}

Test(load, free_capacity_moves_in_steps)
{
	struct model_gateway gw = {.bandwidth_bps = 10000000};
	struct load load = LOAD_NOTHING;
	cr_assert_eq(load_free_weight(NULL, &gw), 10000);
	cr_assert_eq(load_free_weight(&load, &gw), 10000);
	cr_assert(load_take_rate(&load, &gw, 0, 0));
	cr_assert(!load_take_rate(&load, &gw, 4e5, 0)); // 4 %
	cr_assert(load_take_rate(&load, &gw, 5e6, 0));
	cr_assert_eq(load_free_weight(&load, &gw), 5000);
	cr_assert(!load_take_rate(&load, &gw, 5.4e6, 0));
	cr_assert_eq(load_free_weight(&load, &gw), 5000);
	cr_assert(load_take_rate(&load, &gw, 50e6, 0)); // more than there should be
	cr_assert_eq(load_free_weight(&load, &gw), 100);
}

Test(load, latency_sticks)
{
	struct load load = LOAD_NOTHING;
	cr_assert(!load_take_latency(&load, FAM_4, -1));
	cr_assert(load_take_latency(&load, FAM_4, 20));
	cr_assert(!load_take_latency(&load, FAM_4, 24.9));
	cr_assert(load_take_latency(&load, FAM_4, 25));
	cr_assert(!load_take_latency(&load, FAM_4, 19));
	cr_assert(load_take_latency(&load, FAM_4, 2));
	cr_assert(!load_take_latency(&load, FAM_4, 4.5)); // more than 25 %, less than 3 ms
	cr_assert(load_take_latency(&load, FAM_4, -1) && load.latency_ms[FAM_4] < 0);
}

// ---- in a plan ------------------------------------------------------------------------------

static unsigned slots(struct fixture *f, const char *group, const char *gateway)
{
	struct plan plan = {0};
	fixture_build(f, &plan);
	unsigned n = fixture_slots_of(&plan, group, FAM_4, gateway);
	plan_free(&plan);
	return n;
}

Test(load, a_full_gateway_leaves_the_slots_unless_all_are_full)
{
	struct fixture *f = fixture_new(2);
	struct load loads[2] = {LOAD_NOTHING, LOAD_NOTHING};
	f->loads = loads;
	cr_assert_eq(slots(f, "default", "g1"), 40);
	loads[0].full = true;
	cr_assert_eq(slots(f, "default", "g1"), 0);
	cr_assert_eq(slots(f, "default", "g2"), 60);
	loads[1].spilling = true;
	cr_assert_eq(slots(f, "default", "g1"), 40);
	fixture_free(f);
}

Test(load, a_full_tier_spills_into_the_next)
{
	struct fixture *f = fixture_new(2);
	struct load loads[2] = {LOAD_NOTHING, LOAD_NOTHING};
	f->loads = loads;
	f->uses[1].tier = 2;
	cr_assert_eq(slots(f, "default", "g2"), 0);
	loads[0].full = true;
	cr_assert_gt(slots(f, "default", "g2"), 0);
	cr_assert_eq(slots(f, "default", "g1"), 0);
	fixture_verdict(f, 1, STATE_DOWN); // nobody else: better too many than none
	cr_assert_gt(slots(f, "default", "g1"), 0);
	fixture_free(f);
}

Test(load, pinned_clients_of_a_full_gateway_spill_and_its_flows_stay)
{
	struct fixture *f = fixture_new(2);
	struct load loads[2] = {LOAD_NOTHING, LOAD_NOTHING};
	struct plan plan = {0};
	f->loads = loads;
	f->balances[0].persistence_ms = 300000;
	loads[0].full = true;
	fixture_build(f, &plan);
	const struct plan_set *live = plan_find_set(&plan, "live4.default");
	cr_assert_eq(live->elems.n, 1);
	cr_assert_str_eq(live->elems.v[0].chain, "keep4.default.g2");
	cr_assert(!plan.gateways.v[0].move_flows[FAM_4] && plan.gateways.v[0].state == STATE_UP);
	cr_assert_not_null(strstr(plan.gateways.v[0].reason, "max-flows"));
	plan_free(&plan);
	fixture_free(f);
}

Test(load, a_rule_for_a_full_gateway_goes_elsewhere_unless_it_is_strict)
{
	struct fixture *f = fixture_new(2);
	struct load loads[2] = {LOAD_NOTHING, LOAD_NOTHING};
	f->loads = loads;
	f->rules[0] = (struct model_rule){.name = "a", .target = RULE_GATEWAY, .gateway = 0};
	f->rules[1] = (struct model_rule){.name = "b", .target = RULE_GATEWAY, .gateway = 0, .strict = true};
	f->model.n_rules = 2;
	cr_assert_eq(slots(f, "via.g1", "g1"), 1);
	loads[0].full = true;
	cr_assert_eq(slots(f, "via.g1", "g1"), 0);
	cr_assert_eq(slots(f, "sole.g1", "g1"), 1);
	fixture_free(f);
}

Test(load, least_load_gives_slots_by_free_capacity)
{
	struct fixture *f = fixture_new(2);
	struct load loads[2] = {LOAD_NOTHING, LOAD_NOTHING};
	f->loads = loads;
	f->balances[0].scheduler = SCHED_LEAST_LOAD;
	f->gateways[0].bandwidth_bps = 100000000;
	f->gateways[1].bandwidth_bps = 100000000;
	cr_assert_eq(slots(f, "default", "g1"), 32);
	load_take_rate(&loads[0], &f->gateways[0], 75e6, 1e6);
	load_take_rate(&loads[1], &f->gateways[1], 25e6, 1e6);
	cr_assert_eq(slots(f, "default", "g1"), 16);
	cr_assert_eq(slots(f, "default", "g2"), 48);
	fixture_free(f);
}

Test(load, lowest_latency_takes_the_quickest)
{
	struct fixture *f = fixture_new(3);
	struct load loads[3] = {LOAD_NOTHING, LOAD_NOTHING, LOAD_NOTHING};
	f->loads = loads;
	f->balances[0].scheduler = SCHED_LOWEST_LATENCY;
	cr_assert_eq(slots(f, "default", "g1"), 1); // nothing is known
	loads[1].latency_ms[FAM_4] = 30;
	loads[2].latency_ms[FAM_4] = 10;
	cr_assert_eq(slots(f, "default", "g3"), 1);
	loads[0].latency_ms[FAM_4] = 10;
	cr_assert_eq(slots(f, "default", "g1"), 1);
	fixture_verdict(f, 0, STATE_DOWN);
	fixture_verdict(f, 2, STATE_DOWN);
	cr_assert_eq(slots(f, "default", "g2"), 1);
	fixture_free(f);
}

// A week of measurements, a second apart: means over 30 probes of links whose round trips vary by 30 %.
Test(load, property_equal_links_do_not_flip)
{
	struct load loads[2] = {LOAD_NOTHING, LOAD_NOTHING};
	double window[2][30];
	unsigned flips = 0, quickest = 0;
	srand(4);
	for (int i = 0; i < 60; i++)
		window[i / 30][i % 30] = 20;
	for (int second = 0; second < 7 * 86400; second++) {
		for (int link = 0; link < 2; link++) {
			double sum = 0;
			window[link][second % 30] = 14 + 12.0 * rand() / RAND_MAX;
			for (int i = 0; i < 30; i++)
				sum += window[link][i];
			load_take_latency(&loads[link], FAM_4, sum / 30);
		}
		unsigned now = loads[1].latency_ms[FAM_4] < loads[0].latency_ms[FAM_4];
		flips += second && now != quickest;
		quickest = now;
	}
	cr_assert_eq(flips, 0, "%u flips in a week", flips);
}
