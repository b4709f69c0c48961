// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "gwd/core/names.h"
#include "test/unit/fixture.h"

static const struct plan_elem *find(const struct plan *plan, const char *set_name, const void *key,
				    size_t size)
{
	const struct plan_set *set = plan_find_set(plan, set_name);
	cr_assert_not_null(set, "no set %s", set_name);
	vec_each(&set->elems, elem)
		if (!memcmp(elem->key, key, size))
			return elem;
	return NULL;
}

static const char *chain_of(const struct plan *plan, const char *set_name, const char *ifname)
{
	char key[16] = {0};
	strncpy(key, ifname, 15);
	const struct plan_elem *elem = find(plan, set_name, key, sizeof(key));
	return elem ? elem->chain : "(none)";
}

Test(build, weights_become_slots_in_both_families)
{
	struct fixture *f = fixture_new(3);
	struct plan plan = {0};
	fixture_build(f, &plan);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		cr_assert_eq(fixture_slots_of(&plan, "default", fam, "g1"), 30);
		cr_assert_eq(fixture_slots_of(&plan, "default", fam, "g2"), 20);
		cr_assert_eq(fixture_slots_of(&plan, "default", fam, "g3"), 10);
	}
	plan_free(&plan);
	fixture_free(f);
}

Test(build, a_death_changes_elements_but_not_the_shape_and_moves_flows)
{
	struct fixture *f = fixture_new(3);
	struct plan before = {0}, after = {0};
	fixture_build(f, &before);
	fixture_verdict(f, 0, STATE_DOWN);
	fixture_build(f, &after);
	cr_assert_eq(before.shape, after.shape);
	cr_assert_eq(fixture_slots_of(&after, "default", FAM_4, "g1"), 0);
	cr_assert_eq(fixture_slots_of(&after, "default", FAM_4, "g2"), 40);
	cr_assert(after.gateways.v[0].move_flows[FAM_4] && !before.gateways.v[0].move_flows[FAM_4]);
	cr_assert_eq(after.gateways.v[0].state, STATE_DOWN);
	cr_assert_str_eq(after.gateways.v[0].reason, "so says the test");
	cr_assert_eq(before.routes.n, after.routes.n); // its probes need them
	plan_free(&before);
	plan_free(&after);
	fixture_free(f);
}

Test(build, flows_stay_where_they_are_when_nobody_could_take_them)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	fixture_verdict(f, 0, STATE_DOWN);
	fixture_verdict(f, 1, STATE_DOWN);
	fixture_build(f, &plan);
	cr_assert(!plan.gateways.v[0].move_flows[FAM_4] && !plan.gateways.v[1].move_flows[FAM_4]);
	cr_assert_eq(plan_find_set(&plan, "slot4.default.60")->elems.n, 0);
	plan_free(&plan);
	fixture_free(f);
}

Test(build, one_family_may_die_alone)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	f->verdicts[0][FAM_6].state = STATE_DOWN;
	strcpy(f->verdicts[0][FAM_6].reason, "no answer");
	fixture_build(f, &plan);
	cr_assert_eq(fixture_slots_of(&plan, "default", FAM_4, "g1"), 40);
	cr_assert_eq(fixture_slots_of(&plan, "default", FAM_6, "g1"), 0);
	cr_assert(plan.gateways.v[0].move_flows[FAM_6] && !plan.gateways.v[0].move_flows[FAM_4]);
	cr_assert_eq(plan.gateways.v[0].state, STATE_UP);
	cr_assert_str_eq(plan.gateways.v[0].reason, "IPv4: so says the test; IPv6: no answer");
	plan_free(&plan);
	fixture_free(f);
}

Test(build, persistence_makes_pins_and_a_draining_gateway_keeps_its_clients)
{
	struct fixture *f = fixture_new(3);
	struct plan plan = {0};
	f->balances[0].persistence_ms = 300000;
	f->gateways[1].weight = f->uses[1].weight = 0;
	fixture_verdict(f, 2, STATE_DOWN);
	fixture_build(f, &plan);
	cr_assert(plan_find_set(&plan, "pin4.default")->dynamic);
	cr_assert_null(plan_find_set(&plan, "pin4.default.own"));
	const struct plan_set *live = plan_find_set(&plan, "live4.default");
	cr_assert_eq(live->elems.n, 2);
	char name[PLAN_NAME_SIZE];
	cr_assert_str_eq(find(&plan, "live4.default", &plan.gateways.v[0].mark, 4)->chain,
			 "keep4.default.g1");
	cr_assert_str_eq(find(&plan, "live4.default", &plan.gateways.v[1].mark, 4)->chain,
			 name_gateway_chain(name, "take", &plan.gateways.v[1]));
	cr_assert_eq(plan.gateways.v[1].state, STATE_DRAIN);
	plan_free(&plan);
	fixture_free(f);
}

Test(build, interfaces_are_classed_by_name_wildcards_by_what_exists)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	const char *lans[] = {"wan*", "lan*", "later0"};
	f->model.lan.interfaces = lans;
	f->model.lan.n_interfaces = 3;
	fixture_build(f, &plan);
	char in[PLAN_NAME_SIZE];
	cr_assert_str_eq(chain_of(&plan, "class", "lan0"), "lan");
	cr_assert_str_eq(chain_of(&plan, "class", "later0"), "lan");
	cr_assert_str_eq(chain_of(&plan, "class", "wan1"), name_gateway_chain(in, "in", &plan.gateways.v[0]));
	plan_free(&plan);
	fixture_free(f);
}

Test(build, gateways_on_one_segment_are_told_apart_by_mac)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	f->gateways[1].interface = "wan1";
	addr_parse("100.64.1.200", &f->gateways[1].address[FAM_4]);
	f->gateways[1].addr_mode[FAM_6] = ADDR_MODE_NONE;
	struct fact_neigh neigh = {.index = fixture_iface(f, "wan1")->index, .mac = {2, 0, 0, 0, 0, 9}};
	addr_parse("100.64.1.200", &neigh.addr);
	vec_push(&f->facts.neighs, neigh);
	fixture_build(f, &plan);
	cr_assert_str_eq(chain_of(&plan, "class", "wan1"), "shared");
	uint8_t key[24] = "wan1";
	memcpy(key + 16, neigh.mac, 6);
	char in[PLAN_NAME_SIZE];
	const struct plan_set *mac = plan_find_set(&plan, "mac");
	cr_assert_eq(mac->elems.n, 1); // the other one is not resolved yet
	cr_assert_str_eq(find(&plan, "mac", key, sizeof(key))->chain,
			 name_gateway_chain(in, "in", &plan.gateways.v[1]));
	plan_free(&plan);
	fixture_free(f);
}

Test(build, tables_hold_their_default_and_never_fall_through)
{
	struct fixture *f = fixture_new(1);
	struct plan plan = {0};
	fixture_iface(f, "wan1")->up = false;
	fixture_build(f, &plan);
	cr_assert_eq(plan.routes.n, 2); // one unreachable route for each family is all that is left
	vec_each(&plan.routes, route)
		cr_assert(route->type == PLAN_ROUTE_UNREACHABLE &&
			  route->table == 1000 + plan.gateways.v[0].id);
	plan_free(&plan);
	fixture_iface(f, "wan1")->up = true;
	fixture_build(f, &plan);
	cr_assert_eq(plan.routes.n, 6); // table, main and unreachable, twice
	cr_assert_eq(plan.iprules.n,
		     10); // for each family: unmarked, lan0, main, the mark, the end
	const struct plan_iprule *rule = plan.iprules.v;
	cr_assert(rule[0].priority == 10000 && !rule[0].mark && rule[0].mask &&
		  rule[0].skip_to == rule[4].priority);
	cr_assert(!strcmp(rule[1].iif, "lan0") && rule[1].skip_to == rule[3].priority);
	cr_assert(rule[2].suppress_default && rule[2].priority < rule[3].priority);
	cr_assert(rule[3].mark == plan.gateways.v[0].mark && rule[3].priority > rule[2].priority);
	cr_assert(!rule[4].table && !rule[4].skip_to);
	plan_free(&plan);
	fixture_free(f);
}

static void main_net(struct fixture *f, const char *to, uint32_t metric, bool local)
{
	struct fact_net net = {.metric = metric, .oif = 1, .local = local};
	cr_assert(prefix_parse(to, &net.to));
	vec_push(&f->facts.nets, net);
}

static size_t thrown_count(const struct plan *plan, enum fam fam)
{
	size_t n = 0;
	vec_each(&plan->routes, route)
		n += route->type == PLAN_ROUTE_THROW && route->fam == fam;
	return n;
}

static bool lan_skips_main(const struct plan *plan, enum fam fam)
{
	vec_each(&plan->iprules, rule)
		if (rule->fam == fam && rule->iif[0])
			return true;
	return false;
}

// Whatever is inside is near; what is not near need not be looked for there.
Test(build, near_are_the_first_bytes_of_what_is_inside)
{
	struct fixture *f = fixture_new(1);
	struct plan plan = {0};
	main_net(f, "0.0.0.0/0", 0, false);
	f->facts.nets.v[0].oif = fixture_iface(f, "wan1")->index;
	main_net(f, "10.1.0.0/16", 0, false);
	main_net(f, "10.7.0.0/16", 0, false);
	main_net(f, "126.0.0.0/7", 0, false);
	main_net(f, "192.168.1.1/32", 0, true);
	fixture_build(f, &plan);
	const struct plan_set *near = plan_find_set(&plan, "byte4");
	static const uint8_t first[] = {10, 126, 127, 192};
	cr_assert_eq(near->elems.n, ARRAY_SIZE(first) + 16 + 1); // multicast, and 255
	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		cr_assert_eq(near->elems.v[i].key[0], first[i]);
	for (size_t i = 0; i < near->elems.n; i++)
		cr_assert_eq(near->elems.v[i].key[1], 0);
	plan_free(&plan);
	fixture_free(f);
}

static bool guarded(const struct plan *plan, const char *to)
{
	struct prefix prefix;
	cr_assert(prefix_parse(to, &prefix));
	vec_each(&plan->routes, route)
		if (plan_route_is_guard(route) && route->to.len == prefix.len &&
		    addr_equal(&route->to.addr, &prefix.addr))
			return route->metric == PLAN_METRIC_LAST;
	return false;
}

// For the moment when its route goes: nothing on its way there may leave by a WAN.
Test(build, a_guard_stands_behind_each_route_to_what_is_inside)
{
	struct fixture *f = fixture_new(1);
	struct plan plan = {0};
	size_t n = 0;
	fixture_iface(f, "lan0")->index = 77;
	static const char *const inside[] = {"10.1.0.0/16", "10.7.0.0/16", "fd00:10::/64"};
	static const char *const others[] = {"0.0.0.0/0", "fe80::/64", "10.1.0.1/32", "198.18.0.0/15",
					     "100.64.1.0/24"};
	for (size_t i = 0; i < ARRAY_SIZE(inside); i++)
		main_net(f, inside[i], 0, false);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		main_net(f, others[i], 0, i == 2);
	vec_each(&f->facts.nets, net)
		net->oif = 77;
	f->facts.nets.v[1].oif = 4242; // the interface is gone, and the route kept
	snprintf(f->facts.nets.v[1].ifname, sizeof(f->facts.nets.v[1].ifname), "lan9");
	f->facts.nets.v[6].oif = 0;            // refused
	main_net(f, "100.64.1.2/32", 0, true); // a link's own address: for late answers
	f->facts.nets.v[8].oif = fixture_iface(f, "wan1")->index;
	f->facts.nets.v[7].oif = fixture_iface(f, "wan1")->index;
	fixture_build(f, &plan);
	for (size_t i = 0; i < ARRAY_SIZE(inside); i++)
		cr_expect(guarded(&plan, inside[i]), "%s", inside[i]);
	vec_each(&plan.routes, route)
		n += plan_route_is_guard(route);
	cr_expect_eq(n, ARRAY_SIZE(inside));
	n = 0;
	vec_each(&plan.routes, late)
		n += late->metric == PLAN_METRIC_LATE && late->to.len == 32 &&
		     late->type == PLAN_ROUTE_BLACKHOLE;
	cr_expect_eq(n, 1);
	plan_free(&plan);
	fixture_free(f);
}

// What main has a route for goes back to it from each gateway's table, or else main is asked before.
Test(build, the_lan_skips_main_where_the_tables_know_what_is_main_s)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	char to[PREFIX_TEXT];
	main_net(f, "0.0.0.0/0", 0, false);
	main_net(f, "10.0.0.0/8", 0, false);
	main_net(f, "10.0.0.0/8", 100, false); // the same place
	main_net(f, "10.1.0.0/16", 0, false);
	main_net(f, "10.1.0.1/32", 0, true);
	main_net(f, "2001:db8:1::/48", 0, false);
	fixture_build(f, &plan);
	cr_assert_eq(thrown_count(&plan, FAM_4), 2 * 2);
	cr_assert_eq(thrown_count(&plan, FAM_6), 2 * 1);
	cr_assert(lan_skips_main(&plan, FAM_4) && lan_skips_main(&plan, FAM_6));
	vec_each(&plan.routes, route)
		cr_assert(route->type != PLAN_ROUTE_THROW || route->table == 1000 + plan.gateways.v[0].id ||
			  route->table == 1000 + plan.gateways.v[1].id);
	plan_free(&plan);
	for (unsigned i = 0; i < 600; i++) {
		snprintf(to, sizeof(to), "172.16.%u.%u/32", i / 256, i % 256);
		main_net(f, to, 0, false);
	}
	fixture_build(f, &plan);
	cr_assert(!thrown_count(&plan, FAM_4) && !lan_skips_main(&plan, FAM_4), "too many");
	cr_assert(thrown_count(&plan, FAM_6) && lan_skips_main(&plan, FAM_6));
	plan_free(&plan);
	f->facts.policy_routed = true;
	fixture_build(f, &plan);
	cr_assert(!thrown_count(&plan, FAM_6) && !lan_skips_main(&plan, FAM_6), "others have a say");
	plan_free(&plan);
	fixture_free(f);
}

Test(build, rules_lead_to_groups_and_a_gateway_rule_makes_its_own)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	f->rules[0] = (struct model_rule){.name = "r1", .target = RULE_GATEWAY, .gateway = 1, .strict = true};
	f->rules[1] = (struct model_rule){.name = "r2", .target = RULE_BYPASS};
	f->rules[2] = (struct model_rule){.name = "r3", .target = RULE_GATEWAY, .gateway = 1, .own = true};
	f->rules[3] = (struct model_rule){.name = "r4", .target = RULE_GATEWAY, .gateway = 1};
	f->rules[4] = (struct model_rule){.name = "r5", .target = RULE_GATEWAY, .gateway = 1};
	f->model.n_rules = 5;
	fixture_build(f, &plan);
	cr_assert_str_eq(plan.groups.v[plan.rules.v[0].group].name, "sole.g2");
	cr_assert(plan.rules.v[1].bypass);
	cr_assert_str_eq(plan.groups.v[plan.rules.v[2].group].name, "via.g2.own");
	cr_assert_str_eq(plan.groups.v[plan.rules.v[3].group].name, "via.g2");
	cr_assert_eq(plan.rules.v[4].group, plan.rules.v[3].group);
	cr_assert_str_eq(plan.groups.v[plan.default_own_group].name, "default.own");
	cr_assert_eq(fixture_slots_of(&plan, "via.g2", FAM_4, "g2"), 1);
	plan_free(&plan);
	fixture_free(f);
}

Test(build, the_shape_follows_what_chains_are_made_from)
{
	struct fixture *f = fixture_new(2);
	struct plan base = {0}, other = {0};
	fixture_build(f, &base);
	f->gateways[0].snat[FAM_4].mode = SNAT_NONE;
	fixture_build(f, &other);
	cr_assert_neq(base.shape, other.shape);
	plan_free(&other);
	f->gateways[0].snat[FAM_4].mode = SNAT_MASQUERADE;
	fixture_build(f, &other);
	cr_assert_eq(base.shape, other.shape);
	plan_free(&other);
	f->balances[0].persistence_ms = 1000;
	fixture_build(f, &other);
	cr_assert_neq(base.shape, other.shape);
	plan_free(&base);
	plan_free(&other);
	fixture_free(f);
}
