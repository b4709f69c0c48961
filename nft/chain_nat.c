// SPDX-License-Identifier: GPL-2.0-or-later
// Source translation: once for a flow, when its first packet leaves. Where a gateway is masquerading, speak4 and
// speak6 have the address that its link has now; else snat.ID translates what leaves
// by that gateway's own interface, as configured. Whatever else leaves by a gateway's interface
// (bypassed flows, hosts on the link itself, the router's own packets) is masqueraded, unless
// nobody is translated there.
#include <string.h>

#include "gwd/core/names.h"
#include "nft/chains.h"
#include "nft/nl.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

static const struct chain_hook chain_post_hook = {
	.type = "nat",
	.hook = NF_INET_POST_ROUTING,
	.priority = 100,
	.where = "postrouting priority srcnat",
};

static struct rule *chain_leaves(struct chain *chain, const struct plan_gateway *gw, enum fam fam)
{
	struct rule *rule = chain_rule(chain);
	rule_if_is(rule, RULE_OIFNAME, gw->ifname);
	rule_fam(rule, fam);
	return rule;
}

// The router itself has an address on the link, and does not need one of the prefix; nor a fixed one of the same
// network, which may be the other router's now.
static void chain_ours(struct chain *chain, const struct plan_gateway *gw, enum fam fam)
{
	struct rule *rule = chain_leaves(chain, gw, fam);
	rule_from_us(rule);
	rule_masquerade(rule);
}

static void chain_prefix(struct chain *chain, const struct plan_gateway *gw, enum fam fam)
{
	if (!gw->snat[fam].prefix.len)
		return; // it is not usable anyway; what is left over is masqueraded
	chain_ours(chain, gw, fam);
	rule_snat_prefix(chain_leaves(chain, gw, fam), &gw->snat[fam].prefix);
}

static void chain_translate(struct chain *chain, const struct plan_gateway *gw, enum fam fam)
{
	const struct model_snat *snat = &gw->snat[fam];
	if (snat->mode == SNAT_PREFIX) {
		chain_prefix(chain, gw, fam);
		return;
	}
	if (gw->snat_near[fam] && !(fam == FAM_6 && gw->shared)) // see chain_speak()
		chain_ours(chain, gw, fam);
	struct rule *rule = chain_leaves(chain, gw, fam);
	switch (snat->mode) {
	case SNAT_MASQUERADE:
		rule_masquerade(rule);
		return;
	case SNAT_ADDRESS:
		rule_snat(rule, &snat->first, &snat->last);
		return;
	case SNAT_NONE:
		rule_accept(rule);
		return;
	case SNAT_PREFIX:
		return; // see above
	}
}

static void chain_snat(struct ruleset *ruleset, const struct plan_gateway *gw)
{
	char name[PLAN_NAME_SIZE];
	struct chain *chain = ruleset_chain(ruleset, name_gateway_chain(name, "snat", gw));
	if (gw->snat[FAM_4].mode == SNAT_MASQUERADE && gw->snat[FAM_6].mode == SNAT_MASQUERADE) {
		struct rule *rule = chain_rule(chain);
		rule_if_is(rule, RULE_OIFNAME, gw->ifname);
		rule_masquerade(rule);
	} else {
		chain_translate(chain, gw, FAM_4);
		chain_translate(chain, gw, FAM_6);
	}
	chain_goto(chain, "leftover");
}

static void chain_leftover(struct ruleset *ruleset, const struct plan *plan)
{
	struct chain *chain = ruleset_chain(ruleset, "leftover");
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		struct ifnames names = {0};
		ifnames_translated(&names, plan, fam);
		if (names.v.n) {
			struct rule *rule = chain_rule(chain);
			rule_fam(rule, fam);
			rule_if_in(rule, RULE_OIFNAME, names.v.v, names.v.n);
			rule_masquerade(rule);
		}
		ifnames_free(&names);
	}
}

// Then it is the same whose flow it is: an interface's address is what it leaves with.
static bool chain_all_masquerade(const struct plan *plan)
{
	vec_each(&plan->gateways, gw)
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			if (gw->snat[fam].mode != SNAT_MASQUERADE)
				return false;
	return true;
}

static bool chain_has_shared(const struct plan *plan)
{
	vec_each(&plan->gateways, gw)
		if (gw->shared)
			return true;
	return false;
}

// The router's own flows are better masqueraded: when the address goes the kernel forgets them at once, and late
// answers to them are not sent back out. But in IPv6 it would give those on a shared wire another link's address.
static void chain_speak(struct chain *chain, const struct plan *plan, enum fam fam)
{
	struct rule *rule = chain_rule(chain);
	if (fam == FAM_4 || !chain_has_shared(plan))
		rule_forwarded(rule);
	rule_snat_by_link(rule, fam, plan->mark_mask, fam == FAM_4 ? "speak4" : "speak6");
}

void chains_nat(struct ruleset *ruleset, const struct plan *plan)
{
	struct chain *chain = ruleset_base_chain(ruleset, "post", &chain_post_hook);
	if (plan->services.n) {
		struct rule *rule = chain_rule(chain);
		rule_ct_dnat(rule);
		rule_jump(rule, "source");
	}
	if (!plan->outbound)
		return;
	chain_speak(chain, plan, FAM_4);
	chain_speak(chain, plan, FAM_6);
	if (chain_all_masquerade(plan)) {
		struct rule *rule = chain_rule(chain);
		rule_if_in_set(rule, RULE_OIF, "wanif");
		rule_masquerade(rule);
	}
	rule_mark_vmap(chain_rule(chain), RULE_MARK_PACKET, plan->mark_mask, "translate");
	chain_goto(chain, "leftover");
	vec_each(&plan->gateways, gw)
		chain_snat(ruleset, gw);
	chain_leftover(ruleset, plan);
}
