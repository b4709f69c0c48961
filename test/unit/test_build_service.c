// SPDX-License-Identifier: GPL-2.0-or-later
// Services in the plan: who serves, and what is said of it.
#include "gwd/core/build_service.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "test/unit/fixture.h"

// On 198.51.100.10:80, its reals r1.. 10.1.1.1:8080 .. of weight 1, and up.
static struct model_service *web(struct fixture *f, unsigned n)
{
	static const char *const names[] = {"r1", "r2", "r3"};
	struct model_service *web = fixture_service(f, "web");
	fixture_listen(web, "198.51.100.10", 80, 80);
	for (unsigned i = 0; i < n; i++) {
		char address[16];
		snprintf(address, sizeof(address), "10.1.1.%u", i + 1);
		fixture_real(web, ROLE_REAL, names[i], address, 8080, 1);
		fixture_real_verdict(f, 0, i, STATE_UP);
	}
	return web;
}

static struct plan plan_of(struct fixture *f)
{
	struct plan plan = {0};
	fixture_build(f, &plan);
	return plan;
}

Test(build_service, reals_then_backup_then_sorry_then_nothing)
{
	static const enum serving expected[] = {SERVING_REALS, SERVING_BACKUP, SERVING_SORRY,
						SERVING_NOTHING};
	char reason[PLAN_SERVICE_REASON];
	struct fixture *f = fixture_new(1);
	web(f, 3);
	f->reals[0][1].role = ROLE_BACKUP;
	f->reals[0][2].role = ROLE_SORRY;
	for (size_t i = 0; i < 4; i++) {
		struct plan plan = plan_of(f);
		cr_expect_eq(plan_serving(&plan.services.v[0]), expected[i], "%zu: %s", i,
			     serving_name(plan_serving(&plan.services.v[0])));
		cr_expect_str_eq(plan_serving_reason(&plan.services.v[0], reason),
				 i ? "0 of 1 reals usable" : "1 of 1 reals usable");
		plan_free(&plan);
		if (i < 3)
			fixture_real_verdict(f, 0, i, STATE_DOWN);
	}
	fixture_free(f);
}

Test(build_service, the_family_that_is_worst_off_counts)
{
	struct fixture *f = fixture_new(1);
	fixture_listen(web(f, 2), "2001:db8:f::10", 80, 80);
	struct plan plan = plan_of(f);
	cr_expect_eq(plan_serving(&plan.services.v[0]),
		     SERVING_REALS); // no real is of IPv6: nothing to serve
	plan_free(&plan);
	cr_assert(addr_parse("fd00:1::2", &f->reals[0][1].address));
	fixture_real_verdict(f, 0, 1, STATE_DOWN);
	plan = plan_of(f);
	cr_expect_eq(plan_serving(&plan.services.v[0]), SERVING_NOTHING);
	plan_free(&plan);
	fixture_free(f);
}

Test(build_service, by_hand_is_above_the_verdict)
{
	struct fixture *f = fixture_new(1);
	web(f, 2);
	manual_set(&f->manual, "web/r1", MANUAL_DRAIN, 0, "then");
	manual_set(&f->manual, "web/r2", MANUAL_DISABLE, 0, "then");
	struct plan plan = plan_of(f);
	const struct plan_real *reals = plan.services.v[0].reals.v;
	cr_expect_eq(reals[0].state, STATE_DRAIN);
	cr_expect(reals[0].usable && reals[0].live[FAM_4] && !reals[0].active[FAM_4]);
	cr_expect_eq(reals[1].state, STATE_DISABLED);
	cr_expect_not(reals[1].usable);
	plan_free(&plan);
	fixture_free(f);
}

// A load balancer on a host with one interface: what is outbound is there, and empty.
Test(build_service, without_lan_and_gateways)
{
	struct fixture *f = fixture_new(0);
	struct model_service *web = fixture_service(f, "web");
	struct plan plan = {0};
	fixture_listen(web, "192.0.2.1", 80, 80);
	fixture_real(web, ROLE_REAL, "a", "10.0.0.2", 8080, 1);
	f->model.lan.n_interfaces = 0;
	fixture_build(f, &plan);
	cr_assert_eq(plan.services.n, 1);
	cr_expect_gt(fixture_pool_of(&plan, 0, FAM_4, 0), 0);
	cr_expect_eq(plan_find_set(&plan, "vip4")->elems.n, 1);
	cr_assert(plan.default_group < plan.groups.n && plan.default_own_group < plan.groups.n);
	cr_expect_eq(plan.groups.v[plan.default_group].members.n, 0);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		cr_expect_gt(plan.groups.v[plan.default_group].n_slots[fam], 0);
		cr_expect_eq(plan.groups.v[plan.default_group].tier[fam], 0);
	}
	cr_expect_eq(plan.routes.n, 0);
	cr_expect_eq(plan_find_set(&plan, "class")->elems.n, 0);
	cr_expect_eq(plan_find_set(&plan, "hairpin")->elems.n, 0);
	vec_each(&plan.iprules, rule)
		cr_expect(rule->table == 0 || rule->suppress_default, "no table of a gateway");
	plan_free(&plan);
	fixture_free(f);
}
