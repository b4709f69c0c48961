// SPDX-License-Identifier: GPL-2.0-or-later
// Whether somebody else changed the ruleset, as its generation tells: in a network namespace of its own.
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "gwd/core/diff.h"
#include "nft/nft.h"
#include "test/unit/fixture.h"
#include "test/unit/nft_netns.h"

static void apply(struct nft *nft, const struct plan *from, const struct plan *to)
{
	struct ops ops = {0};
	struct err err;
	size_t n = 0;
	plan_diff(&ops, from, to);
	vec_each(&ops.op, op)
		if (op->kind >= OP_CHAINS && op->kind <= OP_TABLE_DEL)
			ops.op.v[n++] = *op;
	cr_assert_gt(n, 0);
	cr_assert_eq(nft_apply(nft, to, ops.op.v, n, &err), 0, "%s", err.text);
	ops_free(&ops);
}

static void read_back(struct nft *nft)
{
	struct plan read = {0};
	struct err err;
	cr_assert_eq(nft_read(nft, &read, &err), 0, "%s", err.text);
	plan_free(&read);
}

Test(nft_known, our_own_changes_are_known_and_nobody_elses)
{
	static const struct plan nothing;
	struct fixture *f = fixture_new(2);
	struct plan one = {0}, other = {0};
	struct err err;
	nft_netns_enter();
	struct nft *nft = nft_open(&err);
	cr_assert_not_null(nft, "%s", err.text);
	cr_expect_not(nft_is_known(nft), "never read");
	read_back(nft);
	cr_expect(nft_is_known(nft));
	fixture_build(f, &one);
	apply(nft, &nothing, &one);
	cr_expect(nft_is_known(nft), "after the first load");
	fixture_verdict(f, 0, STATE_DOWN);
	fixture_build(f, &other);
	apply(nft, &one, &other);
	cr_expect(nft_is_known(nft), "after a change");
	cr_assert_eq(system("nft add table inet theirs"), 0);
	cr_expect_not(nft_is_known(nft), "somebody's table");
	read_back(nft);
	cr_expect(nft_is_known(nft));
	nft_close(nft);
	plan_free(&one);
	plan_free(&other);
	fixture_free(f);
}

// The first transaction that is refused forgets the generation; the next may not take it as it finds it.
Test(nft_known, a_refused_change_is_not_the_end_of_doubt)
{
	static const struct plan nothing;
	struct fixture *f = fixture_new(2);
	struct plan one = {0}, other = {0};
	struct ops ops = {0};
	struct err err;
	size_t n = 0;
	nft_netns_enter();
	struct nft *nft = nft_open(&err);
	cr_assert_not_null(nft, "%s", err.text);
	fixture_build(f, &one);
	apply(nft, &nothing, &one);
	read_back(nft);
	fixture_verdict(f, 0, STATE_DOWN);
	fixture_build(f, &other);
	cr_assert_eq(system("nft add table inet theirs"), 0);
	plan_diff(&ops, &one, &other);
	vec_each(&ops.op, op)
		if (op->kind >= OP_CHAINS && op->kind <= OP_TABLE_DEL)
			ops.op.v[n++] = *op;
	cr_expect_eq(nft_apply(nft, &other, ops.op.v, n, &err), -ERESTART);
	cr_expect_eq(nft_apply(nft, &other, ops.op.v, n, &err), 0, "%s", err.text);
	cr_expect_not(nft_is_known(nft), "what they did was never read");
	read_back(nft);
	cr_expect(nft_is_known(nft));
	ops_free(&ops);
	nft_close(nft);
	plan_free(&one);
	plan_free(&other);
	fixture_free(f);
}
