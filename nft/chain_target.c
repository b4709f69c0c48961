// SPDX-License-Identifier: GPL-2.0-or-later
// What a rule's flow gets when its group has no usable gateway: prefer4.G goes on with the default
// balance, strict4.G refuses. And what is refused, and how.
//
// An orphan is a TCP segment of a flow that no longer exists here, because its gateway died and its
// entry was flushed: the client learns it at once by a reset, in sequence, instead of by a timeout.
// It is asked for behind the rules, so that a bypassed flow never meets it.
#include <netinet/in.h>

#include "gwd/core/names.h"
#include "nft/chains.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

const char *chain_target(char *out, enum fam fam, const struct plan_group *group, bool strict)
{
	return name_group(out, strict ? "strict" : "prefer", fam, group);
}

static bool chain_target_used(const struct plan *plan, size_t group, bool strict)
{
	if (!strict && (group == plan->default_group || group == plan->default_own_group))
		return true;
	vec_each(&plan->rules, rule)
		if (!rule->bypass && rule->group == group && rule->strict == strict)
			return true;
	return false;
}

static const char *chain_otherwise(char *out, const struct plan *plan, size_t group, enum fam fam,
				   bool strict)
{
	size_t last = plan->groups.v[group].own ? plan->default_own_group : plan->default_group;
	if (strict)
		return "refuse";
	if (group == last)
		return "nogw";
	return chain_target(out, fam, &plan->groups.v[last], false);
}

static void chain_one_target(struct ruleset *ruleset, const struct plan *plan, size_t i, enum fam fam,
			     bool strict)
{
	char name[PLAN_NAME_SIZE];
	const struct plan_group *group = &plan->groups.v[i];
	struct chain *chain = ruleset_chain(ruleset, chain_target(name, fam, group, strict));
	struct rule *rule = chain_rule(chain);
	rule_tcp_not_syn(rule);
	rule_goto(rule, "orphan");
	rule_jump(chain_rule(chain), name_group(name, "group", fam, group));
	chain_goto(chain, chain_otherwise(name, plan, i, fam, strict));
}

static void chain_refusal(struct ruleset *ruleset, const char *name, enum rule_reject how)
{
	struct chain *chain = ruleset_chain(ruleset, name);
	rule_counter(chain_rule(chain), "no_gateway");
	struct rule *rule = chain_rule(chain);
	rule_reject(rule, RULE_REJECT_TCP_RESET);
	rule_reject(chain_rule(chain), how);
}

void chains_target(struct ruleset *ruleset, const struct plan *plan)
{
	for (size_t i = 0; i < plan->groups.n; i++)
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			for (int strict = 0; strict < 2; strict++)
				if (chain_target_used(plan, i, strict))
					chain_one_target(ruleset, plan, i, fam, strict);
	struct rule *rule = chain_rule(ruleset_chain(ruleset, "orphan"));
	rule_protocols(rule, &(const uint8_t){IPPROTO_TCP}, 1); // before the counter, where nft puts it
	rule_counter(rule, "orphan");
	rule_reject(rule, RULE_REJECT_TCP_RESET);
	chain_refusal(ruleset, "nogw", RULE_REJECT_NO_ROUTE);
	chain_refusal(ruleset, "refuse", RULE_REJECT_PROHIBITED);
}
