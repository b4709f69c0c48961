// SPDX-License-Identifier: GPL-2.0-or-later
// Rules by way of a map: whatever the rules, the same one matches first, and few are asked.
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/core/cut.h"
#include "gwd/core/plan.h"

static void random_prefix(struct prefix *out, int af)
{
	uint8_t bytes[16];
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(rand() % 3 ? rand() % 2 * 255 : rand() % 4); // both ends, and neighbours
	out->addr = addr_from(af, bytes);
	unsigned most = af == AF_INET ? 32 : 128;
	out->len = (uint8_t)(rand() % 40 ? most - (unsigned)rand() % (most - 4) : (unsigned)rand() % 5);
	addr_mask(&out->addr, out->len);
}

static void add_rule(struct plan *plan, bool own)
{
	struct plan_rule rule = {.own = own, .by_name = rand() % 20 == 0};
	struct prefix prefix;
	for (int i = rand() % 3; i--;) {
		random_prefix(&prefix, rand() % 4 ? AF_INET : AF_INET6);
		vec_push(&rule.from, prefix);
	}
	for (int i = rand() % 8 ? 1 + rand() % 3 : 0; i--;) {
		random_prefix(&prefix, rand() % 4 ? AF_INET : AF_INET6);
		vec_push(&rule.to, prefix);
	}
	for (int i = rand() % 3; i--;) {
		uint16_t first = (uint16_t)(rand() % 5 ? rand() % 40 : 0);
		struct model_ports ports = {first, (uint16_t)(rand() % 5 ? first + rand() % 9 : 65535)};
		vec_push(&rule.ports, ports);
	}
	vec_push(&plan->rules, rule);
}

static bool in_prefixes(const struct prefix *prefixes, size_t n, const struct addr *addr)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_contains(&prefixes[i], addr))
			return true;
	return !n;
}

// The packet's value of the field is one that the rule wants.
static bool wants(const struct plan_rule *rule, enum cut_field field, const struct addr *addr, uint16_t port)
{
	switch (field) {
	case CUT_TO:
		return rule->by_name || in_prefixes(rule->to.v, rule->to.n, addr);
	case CUT_FROM:
		return in_prefixes(rule->from.v, rule->from.n, addr);
	case CUT_PORT:
		vec_each(&rule->ports, ports)
			if (port >= ports->first && port <= ports->last)
				return true;
		return !rule->ports.n;
	case CUT_NONE:
		break;
	}
	return true;
}

static bool has_family(const struct prefix *prefixes, size_t n, enum fam fam)
{
	for (size_t i = 0; i < n; i++)
		if (addr_fam(&prefixes[i].addr) == fam)
			return true;
	return !n;
}

static bool possible(const struct plan_rule *rule, bool own, enum fam fam)
{
	return rule->own == own && has_family(rule->from.v, rule->from.n, fam) &&
	       (rule->by_name || has_family(rule->to.v, rule->to.n, fam));
}

// What is asked for this value is exactly what may match it, in file order.
static void check_value(const struct cut *cut, const struct plan *plan, bool own, enum fam fam,
			const struct addr *addr, uint16_t port)
{
	uint16_t net = htons(port);
	unsigned size = cut->field == CUT_PORT ? 2 : fam == FAM_4 ? 4 : 16;
	const void *value = cut->field == CUT_PORT ? (const void *)&net : addr->b;
	const size_t *asked = cut->rest.v;
	size_t n = cut->rest.n, at = 0;
	vec_each(&cut->parts, part)
		if (memcmp(part->first, value, size) <= 0 && memcmp(value, part->last, size) <= 0) {
			asked = cut->lists.v[part->list].rules.v;
			n = cut->lists.v[part->list].rules.n;
		}
	for (size_t i = 0; i < plan->rules.n; i++) {
		const struct plan_rule *rule = &plan->rules.v[i];
		if (!possible(rule, own, fam) || !wants(rule, cut->field, addr, port))
			continue;
		cr_assert(at < n && asked[at] == i, "rule %zu is not asked in its turn", i);
		at++;
	}
	cr_assert_eq(at, n, "%zu rules are asked for nothing", n - at);
}

static void check_order(const struct cut *cut, unsigned size)
{
	for (size_t i = 0; i < cut->parts.n; i++) {
		cr_assert(memcmp(cut->parts.v[i].first, cut->parts.v[i].last, size) <= 0);
		cr_assert(i == 0 || memcmp(cut->parts.v[i - 1].last, cut->parts.v[i].first, size) < 0);
	}
}

static size_t check_side(const struct plan *plan, bool own, enum fam fam)
{
	struct cut cut = {0};
	cut_make(&cut, plan, own, fam);
	check_order(&cut, cut.field == CUT_PORT ? 2 : fam == FAM_4 ? 4 : 16);
	for (int i = 0; cut.field != CUT_NONE && i < 300; i++) {
		struct prefix prefix;
		random_prefix(&prefix, fam_af(fam));
		struct addr addr = rand() % 2 ? prefix.addr : prefix_last(&prefix);
		if (rand() % 3 == 0)
			addr_bytes_next(addr.b, addr_size(&addr));
		check_value(&cut, plan, own, fam, &addr, (uint16_t)(rand() % 9 ? rand() % 60 : 65535));
	}
	size_t made = cut.field != CUT_NONE;
	cut_free(&cut);
	return made;
}

Test(cut, the_same_rules_are_asked_in_the_same_order)
{
	size_t made = 0;
	srand(1);
	for (int round = 0; round < 1500; round++) {
		struct plan plan = {0};
		for (int n = rand() % 60; n--;)
			add_rule(&plan, rand() % 3 == 0);
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
			made += check_side(&plan, false, fam);
			made += check_side(&plan, true, fam);
		}
		plan_free(&plan);
	}
	cr_expect_gt(made, 200, "hardly ever anything to check");
}

static void add_to(struct plan *plan, const char *to)
{
	struct plan_rule rule = {0};
	struct prefix prefix;
	cr_assert(prefix_parse(to, &prefix));
	vec_push(&rule.to, prefix);
	vec_push(&plan->rules, rule);
}

// 512 rules for as many networks: one to ask; and a handful is left as it is.
Test(cut, hundreds_become_one)
{
	struct plan plan = {0};
	struct cut cut = {0};
	char text[32];
	for (int i = 0; i < CUT_LEAST - 1; i++)
		add_to(&plan, "10.0.0.0/8");
	cut_make(&cut, &plan, false, FAM_4);
	cr_expect_eq(cut.field, CUT_NONE);
	for (int i = 0; i < 512; i++) {
		snprintf(text, sizeof(text), "20.%d.%d.0/24", i / 256, i % 256);
		add_to(&plan, text);
	}
	cut_make(&cut, &plan, false, FAM_4);
	cr_expect_eq(cut.field, CUT_TO);
	cr_expect_eq(cut.parts.n, 513);
	cr_expect_eq(cut.rest.n, 0);
	vec_each(&cut.lists, list)
		cr_expect_leq(list->rules.n, CUT_LEAST);
	cut_free(&cut);
	cut_make(&cut, &plan, false, FAM_6); // none of them is of this family
	cr_expect_eq(cut.field, CUT_NONE);
	cut_free(&cut);
	plan_free(&plan);
}
