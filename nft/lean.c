// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/lean.h"

#include <linux/if_ether.h>
#include <string.h>

#include "nft/expr.h"
#include "nft/rule.h"

struct lean {
	VEC(struct nftnl_expr *) exprs;
};

static bool lean_is(const struct nftnl_expr *expr, const char *name)
{
	return !strcmp(nftnl_expr_get_str(expr, NFTNL_EXPR_NAME), name);
}

static void lean_read(struct lean *lean, const struct rule *rule)
{
	struct nftnl_expr_iter *iter = nftnl_expr_iter_create(rule->nl);
	struct nftnl_expr *expr;
	if (!iter)
		abort();
	while ((expr = nftnl_expr_iter_next(iter)))
		vec_push(&lean->exprs, expr);
	nftnl_expr_iter_destroy(iter);
}

static void lean_drop(struct lean *lean, size_t i, size_t n)
{
	for (size_t k = i; k < i + n; k++) {
		nftnl_rule_del_expr(lean->exprs.v[k]);
		nftnl_expr_free(lean->exprs.v[k]);
	}
	memmove(lean->exprs.v + i, lean->exprs.v + i + n, (lean->exprs.n - i - n) * sizeof(*lean->exprs.v));
	lean->exprs.n -= n;
}

// ---- the family ----------------------------------------------------------------------------------

// nft takes back a plain field as what is put into a map or hashed, not as what is looked up or compared.
static bool lean_uses_address(const struct nftnl_expr *expr)
{
	return !lean_is(expr, "payload") && !lean_is(expr, "bitwise") && !lean_is(expr, "immediate") &&
	       !lean_is(expr, "meta") && !lean_is(expr, "ct");
}

static bool lean_takes_field(const struct nftnl_expr *expr)
{
	return lean_is(expr, "dynset") || lean_is(expr, "hash");
}

static bool lean_is_address(const struct nftnl_expr *expr)
{
	return lean_is(expr, "payload") &&
	       nftnl_expr_get_u32(expr, NFTNL_EXPR_PAYLOAD_BASE) == NFT_PAYLOAD_NETWORK_HEADER;
}

static bool lean_is_family(const struct lean *lean, size_t i)
{
	const struct nftnl_expr *load = lean->exprs.v[i], *cmp;
	if (i + 1 >= lean->exprs.n || !lean_is(load, "meta") || !lean_is(lean->exprs.v[i + 1], "cmp"))
		return false;
	cmp = lean->exprs.v[i + 1];
	return nftnl_expr_is_set(load, NFTNL_EXPR_META_DREG) &&
	       nftnl_expr_get_u32(load, NFTNL_EXPR_META_KEY) == NFT_META_NFPROTO &&
	       nftnl_expr_get_u32(cmp, NFTNL_EXPR_CMP_OP) == NFT_CMP_EQ;
}

static bool lean_takes_fields(const struct lean *lean)
{
	bool address = false;
	for (size_t i = 0; i < lean->exprs.n; i++) {
		const struct nftnl_expr *expr = lean->exprs.v[i];
		if (lean_is_address(expr)) {
			if (address) // two of them: nft asks for their types
				return false;
			address = true;
		} else if (address && lean_uses_address(expr)) {
			if (!lean_takes_field(expr))
				return false;
			address = false;
		}
	}
	return true;
}

static void lean_family(struct lean *lean)
{
	if (!lean_takes_fields(lean))
		return;
	for (size_t i = 0; i < lean->exprs.n; i++)
		if (lean_is_family(lean, i)) {
			lean_drop(lean, i, 2);
			return;
		}
}

// ---- marks ---------------------------------------------------------------------------------------

// A mark is copied: loaded, masked, stored; then asked for.
static bool lean_is_copy(const struct lean *lean, size_t i)
{
	struct nftnl_expr *const *expr = lean->exprs.v + i;
	return i + 3 < lean->exprs.n && lean_is(expr[0], "ct") &&
	       nftnl_expr_is_set(expr[0], NFTNL_EXPR_CT_DREG) && lean_is(expr[1], "bitwise") &&
	       lean_is(expr[2], "meta") && nftnl_expr_is_set(expr[2], NFTNL_EXPR_META_SREG) &&
	       lean_is(expr[3], "meta") && nftnl_expr_is_set(expr[3], NFTNL_EXPR_META_DREG) &&
	       nftnl_expr_get_u32(expr[2], NFTNL_EXPR_META_KEY) ==
		       nftnl_expr_get_u32(expr[3], NFTNL_EXPR_META_KEY) &&
	       nftnl_expr_get_u32(expr[2], NFTNL_EXPR_META_SREG) ==
		       nftnl_expr_get_u32(expr[3], NFTNL_EXPR_META_DREG);
}

static void lean_copies(struct lean *lean)
{
	for (size_t i = 0; i < lean->exprs.n; i++)
		if (lean_is_copy(lean, i))
			lean_drop(lean, i + 3, 1);
}

void lean_rule(struct rule *rule)
{
	struct lean lean = {0};
	lean_read(&lean, rule);
	if (rule->only != FAM_COUNT)
		lean_family(&lean);
	lean_copies(&lean);
	vec_free(&lean.exprs);
}
