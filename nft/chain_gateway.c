// SPDX-License-Identifier: GPL-2.0-or-later
// A flow belongs to a gateway from here on: its id is stamped on connection and packet.
#include "gwd/core/names.h"
#include "nft/chains.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

static struct chain *chain_stamp(struct ruleset *ruleset, const char *kind, const struct plan *plan,
				 const struct plan_gateway *gw)
{
	char name[PLAN_NAME_SIZE];
	struct chain *chain = ruleset_chain(ruleset, name_gateway_chain(name, kind, gw));
	rule_mark_stamp(chain_rule(chain), RULE_MARK_CT, ~plan->mark_mask, gw->mark);
	rule_mark_stamp(chain_rule(chain), RULE_MARK_PACKET, ~plan->mark_mask, gw->mark);
	return chain;
}

void chains_gateway(struct ruleset *ruleset, const struct plan *plan)
{
	char name[PLAN_NAME_SIZE];
	vec_each(&plan->gateways, gw) {
		chain_stamp(ruleset, "in", plan, gw);
		struct chain *chain = chain_stamp(ruleset, "take", plan, gw);
		struct rule *rule = chain_rule(chain);
		rule_counter(rule, name_counter(name, gw));
		rule_accept(rule);
	}
}
