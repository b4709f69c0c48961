// SPDX-License-Identifier: GPL-2.0-or-later
// A new flow from the LAN: is it for gwd to balance?
//
// Not what is for this host or stays inside: anything that main routes by another interface than a
// gateway's (another LAN, a VPN, a static route). The sets inside4 and inside6 know that; byte4 has their first bytes,
// because most of what goes out is nowhere near, and that is found out at a third of the cost. Where they can't
// be kept (core/build_inside.c), main is asked, and one route lookup answers for a flow that goes
// out, the common case: it is cheaper than asking for the address type first, because neither a
// local nor a multicast address is ever routed by a gateway's interface here, and broadcasts are
// recognised by their link-layer address. Only where main names no interface, two more are needed: the
// address is this host's own; or main has no route at all, which is no reason not to balance (it may
// have no IPv6 default).
#include "nft/chains.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

static const char *const lan_networks[FAM_COUNT] = {"lan4", "lan6"};
static const char *const lan_inside[FAM_COUNT] = {"inside4", "inside6"};

static void chain_lan_networks(struct chain *chain, enum fam fam)
{
	struct rule *rule = chain_rule(chain);
	rule_addr_in_set(rule, fam, RULE_SOURCE, RULE_IS_NOT, lan_networks[fam]);
	rule_accept(rule);
}

static void chain_lan_inside(struct chain *chain, enum fam fam)
{
	struct rule *rule = chain_rule(chain);
	rule_addr_in_set(rule, fam, RULE_DESTINATION, RULE_IS, lan_inside[fam]);
	rule_accept(rule);
}

// What is far from everything inside is known at once: by the first byte of its IPv4 address.
static void chain_lan_by_set(struct ruleset *ruleset, struct chain *chain, const struct plan *plan)
{
	if (plan->lan_networks)
		chain_lan_networks(chain, FAM_4);
	struct rule *rule = chain_rule(chain);
	rule_near4(rule, "byte4");
	rule_jump(rule, "lan4.near");
	chain_lan_inside(ruleset_chain(ruleset, "lan4.near"), FAM_4);
	chain_by_rules(ruleset, chain, plan, false, FAM_4);
	chain = ruleset_chain(ruleset, "lan6");
	if (plan->lan_networks)
		chain_lan_networks(chain, FAM_6);
	chain_lan_inside(chain, FAM_6);
	chain_by_rules(ruleset, chain, plan, false, FAM_6);
}

// Every flow behind this rule is IPv4.
static void chain_part6(struct chain *chain)
{
	struct rule *rule = chain_rule(chain);
	rule_fam(rule, FAM_6);
	rule_goto(rule, "lan6");
}

static void chain_lan_by_main(struct chain *chain, const struct plan *plan)
{
	struct ifnames names = {0};
	struct rule *rule = chain_rule(chain);
	rule_not_to_us(rule);
	rule_accept(rule);
	for (enum fam fam = FAM_4; plan->lan_networks && fam < FAM_COUNT; fam++)
		chain_lan_networks(chain, fam);
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
}

void chains_lan(struct ruleset *ruleset, const struct plan *plan)
{
	struct chain *chain = ruleset_chain(ruleset, "lan");
	if (plan->inside) {
		chain_part6(chain);
		chain_lan_by_set(ruleset, chain, plan);
		return;
	}
	chain_lan_by_main(chain, plan);
	chain = ruleset_chain(ruleset, "outward");
	chain_part6(chain);
	chain_by_rules(ruleset, chain, plan, false, FAM_4);
	chain_by_rules(ruleset, ruleset_chain(ruleset, "lan6"), plan, false, FAM_6);
}
