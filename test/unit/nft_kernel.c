// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/unit/nft_kernel.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "gwd/core/diff.h"
#include "gwd/core/plan.h"
#include "nft/nft.h"

const struct plan kernel_nothing;

bool kernel_does(const char *command)
{
	char line[1024];
	snprintf(line, sizeof(line), "{ %s; } >/dev/null 2>&1", command);
	return system(line) == 0;
}

struct nft *kernel_open(void)
{
	struct err err;
	struct nft *nft = nft_open(&err);
	cr_assert_not_null(nft, "%s", err.text);
	return nft;
}

int kernel_apply(struct nft *nft, const struct plan *from, const struct plan *to, struct err *err)
{
	struct op only[4096];
	struct ops ops = {0};
	size_t n = 0;
	err->text[0] = 0;
	plan_diff(&ops, from, to);
	vec_each(&ops.op, op)
		if (op->kind >= OP_CHAINS && op->kind <= OP_TABLE_DEL && n < ARRAY_SIZE(only))
			only[n++] = *op;
	int code = nft_apply(nft, to, only, n, err);
	ops_free(&ops);
	return code;
}

void kernel_must_apply(struct nft *nft, const struct plan *from, const struct plan *to)
{
	struct err err;
	int code = kernel_apply(nft, from, to, &err);
	cr_assert_eq(code, 0, "%d: %s", code, err.text);
}

// What is read back differs in nothing from the plan.
void kernel_expect(struct nft *nft, const struct plan *plan)
{
	char text[256] = "";
	struct err err;
	struct plan read = {0};
	struct ops ops = {0};
	int code = nft_drop_rest(nft, &err);
	cr_assert_eq(code, 0, "%d: %s", code, err.text);
	code = nft_read(nft, &read, &err);
	cr_assert_eq(code, 0, "%d: %s", code, err.text);
	plan_diff(&ops, &read, plan);
	size_t n = 0;
	vec_each(&ops.op, op) {
		if (op->kind < OP_CHAINS || op->kind > OP_TABLE_DEL)
			continue;
		if (!n++)
			op_text(op, text, sizeof(text));
	}
	cr_expect_eq(n, 0, "%zu operations would be left, the first: %s", n, text);
	cr_expect_eq(read.active, plan->active);
	ops_free(&ops);
	plan_free(&read);
}
