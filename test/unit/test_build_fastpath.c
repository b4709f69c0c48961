// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/core/build.h"
#include "gwd/core/diff.h"
#include "gwd/core/plan.h"
#include "nft/nft.h"
#include "test/unit/fixture.h"

static void build(struct fixture *f, struct plan *plan, bool flowtable)
{
	struct build_input input = {.model = &f->model,
				    .facts = &f->facts,
				    .verdicts = (const struct verdict(*)[FAM_COUNT])f->verdicts,
				    .flowtable = flowtable,
				    .ids = &f->ids};
	plan_build(plan, &input);
}

static bool has_device(const struct plan *plan, const char *name, uint32_t index)
{
	const struct plan_set *set = plan_find_set(plan, "fast");
	for (size_t i = 0; set && i < set->elems.n; i++)
		if (!memcmp(set->elems.v[i].key, &index, sizeof(index)))
			return !strcmp((const char *)set->elems.v[i].last, name);
	return false;
}

static size_t count(const struct ops *ops, enum op_kind kind, const char *set)
{
	size_t n = 0;
	vec_each(&ops->op, op)
		n += op->kind == kind && (!set || !strcmp(op->set->name, set));
	return n;
}

Test(build_fastpath, only_where_the_kernel_has_it_and_the_operator_wants_it)
{
	struct fixture *f = fixture_new(2);
	struct plan with = {0}, without = {0}, off = {0};
	build(f, &with, true);
	build(f, &without, false);
	f->model.globals.fastpath = false;
	build(f, &off, true);
	cr_expect(plan_find_set(&with, "fast") && plan_find_set(&with, "fastmark"));
	cr_expect(!plan_find_set(&without, "fast") && !plan_find_set(&without, "fastmark"));
	cr_expect(!plan_find_set(&off, "fast"));
	cr_expect_eq(off.shape, without.shape);
	cr_expect_neq(with.shape, without.shape);
	plan_free(&with);
	plan_free(&without);
	plan_free(&off);
	fixture_free(f);
}

Test(build_fastpath, devices_are_those_that_exist)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	f->lan = "la*";
	snprintf(fixture_iface(f, "wan2")->name, 16, "other");
	build(f, &plan, true);
	cr_expect(has_device(&plan, "lan0", fixture_iface(f, "lan0")->index));
	cr_expect(has_device(&plan, "wan1", fixture_iface(f, "wan1")->index));
	cr_expect_eq(plan_find_set(&plan, "fast")->elems.n, 2);
	plan_free(&plan);
	fixture_free(f);
}

// No new chains, one device out, one in.
Test(build_fastpath, a_recreated_device_is_another_one)
{
	struct fixture *f = fixture_new(2);
	struct plan before = {0}, after = {0};
	struct ops ops = {0};
	build(f, &before, true);
	fixture_iface(f, "wan1")->index = 77;
	build(f, &after, true);
	plan_diff(&ops, &before, &after);
	cr_expect_eq(count(&ops, OP_ELEM_DEL, "fast"), 1);
	cr_expect_eq(count(&ops, OP_ELEM_ADD, "fast"), 1);
	cr_expect_eq(count(&ops, OP_CHAINS, NULL), 0);
	ops_free(&ops);
	plan_free(&before);
	plan_free(&after);
	fixture_free(f);
}

Test(build_fastpath, only_flows_of_usable_gateways_are_taken)
{
	struct fixture *f = fixture_new(3);
	struct plan plan = {0};
	fixture_verdict(f, 1, STATE_DOWN);
	build(f, &plan, true);
	const struct plan_set *marks = plan_find_set(&plan, "fastmark");
	cr_assert_eq(marks->elems.n, 2);
	for (size_t i = 0; i < marks->elems.n; i++)
		cr_expect(memcmp(marks->elems.v[i].key, &plan.gateways.v[1].mark, 4) != 0);
	plan_free(&plan);
	fixture_free(f);
}

Test(build_fastpath, as_text)
{
	struct fixture *f = fixture_new(1);
	struct plan plan = {0};
	struct buf text = {0};
	build(f, &plan, true);
	nft_text(&plan, &text);
	cr_expect(strstr(buf_text(&text), "	flowtable fast {\n"
					  "		hook ingress priority filter\n"
					  "		devices = { \"lan0\", \"wan1\" }\n"
					  "		counter\n"
					  "	}\n"));
	cr_expect(strstr(buf_text(&text), "flow add @fast\n"), "%s", buf_text(&text));
	buf_free(&text);
	plan_free(&plan);
	fixture_free(f);
}
