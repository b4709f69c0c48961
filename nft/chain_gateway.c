// SPDX-License-Identifier: GPL-2.0-or-later
// A flow belongs to a gateway from here on: its id is stamped on connection and packet.
#include "gwd/core/names.h"
#include "nft/chains.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

static struct rule *chain_stamp(struct chain *chain, const struct plan *plan, const struct plan_gateway *gw)
{
	rule_mark_stamp(chain_rule(chain), RULE_MARK_CT, ~plan->mark_mask, gw->mark);
	struct rule *rule = chain_rule(chain);
	rule_mark_stamp(rule, RULE_MARK_PACKET, ~plan->mark_mask, gw->mark);
	return rule;
}

// Nothing comes after `in`, also where it was jumped to (`marked`): a probe would be balanced.
void chains_gateway(struct ruleset *ruleset, const struct plan *plan)
{
	char name[PLAN_NAME_SIZE];
	vec_each(&plan->gateways, gw) {
		struct chain *chain = ruleset_chain(ruleset, name_gateway_chain(name, "in", gw));
		rule_accept(chain_stamp(chain, plan, gw));
		chain = ruleset_chain(ruleset, name_gateway_chain(name, "take", gw));
		chain_stamp(chain, plan, gw);
		struct rule *rule = chain_rule(chain);
		rule_counter(rule, name_counter(name, gw));
		rule_accept(rule);
	}
}
