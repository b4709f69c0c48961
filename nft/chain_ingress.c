// SPDX-License-Identifier: GPL-2.0-or-later
// Table netdev: each device that clients may come by has a chain that all its packets meet first, behind the
// flowtable: what that carries has nothing to do with services that are handed on here.
#include <assert.h>

#include "gwd/core/names.h"
#include "gwd/core/tunnel.h"
#include "nft/chains.h"
#include "nft/nl.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

static const struct chain_hook chain_ingress_hook = {
	.type = "filter",
	.hook = NF_NETDEV_INGRESS,
	.priority = 10,
	.where = "priority filter + 10",
};

#define CHAIN_INGRESS_RULES 3

size_t chain_ingress_rules(const struct plan_elem *device)
{
	return tunnel_is_ours((const char *)device->last) ? 1 : CHAIN_INGRESS_RULES;
}

// A chain between costs a packet half of what it costs to look up whom it is for. Of a packet in pieces only the first has
// ports, and the kernel finds none in the others.
struct chain *chain_ingress(struct ruleset *ruleset, const struct plan_elem *device)
{
	char name[PLAN_NAME_SIZE];
	struct chain *chain = ruleset_base_chain(ruleset, name_ingress(name, device), &chain_ingress_hook);
	chain->device = device;
	if (tunnel_is_ours((const char *)device->last)) { // nothing comes by it but what somebody made up
		rule_drop(chain_rule(chain));
	} else {
		rule_listener_vmap(chain_rule(chain), FAM_4, "drvip4");
		rule_listener_vmap(chain_rule(chain), FAM_6, "drvip6");
		chain_goto(chain, "dr.in");
	}
	assert(chain->rules.n == chain_ingress_rules(device));
	return chain;
}
