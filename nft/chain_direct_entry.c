// SPDX-License-Identifier: GPL-2.0-or-later
// Table netdev, what all of its services share: which of them a packet is for, where a listener's address and port don't
// tell it by themselves (chain_ingress.c asks for those); and the way of what belongs to another packet that was handed on.
#include <netinet/in.h>

#include "gwd/core/names.h"
#include "nft/chains.h"
#include "nft/direct.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

static void direct_wide(struct chain *chain, const struct plan_service *service,
			const struct plan_listen *listen)
{
	char name[PLAN_NAME_SIZE];
	enum fam fam = addr_fam(&listen->addr);
	vec_each(&service->protocols, protocol) {
		struct rule *rule = chain_rule(chain);
		rule_addr_is(rule, RULE_DESTINATION, &listen->addr);
		rule_protocols(rule, protocol, 1);
		if (listen->first > 1 || listen->last < MODEL_PORT_ANY_LAST)
			rule_dport_in(rule, listen->first, listen->last);
		rule_goto(rule,
			  name_service(name, *protocol == IPPROTO_TCP ? "drtcp" : "drany", fam, service));
	}
}

// Every listener of the family that is a range of ports.
static void direct_wides(struct chain *chain, const struct plan *plan, enum fam fam, bool error)
{
	char name[PLAN_NAME_SIZE];
	vec_each(&plan->services, service) {
		if (!service->direct)
			continue;
		vec_each(&service->listens, listen) {
			if (addr_fam(&listen->addr) != fam || listen->first == listen->last)
				continue;
			if (!error) {
				direct_wide(chain, service, listen);
				continue;
			}
			struct rule *rule = chain_rule(chain);
			rule_quote_from(rule, &listen->addr);
			rule_jump(rule,
				  name_service(name, "drerr", fam, service)); // another may have other ports
		}
	}
}

static void direct_in(struct ruleset *ruleset, const struct plan *plan, enum fam fam)
{
	char name[PLAN_NAME_SIZE], map[PLAN_NAME_SIZE];
	struct chain *chain = ruleset_chain(ruleset, direct_common(name, "dr.in", fam));
	struct rule *rule = chain_rule(chain);
	rule_fragment_lookup(rule, fam, direct_common(map, "drfrag", fam));
	rule_goto(rule, direct_common(name, "dr.pass", fam));
	direct_wides(chain, plan, fam, false);
	rule = chain_rule(chain);
	rule_icmp_error(rule, fam);
	rule_goto(rule, direct_common(name, "dr.error", fam));

	chain = ruleset_chain(ruleset, direct_common(name, "dr.error", fam));
	rule_quote_vmap(chain_rule(chain), fam, direct_common(map, "drquote", fam));
	direct_wides(chain, plan, fam, true);

	chain = ruleset_chain(ruleset, direct_common(name, "dr.pass", fam));
	direct_hand_on(chain, fam);
	chain_goto(chain, "dr.up");
}

static void direct_entry(struct ruleset *ruleset, const struct plan *plan)
{
	const struct plan_set *devices = plan_find_set(plan, "ingress");
	vec_each(&devices->elems, device)
		chain_ingress(ruleset, device);
	struct chain *chain = ruleset_chain(ruleset, "dr.in");
	struct rule *rule = chain_rule(chain);
	rule_fam(rule, FAM_4);
	rule_goto(rule, "dr.in4");
	rule = chain_rule(chain);
	rule_fam(rule, FAM_6);
	rule_goto(rule, "dr.in6");
	direct_in(ruleset, plan, FAM_4);
	direct_in(ruleset, plan, FAM_6);
	chain = ruleset_chain(ruleset, "dr.up");
	rule = chain_rule(chain);
	rule_mark_set(rule, RULE_MARK_PACKET, 0);
	rule_accept(rule);
}

void chains_direct(struct ruleset *ruleset, const struct plan *plan)
{
	if (!plan->netdev)
		return;
	ruleset->table = PLAN_NETDEV;
	direct_entry(ruleset, plan);
	chains_tunnel(ruleset, plan);
	vec_each(&plan->services, service)
		chains_direct_of(ruleset, service);
	ruleset->table = PLAN_INET;
}
