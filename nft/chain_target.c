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

static size_t chain_last_group(const struct plan *plan, bool own)
{
	return own ? plan->default_own_group : plan->default_group;
}

// The default balance's own way in is also what every other one that isn't strict falls back to.
static bool chain_target_used(const struct plan *plan, size_t group, bool strict)
{
	bool own = plan->groups.v[group].own;
	vec_each(&plan->rules, rule) {
		if (rule->bypass || rule->strict != strict)
			continue;
		if (rule->group == group)
			return true;
		if (!strict && rule->own == own && group == chain_last_group(plan, own))
			return true;
	}
	return false;
}

static const char *chain_otherwise(char *out, const struct plan *plan, size_t group, enum fam fam,
				   bool strict)
{
	size_t last = chain_last_group(plan, plan->groups.v[group].own);
	if (strict)
		return "refuse";
	if (group == last)
		return "nogw";
	return chain_target(out, fam, &plan->groups.v[last], false);
}

void chain_enter_group(struct chain *chain, const struct plan *plan, size_t i, enum fam fam, bool strict)
{
	char name[PLAN_NAME_SIZE];
	struct rule *rule = chain_rule(chain);
	rule_tcp_not_syn(rule);
	rule_goto(rule, "orphan");
	chain_choose_gateway(chain, &plan->groups.v[i], fam, strict);
	chain_goto(chain, chain_otherwise(name, plan, i, fam, strict));
}

static void chain_one_target(struct ruleset *ruleset, const struct plan *plan, size_t i, enum fam fam,
			     bool strict)
{
	char name[PLAN_NAME_SIZE];
	const struct plan_group *group = &plan->groups.v[i];
	bool is_last = !strict && i == chain_last_group(plan, group->own);
	bool used = chain_target_used(plan, i, strict);
	if (used)
		chain_enter_group(ruleset_chain(ruleset, chain_target(name, fam, group, strict)), plan, i,
				  fam, strict);
	if (used || is_last) // the last one is entered without a chain of its own, too
		chains_chosen(ruleset, group, fam, strict, plan->mark_mask,
			      chain_otherwise(name, plan, i, fam, strict));
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
				chain_one_target(ruleset, plan, i, fam, strict);
	struct rule *rule = chain_rule(ruleset_chain(ruleset, "orphan"));
	rule_protocols(rule, &(const uint8_t){IPPROTO_TCP}, 1); // before the counter, where nft puts it
	rule_counter(rule, "orphan");
	rule_reject(rule, RULE_REJECT_TCP_RESET);
	chain_refusal(ruleset, "nogw", RULE_REJECT_NO_ROUTE);
	chain_refusal(ruleset, "refuse", RULE_REJECT_PROHIBITED);
}
