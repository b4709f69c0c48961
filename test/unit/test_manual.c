// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/manual.h"

#include <criterion/criterion.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/core/diff.h"
#include "test/unit/fixture.h"

#define NOON "2026-01-01 12:00:00 UTC"

static bool set(struct manual *manual, const char *name, enum manual_change change, unsigned weight)
{
	return manual_set(manual, name, change, weight, NOON);
}

Test(manual, changes_add_up_and_what_is_undone_is_forgotten)
{
	struct manual manual = {0};
	char text[MANUAL_TEXT];
	cr_expect(!set(&manual, "fiber", MANUAL_ENABLE, 0));
	cr_expect(!set(&manual, "fiber", MANUAL_WEIGHT_FILE, 0));
	cr_expect_eq(manual.entries.n, 0);
	cr_expect(set(&manual, "fiber", MANUAL_WEIGHT, 5));
	cr_expect(!set(&manual, "fiber", MANUAL_WEIGHT, 5));
	cr_expect_str_eq(manual_text(manual_find(&manual, "fiber"), text),
			 "weight 5 by the operator since " NOON);
	cr_expect_eq(manual_weight(manual_find(&manual, "fiber"), 3), 5);
	cr_expect(set(&manual, "fiber", MANUAL_DRAIN, 0));
	cr_expect_eq(manual_weight(manual_find(&manual, "fiber"), 3), 0);
	cr_expect(set(&manual, "fiber", MANUAL_DISABLE, 0));
	cr_expect_str_eq(manual_text(manual_find(&manual, "fiber"), text),
			 "disabled by the operator since " NOON);
	cr_expect(set(&manual, "fiber", MANUAL_ENABLE, 0));
	cr_expect(set(&manual, "fiber", MANUAL_UNDRAIN, 0));
	cr_expect_eq(manual_weight(manual_find(&manual, "fiber"), 3), 5);
	cr_expect(set(&manual, "fiber", MANUAL_WEIGHT_FILE, 0));
	cr_expect_null(manual_find(&manual, "fiber"));
	cr_expect_eq(manual_weight(NULL, 3), 3);
	cr_expect_str_eq(manual_text(NULL, text), "");
	manual_free(&manual);
}

Test(manual, is_read_back_as_it_was_written)
{
	struct manual manual = {0}, back = {0};
	struct buf text = {0}, again = {0};
	set(&manual, "fiber", MANUAL_WEIGHT, 5);
	set(&manual, "fiber", MANUAL_DRAIN, 0);
	set(&manual, "dsl", MANUAL_DISABLE, 0);
	manual_write(&manual, &text);
	cr_expect_str_eq(buf_text(&text), "fiber drained weight=5 since=" NOON "\n"
					  "dsl disabled since=" NOON "\n");
	cr_expect_eq(manual_read(&back, buf_text(&text)), 0);
	manual_write(&back, &again);
	cr_expect_str_eq(buf_text(&again), buf_text(&text));
	buf_free(&text);
	buf_free(&again);
	manual_free(&manual);
	manual_free(&back);
}

Test(manual, lines_that_make_no_sense_are_skipped)
{
	static const char *const lines[] = {
		"fiber",
		"fiber since=now",
		"fiber dancing since=now",
		"fiber weight= since=now",
		"fiber weight=70000 since=now",
		" since=now",
		"a-name-that-is-much-longer-than-any-name-can-be disabled since=now"};
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct manual manual = {0};
		cr_expect_eq(manual_read(&manual, lines[i]), 1, "%s", lines[i]);
		cr_expect_eq(manual.entries.n, 0, "%s", lines[i]);
		manual_free(&manual);
	}
	struct manual manual = {0};
	cr_expect_eq(manual_read(&manual, "a disabled since=x\na drained since=y\nb drained since=z\n"), 1);
	cr_expect_eq(manual.entries.n, 2);
	manual_free(&manual);
}

// ---- what the plan makes of it -----------------------------------------------------------------

static size_t flushes(const struct plan *from, const struct plan *to, const char *gateway)
{
	struct ops ops = {0};
	size_t n = 0;
	plan_diff(&ops, from, to);
	vec_each(&ops.op, op) {
		cr_expect_neq(op->kind, OP_CHAINS, "the chains needn't be touched");
		n += op->kind == OP_FLUSH && !strcmp(op->flush.gateway, gateway);
	}
	ops_free(&ops);
	return n;
}

Test(manual, disabled_is_as_dead_though_it_answers)
{
	struct fixture *f = fixture_new(3);
	struct plan before = {0}, after = {0};
	fixture_build(f, &before);
	set(&f->manual, "g1", MANUAL_DISABLE, 0);
	fixture_build(f, &after);
	const struct plan_gateway *gw = &after.gateways.v[0];
	cr_expect_eq(gw->state, STATE_DISABLED);
	cr_expect_str_eq(gw->reason, "disabled by the operator since " NOON);
	cr_expect_eq(flushes(&before, &after, "g1"), 2);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		cr_expect_eq(fixture_slots_of(&after, "default", fam, "g1"), 0);
		cr_expect_eq(fixture_slots_of(&after, "default", fam, "g2"), 40);
	}
	plan_free(&before);
	plan_free(&after);
	fixture_free(f);
}

Test(manual, a_dead_gateway_that_is_disabled_says_so)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	fixture_verdict(f, 0, STATE_DOWN);
	set(&f->manual, "g1", MANUAL_DISABLE, 0);
	fixture_build(f, &plan);
	cr_expect_eq(plan.gateways.v[0].state, STATE_DISABLED);
	plan_free(&plan);
	fixture_free(f);
}

Test(manual, drained_takes_nobody_new_keeps_its_clients_and_the_chains)
{
	struct fixture *f = fixture_new(3);
	struct plan before = {0}, after = {0};
	f->balances[0].persistence_ms = 300000;
	fixture_build(f, &before);
	set(&f->manual, "g1", MANUAL_DRAIN, 0);
	fixture_build(f, &after);
	const struct plan_gateway *gw = &after.gateways.v[0];
	cr_expect_eq(gw->state, STATE_DRAIN);
	cr_expect_eq(gw->weight, 0);
	cr_expect_str_eq(gw->reason, "drained by the operator since " NOON "; so says the test");
	cr_expect_eq(flushes(&before, &after, "g1"), 0);
	cr_expect_eq(fixture_slots_of(&after, "default", FAM_4, "g1"), 0);
	cr_expect_eq(fixture_slots_of(&after, "default", FAM_4, "g2"), 40);
	cr_expect_eq(plan_find_set(&after, "live4.default")->elems.n, 3); // its pins are still good
	plan_free(&before);
	plan_free(&after);
	fixture_free(f);
}

Test(manual, weight_counts_in_every_balance)
{
	struct fixture *f = fixture_new(3);
	struct plan plan = {0};
	set(&f->manual, "g3", MANUAL_WEIGHT, 5);
	fixture_build(f, &plan);
	cr_expect_eq(fixture_slots_of(&plan, "default", FAM_4, "g1"), 18);
	cr_expect_eq(fixture_slots_of(&plan, "default", FAM_4, "g2"), 12);
	cr_expect_eq(fixture_slots_of(&plan, "default", FAM_4, "g3"), 30);
	cr_expect_eq(plan.gateways.v[2].weight, 5);
	cr_expect_eq(plan.gateways.v[2].state, STATE_UP);
	cr_expect_str_eq(plan.gateways.v[2].manual, "weight 5 by the operator since " NOON);
	plan_free(&plan);
	fixture_free(f);
}

Test(manual, what_is_set_for_a_name_that_is_not_configured_waits)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	set(&f->manual, "later", MANUAL_DISABLE, 0);
	fixture_build(f, &plan);
	cr_expect_eq(plan.gateways.v[0].state, STATE_UP);
	cr_expect_not_null(manual_find(&f->manual, "later"));
	plan_free(&plan);
	fixture_free(f);
}
