// SPDX-License-Identifier: GPL-2.0-or-later
// Inbound services in the plan: who takes the next connection, whose pins hold, and what a change costs.
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "gwd/core/names.h"
#include "gwd/core/ramp.h"
#include "test/unit/fixture.h"

// Two reals, weights 3 and 1, a backup and a sorry server, on 198.51.100.10:80.
static struct model_service *web(struct fixture *f)
{
	struct model_service *web = fixture_service(f, "web");
	fixture_listen(web, "198.51.100.10", 80, 80);
	fixture_real(web, ROLE_REAL, "www1", "10.0.0.11", 8080, 3);
	fixture_real(web, ROLE_REAL, "www2", "10.0.0.12", 8080, 1);
	fixture_real(web, ROLE_BACKUP, "far", "203.0.113.80", 8080, 1);
	fixture_real(web, ROLE_SORRY, "sorry", "10.0.0.19", 8080, 1);
	return web;
}

static void build(struct fixture *f, struct plan *plan)
{
	plan_free(plan);
	*plan = (struct plan){0};
	fixture_build(f, plan);
}

static void expect_pool(const struct plan *plan, const unsigned want[4])
{
	for (size_t i = 0; i < 4; i++) {
		unsigned n = fixture_pool_of(plan, 0, FAM_4, i);
		cr_expect_eq(n, want[i], "%s has %u slots, not %u", plan->services.v[0].reals.v[i].name, n,
			     want[i]);
	}
}

static bool has(const struct plan *plan, const char *set_name, const char *chain)
{
	const struct plan_set *set = plan_find_set(plan, set_name);
	cr_assert_not_null(set, "no set %s", set_name);
	vec_each(&set->elems, elem)
		if (!strcmp(elem->chain, chain))
			return true;
	return false;
}

Test(service, reals_then_the_backup_then_sorry_then_nobody)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	web(f);
	build(f, &plan);
	uint64_t shape = plan.shape;
	cr_expect(!plan.services.v[0].by_real && !plan.services.v[0].keep_port);
	expect_pool(&plan, (const unsigned[]){45, 15, 0, 0});
	fixture_real_verdict(f, 0, 0, STATE_DOWN);
	build(f, &plan);
	expect_pool(&plan, (const unsigned[]){0, 60, 0, 0});
	fixture_real_verdict(f, 0, 1, STATE_DOWN);
	build(f, &plan);
	expect_pool(&plan, (const unsigned[]){0, 0, 60, 0});
	fixture_real_verdict(f, 0, 2, STATE_DOWN);
	build(f, &plan);
	expect_pool(&plan, (const unsigned[]){0, 0, 0, 60});
	fixture_real_verdict(f, 0, 3, STATE_DOWN);
	build(f, &plan);
	expect_pool(&plan, (const unsigned[]){0, 0, 0, 0});
	cr_expect_eq(plan.services.v[0].tier[FAM_4], 0);
	fixture_real_verdict(f, 0, 1, STATE_UP);
	build(f, &plan);
	expect_pool(&plan, (const unsigned[]){0, 60, 0, 0});
	cr_expect_eq(plan.shape, shape, "who is alive is elements only");
	plan_free(&plan);
	fixture_free(f);
}

Test(service, a_member_that_comes_or_goes_is_elements_only_in_a_plain_service)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	struct model_service *s = fixture_service(f, "web");
	fixture_listen(s, "198.51.100.10", 80, 80);
	for (int i = 0; i < 3; i++)
		fixture_real(s, ROLE_REAL, (const char *const[]){"a", "b", "c"}[i],
			     (const char *const[]){"10.0.0.11", "10.0.0.12", "10.0.0.13"}[i], 8080, 1);
	build(f, &plan);
	uint64_t shape = plan.shape;
	s->n_reals = 2;
	build(f, &plan);
	cr_expect_eq(plan.shape, shape);
	fixture_listen(s, "198.51.100.11", 80, 80);
	build(f, &plan);
	cr_expect_eq(plan.shape, shape, "a listener is an element");
	plan_free(&plan);
	fixture_free(f);
}

Test(service, weights_manual_drain_and_slow_start)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	web(f);
	build(f, &plan);
	uint64_t shape = plan.shape;
	expect_pool(&plan, (const unsigned[]){45, 15, 0, 0});
	f->real_now[0][0].held = RAMP_FULL / 3 * 2;
	build(f, &plan);
	expect_pool(&plan, (const unsigned[]){15, 45, 0, 0});
	cr_expect_str_eq(plan.services.v[0].reals.v[0].reason, "not probed; slow-start: 33% of its share");
	f->real_now[0][0].held = RAMP_FULL - 1;
	build(f, &plan);
	expect_pool(&plan, (const unsigned[]){1, 59, 0, 0});
	f->real_now[0][1].held = RAMP_FULL - 1; // both alike: both have all
	build(f, &plan);
	expect_pool(&plan, (const unsigned[]){45, 15, 0, 0});
	f->real_now[0][0].held = f->real_now[0][1].held = 0;
	cr_assert(manual_set(&f->manual, "web/www1", MANUAL_DRAIN, 0, "now"));
	build(f, &plan);
	expect_pool(&plan, (const unsigned[]){0, 60, 0, 0});
	cr_expect_eq(plan.services.v[0].reals.v[0].state, STATE_DRAIN);
	cr_expect(plan.services.v[0].reals.v[0].usable, "its flows may end in peace");
	cr_expect_eq(plan.shape, shape);
	plan_free(&plan);
	fixture_free(f);
}

// ---- pins --------------------------------------------------------------------------------------

Test(service, pins_hold_while_their_real_is_usable_and_never_lead_to_backup_or_sorry)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	web(f)->persistence_ms = 60000;
	build(f, &plan);
	cr_expect(plan.services.v[0].by_real);
	expect_pool(&plan, (const unsigned[]){45, 15, 0, 0});
	cr_expect(has(&plan, "pool4.web.60", "real4.web.www1"));
	cr_expect(has(&plan, "held4.web", "held4.web.www1") && has(&plan, "heldct4.web", "heldct4.web.www1"));
	cr_expect(!has(&plan, "held4.web", "held4.web.far") && !has(&plan, "held4.web", "held4.web.sorry"));
	f->services[0].reals[0].weight = 0; // drains: its clients stay
	build(f, &plan);
	cr_expect(has(&plan, "held4.web", "held4.web.www1"));
	fixture_real_verdict(f, 0, 0, STATE_DOWN);
	build(f, &plan);
	cr_expect(!has(&plan, "held4.web", "held4.web.www1"), "void at once");
	cr_expect(has(&plan, "held4.web", "held4.web.www2"));
	fixture_real_verdict(f, 0, 1, STATE_DOWN);
	build(f, &plan);
	cr_expect(has(&plan, "pool4.web.60", "to4.web.far"), "straight to it, past the pins");
	plan_free(&plan);
	fixture_free(f);
}

Test(service, a_real_keeps_its_id_over_reorder_and_reload)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	web(f);
	build(f, &plan);
	uint32_t id = plan.services.v[0].reals.v[0].id, other = plan.services.v[0].reals.v[1].id;
	struct model_real first = f->reals[0][0];
	f->reals[0][0] = f->reals[0][1];
	f->reals[0][1] = first;
	build(f, &plan);
	cr_expect_eq(plan.services.v[0].reals.v[1].id, id);
	cr_expect(id && other && id != other);
	plan_free(&plan);
	fixture_free(f);
}

// ---- thresholds --------------------------------------------------------------------------------

static const char *gate(const struct plan *plan, uint32_t index)
{
	const struct plan_set *set = plan_find_set(plan, "gate4.web");
	cr_assert_not_null(set);
	vec_each(&set->elems, elem)
		if (!memcmp(elem->key, &index, sizeof(index)))
			return elem->chain;
	return "";
}

Test(service, who_has_no_place_is_passed_over_in_order)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	struct model_service *s = web(f);
	s->reals[0].max_connections = 100;
	build(f, &plan);
	uint64_t shape = plan.shape;
	const struct plan_set *places = plan_find_set(&plan, "place4.web.www1.100");
	cr_assert(places && places->size == 100 && places->dynamic && places->timeless);
	cr_expect(plan_find_set(&plan, "pool4.web.60.jump")->jump);
	cr_expect_str_eq(gate(&plan, 0), "real4.web.www1");
	cr_expect_str_eq(gate(&plan, 1), "to4.web.www2");
	cr_expect_str_eq(gate(&plan, 2), "to4.web.far");
	cr_expect_str_eq(gate(&plan, 3), "to4.web.sorry");
	fixture_real_verdict(f, 0, 0, STATE_DEGRADED);
	fixture_real_verdict(f, 0, 2, STATE_DOWN);
	build(f, &plan);
	cr_expect_str_eq(gate(&plan, 0), "to4.web.www2");
	cr_expect_str_eq(gate(&plan, 1), "to4.web.sorry", "a degraded one is the last resort");
	cr_expect_str_eq(gate(&plan, 2), "real4.web.www1");
	cr_expect_str_eq(gate(&plan, 3), "");
	s->reals[1].weight = 0; // drains
	fixture_real_verdict(f, 0, 0, STATE_UP);
	f->real_now[0][0].full = true;
	build(f, &plan);
	cr_expect_str_eq(gate(&plan, 0), "to4.web.sorry");
	cr_expect_str_eq(gate(&plan, 1), "");
	expect_pool(&plan, (const unsigned[]){0, 0, 0, 60});
	cr_expect_eq(plan.shape, shape);
	plan_free(&plan);
	fixture_free(f);
}

Test(service, a_full_real_is_back_when_it_has_room_and_its_pins_are_void_meanwhile)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	struct model_service *s = web(f);
	s->persistence_ms = 60000;
	s->reals[0].max_connections = s->reals[1].max_connections = 10;
	f->real_now[0][0].full = true;
	build(f, &plan);
	expect_pool(&plan, (const unsigned[]){0, 60, 0, 0});
	cr_expect(!has(&plan, "held4.web", "held4.web.www1") && has(&plan, "held4.web", "held4.web.www2"));
	cr_expect(plan.services.v[0].reals.v[0].usable, "its connections go on");
	cr_expect(strstr(plan.services.v[0].reals.v[0].reason, "max-connections reached"));
	f->real_now[0][1].full = true;
	build(f, &plan);
	expect_pool(&plan, (const unsigned[]){0, 0, 60, 0});
	f->real_now[0][0].full = false;
	build(f, &plan);
	expect_pool(&plan, (const unsigned[]){60, 0, 0, 0});
	plan_free(&plan);
	fixture_free(f);
}

Test(service, a_failover_service_overflows_by_weight)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	struct model_service *s = web(f);
	s->scheduler = SCHED_FO;
	s->reals[1].weight = 9;
	s->reals[0].max_connections = s->reals[1].max_connections = 10;
	build(f, &plan);
	cr_expect_str_eq(gate(&plan, 0), "real4.web.www2");
	cr_expect_str_eq(gate(&plan, 1), "real4.web.www1");
	plan_free(&plan);
	fixture_free(f);
}

// ---- forms -------------------------------------------------------------------------------------

Test(service, families_are_served_by_reals_of_their_own)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	struct model_service *s = fixture_service(f, "dns");
	fixture_listen(s, "198.51.100.10", 53, 53);
	fixture_listen(s, "2001:db8::10", 53, 53);
	fixture_real(s, ROLE_REAL, "four", "10.0.0.11", 0, 1);
	fixture_real(s, ROLE_REAL, "six", "fd00::11", 0, 1);
	build(f, &plan);
	cr_expect_eq(fixture_pool_of(&plan, 0, FAM_4, 0), 60);
	cr_expect_eq(fixture_pool_of(&plan, 0, FAM_6, 1), 60);
	cr_expect(!plan.services.v[0].reals.v[0].fam[FAM_6] && !plan.services.v[0].reals.v[1].fam[FAM_4]);
	cr_expect_eq(plan.services.v[0].reals.v[0].port, 53, "all listeners have one port: it is the real's");
	plan_free(&plan);
	fixture_free(f);
}

Test(service, reals_that_keep_the_port_and_reals_that_do_not_need_chains)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	struct model_service *s = fixture_service(f, "mixed");
	fixture_listen(s, "198.51.100.10", 80, 80);
	fixture_listen(s, "198.51.100.10", 443, 443);
	fixture_real(s, ROLE_REAL, "keeps", "10.0.0.11", 0, 1);
	build(f, &plan);
	cr_expect(!plan.services.v[0].by_real && plan.services.v[0].keep_port);
	fixture_real(s, ROLE_REAL, "maps", "10.0.0.12", 8080, 1);
	build(f, &plan);
	cr_expect(plan.services.v[0].by_real);
	s->n_reals = 1;
	fixture_real(s, ROLE_REAL, "here", NULL, 8080, 1);
	build(f, &plan);
	cr_expect(plan.services.v[0].by_real && has(&plan, "pool4.mixed.60", "to4.mixed.here"));
	plan_free(&plan);
	fixture_free(f);
}

Test(service, single_ports_are_elements_and_wide_ones_are_not)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	uint8_t both[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct model_service *s = fixture_service(f, "wide");
	s->protocols = both;
	s->n_protocols = 2;
	fixture_listen(s, "198.51.100.10", 80, 80);
	fixture_listen(s, "198.51.100.10", 1000, 2000);
	fixture_listen(s, "198.51.100.11", 0, MODEL_PORT_ANY_LAST);
	fixture_real(s, ROLE_REAL, "a", "10.0.0.11", 0, 1)->forward = FORWARD_FULLNAT;
	build(f, &plan);
	cr_expect_eq(plan_find_set(&plan, "vip4")->elems.n, 2);
	cr_expect_eq(plan_find_set(&plan, "fullnat4")->elems.n, 2);
	cr_expect_eq(plan_find_set(&plan, "vip6")->elems.n, 0);
	uint64_t shape = plan.shape;
	s->listens[1].last = 2001;
	build(f, &plan);
	cr_expect_neq(plan.shape, shape, "a range is a rule");
	plan_free(&plan);
	fixture_free(f);
}

Test(service, hairpin_pairs_are_the_lan)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	web(f);
	build(f, &plan);
	const struct plan_set *set = plan_find_set(&plan, "hairpin");
	cr_assert_eq(set->elems.n, 1);
	cr_expect_str_eq((const char *)set->elems.v[0].key, "lan0");
	cr_expect_str_eq((const char *)set->elems.v[0].key + 16, "lan0");
	plan_free(&plan);
	fixture_free(f);
}

// Maglev's promise: when one of n goes, only its share moves; when it returns, everything is as it was.
Test(service, mh_moves_least)
{
	struct fixture *f = fixture_new(2);
	struct plan before = {0}, after = {0}, again = {0};
	struct model_service *s = fixture_service(f, "hash");
	char names[10][4], addresses[10][16];
	s->scheduler = SCHED_MH;
	fixture_listen(s, "198.51.100.10", 80, 80);
	for (unsigned i = 0; i < 10; i++) {
		snprintf(names[i], sizeof(names[i]), "r%u", i);
		snprintf(addresses[i], sizeof(addresses[i]), "10.0.0.%u", 10 + i);
		fixture_real(s, ROLE_REAL, names[i], addresses[i], 80, 1);
	}
	build(f, &before);
	fixture_real_verdict(f, 0, 4, STATE_DOWN);
	build(f, &after);
	fixture_real_verdict(f, 0, 4, STATE_UP);
	build(f, &again);
	const struct plan_set *a = plan_find_set(&before, "pool4.hash.509.port"),
			      *b = plan_find_set(&after, "pool4.hash.509.port"),
			      *c = plan_find_set(&again, "pool4.hash.509.port");
	unsigned moved = 0;
	cr_assert(a && b && c && a->elems.n == 509 && b->elems.n == 509 && c->elems.n == 509);
	for (size_t i = 0; i < 509; i++) {
		moved += memcmp(a->elems.v[i].last, b->elems.v[i].last, 4) != 0;
		cr_assert_arr_eq(a->elems.v[i].last, c->elems.v[i].last, 4);
	}
	cr_expect_eq(moved, fixture_pool_of(&before, 0, FAM_4, 4), "%u of 509 slots moved", moved);
	plan_free(&before);
	plan_free(&after);
	plan_free(&again);
	fixture_free(f);
}
