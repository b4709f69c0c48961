// SPDX-License-Identifier: GPL-2.0-or-later
// The router's own packets. A `route` chain: the kernel routes a packet again when its mark changes.
//
// Only flows that main sends out by a gateway's interface are ours, and of those, what is bound to a
// link's address or device stays on it. A segment from the middle of a TCP flow that conntrack does not
// know, sent by a server on this host, stays where main sends it: when gwd starts on a host without
// connection tracking, that is the operator's own ssh session. (A client's is an orphan.)
#include "nft/chains.h"
#include "nft/nl.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

#define CHAIN_CLIENT_PORTS 32768 // first of the kernel's ephemeral ports

static const struct chain_hook chain_out_hook = {
	.type = "route",
	.hook = NF_INET_LOCAL_OUT,
	.priority = -160,
	.where = "output priority mangle - 10",
};

static const struct chain_hook chain_raw_hook = {
	.type = "filter",
	.hook = NF_INET_LOCAL_OUT,
	.priority = -300,
	.where = "output priority raw",
};

static void chain_out(struct ruleset *ruleset, const struct plan *plan)
{
	uint32_t mask = plan->mark_mask;
	struct chain *chain = ruleset_base_chain(ruleset, "out", &chain_out_hook);
	struct rule *rule = chain_rule(chain);
	rule_mark_match(rule, RULE_MARK_PACKET, UINT32_MAX, RULE_IS, 0);
	rule_mark_copy(rule, RULE_MARK_PACKET, RULE_MARK_CT, mask);
	rule_mark_match(rule, RULE_MARK_PACKET, UINT32_MAX, RULE_IS_NOT, 0);
	rule_accept(rule);
	rule = chain_rule(chain);
	rule_mark_match(rule, RULE_MARK_PACKET, UINT32_MAX, RULE_IS_NOT, 0);
	rule_jump(rule, "marked");
	rule = chain_rule(chain);
	rule_ct_state(rule, RULE_STATE_NEW);
	rule_if_in_set(rule, RULE_OIFNAME, "wan");
	rule_goto(rule, "own");
	rule = chain_rule(chain);
	rule_ct_state(rule, RULE_STATE_INVALID);
	rule_if_in_set(rule, RULE_OIFNAME, "wan");
	rule_goto(rule, "stray");
	if (!chain_any_synproxy(plan))
		return;
	rule = chain_rule(chain);
	rule_ct_state(rule, RULE_STATE_NEW);
	rule_if_is(rule, RULE_OIFNAME, "lo");
	rule_goto(rule, "proxied");
}

// The kernel's own answer to a segment of no flow has no connection that could tell its link; its
// source can. (A far end repeats its FIN to a link that has lost its flows meanwhile.)
static void chain_stray(struct ruleset *ruleset)
{
	struct chain *chain = ruleset_chain(ruleset, "stray");
	rule_addr_vmap(chain_rule(chain), FAM_4, RULE_SOURCE, "bound4");
	rule_addr_vmap(chain_rule(chain), FAM_6, RULE_SOURCE, "bound6");
}

static void chain_own(struct ruleset *ruleset, const struct plan *plan)
{
	struct chain *chain = ruleset_chain(ruleset, "own");
	struct rule *rule = chain_rule(chain);
	rule_route_special(rule);
	rule_accept(rule);
	rule_addr_vmap(chain_rule(chain), FAM_4, RULE_SOURCE, "bound4");
	rule_addr_vmap(chain_rule(chain), FAM_6, RULE_SOURCE, "bound6");
	rule_if_vmap(chain_rule(chain), RULE_OIFNAME, "boundif");
	rule = chain_rule(chain);
	rule_tcp_sport_below(rule, CHAIN_CLIENT_PORTS);
	rule_tcp_not_syn(rule);
	rule_accept(rule);
	rule = chain_rule(chain);
	rule_fam(rule, FAM_4);
	rule_goto(rule, "own4");
	chain_goto(chain, "own6");
	chain_by_rules(ruleset, ruleset_chain(ruleset, "own4"), plan, true, FAM_4);
	chain_by_rules(ruleset, ruleset_chain(ruleset, "own6"), plan, true, FAM_6);
}

// gwd's wake-up segments claim to come from elsewhere: conntrack must not see them, and if their host is not
// behind the LAN any more and main's default would take them, they must not get out with a stranger's source.
// Those to a service's client that came by a gateway have that gateway's mark, so they do leave by it, and
// are known by their priority.
static void chain_raw(struct ruleset *ruleset, const struct plan *plan)
{
	uint32_t mask = plan->mark_mask;
	struct chain *chain = ruleset_base_chain(ruleset, "raw", &chain_raw_hook);
	chain_tunnels(ruleset, chain, plan);
	chain_too_big_says(chain, plan);
	struct rule *rule = chain_rule(chain);
	rule_mark_match(rule, RULE_MARK_PACKET, mask, RULE_IS, mask);
	rule_if_in_set(rule, RULE_OIFNAME, "wan");
	rule_drop(rule);
	rule = chain_rule(chain);
	rule_mark_match(rule, RULE_MARK_PACKET, mask, RULE_IS, mask);
	rule_notrack(rule);
	if (plan->services.n) {
		rule = chain_rule(chain);
		rule_priority_is(rule, PLAN_WAKE_PRIORITY);
		rule_notrack(rule);
	}
}

void chains_output(struct ruleset *ruleset, const struct plan *plan)
{
	chain_out(ruleset, plan);
	chain_own(ruleset, plan);
	chain_stray(ruleset);
	chain_raw(ruleset, plan);
}
