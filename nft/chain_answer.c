// SPDX-License-Identifier: GPL-2.0-or-later
// Answers of reals by dr and tun that have this host as their gateway: they come in from the VIP, which is ours.
// conntrack has not seen the questions, so it is kept from them; they leave by the link that the VIP
// belongs to.
#include <stdio.h>

#include "nft/chains.h"
#include "nft/nl.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

static const struct chain_hook chain_answer_hook = {
	.type = "filter",
	.hook = NF_INET_PRE_ROUTING,
	.priority = -300,
	.where = "prerouting priority raw",
};

static void chain_answer_back(struct ruleset *ruleset, const struct plan *plan, enum fam fam)
{
	struct ifnames names = {0};
	struct chain *chain = ruleset_chain(ruleset, fam == FAM_4 ? "dr.back4" : "dr.back6");
	chain_clamp(chain, plan, fam);
	rule_notrack(chain_rule(chain));
	ifnames_wan(&names, plan);
	if (names.v.n) {
		struct rule *rule = chain_rule(chain);
		rule_route_by(rule, names.v.v, names.v.n);
		rule_addr_mark(rule, fam, RULE_SOURCE, fam == FAM_4 ? "drback4" : "drback6");
	}
	ifnames_free(&names);
}

void chains_answer(struct ruleset *ruleset, const struct plan *plan)
{
	if (!plan->netdev)
		return;
	struct chain *chain = ruleset_base_chain(ruleset, "dr.answer", &chain_answer_hook);
	struct rule *rule = chain_rule(chain);
	rule_if_is(rule, RULE_IIFNAME, "lo");
	rule_accept(rule);
	chain_too_big(chain, plan);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		rule = chain_rule(chain);
		rule_addr_in_set(rule, fam, RULE_SOURCE, RULE_IS, fam == FAM_4 ? "dranswer4" : "dranswer6");
		rule_goto(rule, fam == FAM_4 ? "dr.back4" : "dr.back6");
		chain_answer_back(ruleset, plan, fam);
	}
}
