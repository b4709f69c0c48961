// SPDX-License-Identifier: GPL-2.0-or-later
// What is left of a rule when it is sent: as libnftnl prints it. (That nft lists it and takes the listing again, see
// test_nft_apply.c.)
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "nft/expr.h"
#include "nft/lean.h"
#include "nft/rule.h"

static uint32_t ids = 1;

static struct rule *rule_of(enum fam only)
{
	struct rule *rule = rule_new(PLAN_INET, "c", &ids);
	rule->only = only;
	return rule;
}

// The expressions' names, one after the other, are these after as before, but for what is left out.
static void expect(struct rule *rule, const char *before, const char *after)
{
	for (int lean = 0; lean < 2; lean++) {
		char names[256] = "";
		struct nftnl_expr_iter *iter = nftnl_expr_iter_create(rule->nl);
		struct nftnl_expr *expr;
		while ((expr = nftnl_expr_iter_next(iter)))
			snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
				 *names ? " " : "", nftnl_expr_get_str(expr, NFTNL_EXPR_NAME));
		nftnl_expr_iter_destroy(iter);
		cr_expect_str_eq(names, lean ? after : before);
		lean_rule(rule);
	}
	rule_free(rule);
}

static const struct rule_client client = {.fam = FAM_4, .mask = 24, .by = PERSIST_SOURCE};

Test(lean, whose_family_is_known_is_not_asked_for_it_where_a_pin_is_written)
{
	struct rule *rule = rule_of(FAM_4);
	rule_pin_update(rule, &client, "pin4.a", 1000, 1);
	rule_accept(rule);
	expect(rule, "meta cmp payload bitwise immediate dynset immediate",
	       "payload bitwise immediate dynset immediate");
}

Test(lean, nor_where_a_source_is_hashed)
{
	struct rule *rule = rule_of(FAM_6);
	rule_draw_vmap(rule, RULE_DRAW_SOURCE, FAM_6, 7, "slot6.a");
	expect(rule, "meta cmp payload hash lookup", "payload hash lookup");
}

Test(lean, other_chains_ask)
{
	struct rule *rule = rule_of(FAM_COUNT);
	rule_pin_update(rule, &client, "pin4.a", 1000, 1);
	expect(rule, "meta cmp payload bitwise immediate dynset",
	       "meta cmp payload bitwise immediate dynset");
}

Test(lean, what_nft_could_not_take_back_stays)
{
	const struct rule_client both = {.fam = FAM_4, .mask = 32, .by = PERSIST_SOURCE_DESTINATION};
	struct rule *rule = rule_of(FAM_4);
	rule_pin_lookup(rule, &client, "pin4.a", RULE_MARK_PACKET);
	expect(rule, "meta cmp payload bitwise lookup meta", "meta cmp payload bitwise lookup meta");
	rule = rule_of(FAM_4);
	rule_addr_in_set(rule, FAM_4, RULE_DESTINATION, RULE_IS, "inside4");
	expect(rule, "meta cmp payload lookup", "meta cmp payload lookup");
	rule = rule_of(FAM_4);
	rule_pin_update(rule, &both, "pin4sd.a", 1000, 1);
	expect(rule, "meta cmp payload payload immediate dynset",
	       "meta cmp payload payload immediate dynset");
}

Test(lean, a_copied_mark_is_in_its_register)
{
	struct rule *rule = rule_of(FAM_COUNT);
	rule_mark_copy(rule, RULE_MARK_PACKET, RULE_MARK_CT, 0xff000000);
	rule_mark_match(rule, RULE_MARK_PACKET, UINT32_MAX, RULE_IS_NOT, 0);
	rule_accept(rule);
	expect(rule, "ct bitwise meta meta cmp immediate", "ct bitwise meta cmp immediate");
	rule = rule_of(FAM_COUNT); // the connection's mark is not what was copied
	rule_mark_copy(rule, RULE_MARK_PACKET, RULE_MARK_CT, 0xff000000);
	rule_mark_match(rule, RULE_MARK_CT, UINT32_MAX, RULE_IS_NOT, 0);
	expect(rule, "ct bitwise meta ct cmp", "ct bitwise meta ct cmp");
}

// nft lists a map's result only where it was put.
Test(lean, a_mark_from_a_map_is_loaded_again)
{
	struct rule *rule = rule_of(FAM_4);
	rule_pin_lookup(rule, &client, "pin4.a", RULE_MARK_PACKET);
	rule_mark_vmap(rule, RULE_MARK_PACKET, UINT32_MAX, "live4.a");
	expect(rule, "meta cmp payload bitwise lookup meta meta lookup",
	       "meta cmp payload bitwise lookup meta meta lookup");
}
