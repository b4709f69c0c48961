// SPDX-License-Identifier: GPL-2.0-or-later
// A kernel that writes down what it is told, and refuses the n-th operation.
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "gwd/base/err.h"
#include "gwd/core/apply.h"
#include "gwd/core/diff.h"
#include "test/unit/fixture.h"

struct kernel {
	size_t calls;  // transactions and single operations
	size_t refuse; // which of them, from 1; 0: none
	VEC(enum op_kind) done;
	bool in_transaction[OP_ROUTE_DEL + 1];
	enum op_kind refused; // the first of what was refused
};

static int kernel_take(struct kernel *kernel, const struct op *ops, size_t n, bool transaction,
		       struct err *err)
{
	if (++kernel->calls == kernel->refuse) {
		kernel->refused = ops->kind;
		return err_set(err, EBUSY, "refused");
	}
	for (size_t i = 0; i < n; i++) {
		vec_push(&kernel->done, ops[i].kind);
		kernel->in_transaction[ops[i].kind] = transaction;
	}
	return 0;
}

static int kernel_transaction(void *arg, const struct plan *to, const struct op *ops, size_t n,
			      struct err *err)
{
	(void)to;
	return kernel_take(arg, ops, n, true, err);
}

static int kernel_single(void *arg, const struct op *op, struct err *err)
{
	return kernel_take(arg, op, 1, false, err);
}

// A gateway dies and another one is removed: every kind of operation but OP_TABLE_DEL and OP_PINS_CLEAR.
static int kernel_ends(void *arg, const struct op *ops, size_t n, struct err *err)
{
	return kernel_take(arg, ops, n, false, err);
}

struct change {
	struct fixture *fixture;
	struct plan from, to;
	struct ops ops;
};

static void change_begin(struct change *change)
{
	memset(change, 0, sizeof(*change));
	change->fixture = fixture_new(4);
	for (size_t i = 0; i < 4; i++)
		fixture_verdict(change->fixture, i, STATE_UP);
	fixture_build(change->fixture, &change->from);
	fixture_verdict(change->fixture, 1, STATE_DOWN);
	change->fixture->model.n_gateways = 3;
	change->fixture->balances[0].n_uses = 3;
	fixture_build(change->fixture, &change->to);
	change->from.sysctls.n = 0;
	plan_diff(&change->ops, &change->from, &change->to);
}

static void change_end(struct change *change)
{
	ops_free(&change->ops);
	plan_free(&change->from);
	plan_free(&change->to);
	fixture_free(change->fixture);
}

static int change_apply(struct change *change, struct kernel *kernel, struct err *minor, struct err *err)
{
	const struct apply_backend backend = {kernel_transaction, kernel_single, kernel_ends, kernel};
	return apply_ops(&backend, &change->to, &change->ops, minor, err);
}

static bool kernel_did(const struct kernel *kernel, enum op_kind kind)
{
	vec_each(&kernel->done, did)
		if (*did == kind)
			return true;
	return false;
}

Test(apply, does_all_in_order_and_the_table_in_transactions)
{
	struct change change;
	struct kernel kernel = {0};
	struct err minor, err;
	change_begin(&change);
	cr_assert_eq(change_apply(&change, &kernel, &minor, &err), 0);
	cr_expect_str_empty(minor.text);
	cr_assert_eq(kernel.done.n, change.ops.op.n);
	for (size_t i = 0; i < kernel.done.n; i++)
		cr_expect_eq(kernel.done.v[i], change.ops.op.v[i].kind);
	cr_expect(kernel.in_transaction[OP_CHAINS] && kernel.in_transaction[OP_ELEM_DEL] &&
		  kernel.in_transaction[OP_SWEEP]);
	cr_expect(kernel_did(&kernel, OP_SYSCTL) && !kernel.in_transaction[OP_SYSCTL]);
	cr_expect(kernel_did(&kernel, OP_FLUSH) && !kernel.in_transaction[OP_FLUSH]);
	cr_expect(kernel_did(&kernel, OP_ROUTE_DEL) && !kernel.in_transaction[OP_ROUTE_DEL]);
	cr_expect_lt(kernel.calls, kernel.done.n);
	vec_free(&kernel.done);
	change_end(&change);
}

static bool is_table(enum op_kind kind)
{
	return kind >= OP_CHAINS && kind <= OP_TABLE_DEL;
}

// Each operation in turn is the one that is refused.
Test(apply, a_refused_transaction_ends_it_anything_else_does_not)
{
	struct change change;
	struct kernel whole = {0};
	struct err minor, err;
	change_begin(&change);
	cr_assert_eq(change_apply(&change, &whole, &minor, &err), 0);
	for (size_t refuse = 1; refuse <= whole.calls; refuse++) {
		struct kernel kernel = {.refuse = refuse};
		int r = change_apply(&change, &kernel, &minor, &err);
		if (is_table(kernel.refused)) {
			cr_expect_eq(r, -EBUSY);
			cr_expect_str_eq(err.text, "refused");
			cr_expect_eq(kernel.calls, refuse);
			cr_expect(!kernel_did(&kernel, OP_FLUSH), "flows are ended that nobody takes");
		} else {
			cr_expect_eq(r, 0);
			cr_expect_str_eq(minor.text, "refused");
			cr_expect_eq(kernel.done.n, change.ops.op.n - 1, "not all of the rest was done");
		}
		vec_free(&kernel.done);
	}
	vec_free(&whole.done);
	change_end(&change);
}

Test(apply, a_refused_sysctl_comes_again)
{
	struct change change;
	struct kernel kernel = {.refuse = 1};
	struct err minor, err;
	struct ops again = {0};
	struct plan wanted = {0};
	change_begin(&change);
	cr_assert_eq(change.ops.op.v[0].kind, OP_SYSCTL);
	cr_assert_eq(change_apply(&change, &kernel, &minor, &err), 0);
	fixture_build(change.fixture, &wanted);
	plan_diff(&again, &change.to, &wanted);
	cr_assert_eq(again.op.n, 1);
	cr_expect_eq(again.op.v[0].kind, OP_SYSCTL);
	cr_expect_str_eq(again.op.v[0].sysctl->path, wanted.sysctls.v[0].path);
	ops_free(&again);
	plan_free(&wanted);
	vec_free(&kernel.done);
	change_end(&change);
}
