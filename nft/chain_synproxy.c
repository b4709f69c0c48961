// SPDX-License-Identifier: GPL-2.0-or-later
// syn-proxy: a client of such a service shakes hands with this host first, which keeps nothing until the client has
// answered. So a flood of SYNs costs no connection, neither here nor at a real.
//
//	syn        a SYN from outside is not tracked, so it is not translated either: it reaches
//	syn.in     the input hook, and syn4: the kernel answers it with a cookie
//	           the client's ACK is tracked (as a connection that was taken up in the middle) or invalid; a
//	           service's chain leaves it alone, because it is no SYN, and it reaches syn4 too
//	proxied    the kernel's own SYN to the real passes the output hook as if the client had sent it; it is given
//	           the link of the listener's address, for that is all that tells it here, and inbound.own
//	           translates it like any other
//
// The LAN's clients are not asked: their answers need not come by here before they are translated. Where nobody serves,
// the listener is no element of syn4, and the client is refused at once.
#include "gwd/core/names.h"
#include "nft/chains.h"
#include "nft/nl.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

static const struct chain_hook chain_syn_hook = {
	.type = "filter",
	.hook = NF_INET_PRE_ROUTING,
	.priority = -300,
	.where = "prerouting priority raw",
};

static const struct chain_hook chain_syn_in_hook = {
	.type = "filter",
	.hook = NF_INET_LOCAL_IN,
	.priority = -10, // before a host's own firewall, which may drop what is invalid
	.where = "input priority filter - 10",
};

bool chain_any_synproxy(const struct plan *plan)
{
	vec_each(&plan->services, service)
		if (service->syn_proxy)
			return true;
	return false;
}

static const char *chain_syn_set(enum fam fam)
{
	return fam == FAM_4 ? "syn4" : "syn6";
}

static void chain_syn(struct ruleset *ruleset, const struct plan *plan)
{
	struct chain *chain = ruleset_base_chain(ruleset, "syn", &chain_syn_hook);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		struct rule *rule = chain_rule(chain);
		if (plan->gateways.n)
			rule_if_in_set(rule, RULE_IIFNAME, "wan");
		rule_tcp_syn(rule);
		rule_tcp_listener_in_set(rule, fam, chain_syn_set(fam));
		rule_notrack(rule);
	}
}

static void chain_answer(struct ruleset *ruleset, enum fam fam)
{
	struct chain *chain = ruleset_chain(ruleset, chain_syn_set(fam));
	struct rule *rule = chain_rule(chain);
	rule_ct_state(rule, RULE_STATE_UNTRACKED);
	rule_synproxy(rule, fam);
	for (int i = 0; i < 2; i++) {
		rule = chain_rule(chain);
		rule_tcp_not_syn(rule);
		rule_ct_state(rule, i ? RULE_STATE_INVALID : RULE_STATE_NEW);
		rule_synproxy(rule, fam);
	}
}

static void chain_syn_in(struct ruleset *ruleset)
{
	struct chain *chain = ruleset_base_chain(ruleset, "syn.in", &chain_syn_in_hook);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		struct rule *rule = chain_rule(chain);
		rule_tcp_listener_in_set(rule, fam, chain_syn_set(fam));
		rule_goto(rule, chain_syn_set(fam));
		chain_answer(ruleset, fam);
	}
}

void chains_synproxy(struct ruleset *ruleset, const struct plan *plan)
{
	if (!chain_any_synproxy(plan))
		return;
	chain_syn(ruleset, plan);
	chain_syn_in(ruleset);
	struct chain *chain = ruleset_chain(ruleset, "proxied");
	rule_addr_vmap(chain_rule(chain), FAM_4, RULE_DESTINATION, "home4");
	rule_addr_vmap(chain_rule(chain), FAM_6, RULE_DESTINATION, "home6");
}
