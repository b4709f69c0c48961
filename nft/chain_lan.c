// SPDX-License-Identifier: GPL-2.0-or-later
// A new flow from the LAN: is it for gwd to balance?
//
// Not what is for this host or stays inside: anything that main routes by another interface than a
// gateway's (another LAN, a VPN, a static route). One route lookup answers that for a flow that goes
// out, the common case: it is cheaper than asking for the address type first, because neither a
// local nor a multicast address is ever routed by a gateway's interface here, and broadcasts are
// recognised by their link-layer address. Only where main names no interface, two more are needed: the
// address is this host's own; or main has no route at all, which is no reason not to balance (it may
// have no IPv6 default).
#include "nft/chains.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

static void chain_lan_networks(struct chain *chain)
{
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		struct rule *rule = chain_rule(chain);
		rule_addr_in_set(rule, fam, RULE_SOURCE, RULE_IS_NOT, fam == FAM_4 ? "lan4" : "lan6");
		rule_accept(rule);
	}
}

void chains_lan(struct ruleset *ruleset, const struct plan *plan)
{
	struct ifnames names = {0};
	struct chain *chain = ruleset_chain(ruleset, "lan");
	struct rule *rule = chain_rule(chain);
	rule_not_to_us(rule);
	rule_accept(rule);
	if (plan->lan_networks)
		chain_lan_networks(chain);
	ifnames_wan(&names, plan);
	if (names.v.n) {
		rule = chain_rule(chain);
		rule_route_by(rule, names.v.v, names.v.n);
		rule_goto(rule, "outward");
	}
	ifnames_free(&names);
	rule = chain_rule(chain);
	rule_route_special(rule);
	rule_accept(rule);
	rule = chain_rule(chain);
	rule_route_known(rule);
	rule_accept(rule);
	chain_goto(chain, "outward");

	chain = ruleset_chain(ruleset, "outward");
	rule = chain_rule(chain);
	rule_fam(rule, FAM_4);
	rule_goto(rule, "rules4");
	chain_goto(chain, "rules6");
	chain_by_rules(ruleset_chain(ruleset, "rules4"), plan, false, FAM_4);
	chain_by_rules(ruleset_chain(ruleset, "rules6"), plan, false, FAM_6);
}
