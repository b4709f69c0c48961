// SPDX-License-Identifier: GPL-2.0-or-later
// A flow belongs to a gateway from here on: its id is stamped on connection and packet.
#include "gwd/core/names.h"
#include "nft/chains.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

static void chain_stamp(struct rule *rule, enum rule_mark mark, const struct plan *plan,
			const struct plan_gateway *gw)
{
	rule_mark_stamp(rule, mark, ~plan->mark_mask, gw->mark);
}

void chain_take(struct rule *rule, const struct plan *plan, const struct plan_gateway *gw, bool marked)
{
	char name[PLAN_NAME_SIZE];
	chain_stamp(rule, RULE_MARK_CT, plan, gw);
	if (!marked)
		chain_stamp(rule, RULE_MARK_PACKET, plan, gw);
	rule_counter(rule, name_counter(name, gw));
	rule_accept(rule);
}

// Two rules: what is invalid has no connection to be stamped, which ends the first. Nothing comes
// after `in`, also where it was jumped to (`marked`): a probe would be balanced.
static void chain_in(struct chain *chain, const struct plan *plan, const struct plan_gateway *gw)
{
	chain_stamp(chain_rule(chain), RULE_MARK_CT, plan, gw);
	struct rule *rule = chain_rule(chain);
	chain_stamp(rule, RULE_MARK_PACKET, plan, gw);
	rule_accept(rule);
}

void chains_gateway(struct ruleset *ruleset, const struct plan *plan)
{
	char name[PLAN_NAME_SIZE];
	vec_each(&plan->gateways, gw) {
		chain_in(ruleset_chain(ruleset, name_gateway_chain(name, "in", gw)), plan, gw);
		chain_take(chain_rule(ruleset_chain(ruleset, name_gateway_chain(name, "take", gw))), plan, gw,
			   false);
	}
}
