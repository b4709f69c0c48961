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
	if (chain->hook)
		buf_printf(out, "\t\ttype %s hook %s; policy accept;\n", chain->hook->type,
			   chain->hook->where);
	vec_each(&chain->rules, rule)
		buf_printf(out, "\t\t%s\n", buf_text(&(*rule)->text));
	buf_puts(out, "\t}\n");
}

void nft_text(const struct plan *plan, struct buf *out)
{
	struct ruleset ruleset = {0};
	ruleset_build(&ruleset, plan);
	buf_puts(out, "table inet " NFT_TABLE " {\n");
	vec_each(&ruleset.counters, counter)
		buf_printf(out, "\tcounter %s {\n\t}\n", counter->name);
	vec_each(&ruleset.helpers, helper)
		buf_printf(out, "\tct helper %s {\n\t\ttype \"%s\" protocol tcp\n\t}\n", helper->name,
			   helper->name);
	vec_each(&plan->sets, set) {
		buf_puts(out, "\n");
		set_text(set, out);
	}
	vec_each(&ruleset.chains, chain)
		text_chain(*chain, out);
	buf_puts(out, "}\n");
	ruleset_free(&ruleset);
}
