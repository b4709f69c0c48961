// SPDX-License-Identifier: GPL-2.0-or-later
// The table of a plan as input for `nft -f`.
#include "gwd/base/buf.h"
#include "nft/nft.h"
#include "nft/rule.h"
#include "nft/ruleset.h"
#include "nft/set.h"
#include "nft/table.h"

static void text_chain(const struct chain *chain, struct buf *out)
{
	buf_printf(out, "\n\tchain %s {\n", chain->name);
	if (chain->device)
		buf_printf(out, "\t\ttype %s hook ingress device \"%.16s\" %s; policy accept;\n",
			   chain->hook->type, (const char *)chain->device->last, chain->hook->where);
	else if (chain->hook)
		buf_printf(out, "\t\ttype %s hook %s; policy accept;\n", chain->hook->type,
			   chain->hook->where);
	vec_each(&chain->rules, rule)
		buf_printf(out, "\t\t%s\n", buf_text(&(*rule)->text));
	buf_puts(out, "\t}\n");
}

static void text_objects(const struct ruleset *ruleset, struct buf *out)
{
	vec_each(&ruleset->counters, counter)
		buf_printf(out, "\tcounter %s {\n\t}\n", counter->name);
	vec_each(&ruleset->helpers, helper)
		buf_printf(out, "\tct helper %s {\n\t\ttype \"%s\" protocol tcp\n\t}\n", helper->name,
			   helper->name);
}

static void text_table(const struct plan *plan, const struct ruleset *ruleset, enum plan_table table,
		       struct buf *out)
{
	buf_printf(out, "table %s {\n", table_text(table));
	if (table == PLAN_INET)
		text_objects(ruleset, out);
	vec_each(&plan->sets, set) {
		if (set->table != table || set->ingress)
			continue;
		buf_puts(out, "\n");
		set_text(set, out);
	}
	vec_each(&ruleset->chains, chain)
		if ((*chain)->table == table)
			text_chain(*chain, out);
	buf_puts(out, "}\n");
}

void nft_text(const struct plan *plan, struct buf *out)
{
	struct ruleset ruleset = {0};
	ruleset_build(&ruleset, plan);
	text_table(plan, &ruleset, PLAN_INET, out);
	if (plan->netdev) {
		buf_puts(out, "\n");
		text_table(plan, &ruleset, PLAN_NETDEV, out);
	}
	ruleset_free(&ruleset);
}
