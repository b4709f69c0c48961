// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/put.h"

#include "nft/batch.h"
#include "nft/nl.h"
#include "nft/rule.h"
#include "nft/ruleset.h"
#include "nft/table.h"

void put_delete(struct batch *batch, enum plan_table table, uint16_t type, uint16_t name_attr,
		const char *what, const char *name)
{
	struct nlmsghdr *nlh = batch_message(batch, table, type, 0);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, NFT_TABLE); // attribute 1 in all of them
	if (name_attr)
		mnl_attr_put_strz(nlh, name_attr, name);
	batch_add(batch, nlh, what, name, NULL);
}

void put_chain(struct batch *batch, const struct chain *chain, const char *label)
{
	struct nlmsghdr *nlh = batch_message(batch, chain->table, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, chain->name);
	if (chain->hook) {
		struct nlattr *nest = mnl_attr_nest_start(nlh, NFTA_CHAIN_HOOK);
		mnl_attr_put_u32(nlh, NFTA_HOOK_HOOKNUM, htonl(chain->hook->hook));
		mnl_attr_put_u32(nlh, NFTA_HOOK_PRIORITY, htonl((uint32_t)chain->hook->priority));
		if (chain->device)
			mnl_attr_put_strz(nlh, NFTA_HOOK_DEV, (const char *)chain->device->last);
		mnl_attr_nest_end(nlh, nest);
		mnl_attr_put_u32(nlh, NFTA_CHAIN_POLICY, htonl(NF_ACCEPT));
		mnl_attr_put_strz(nlh, NFTA_CHAIN_TYPE, chain->hook->type);
	}
	batch_add(batch, nlh, "chain", label, NULL);
}

static void put_anonymous_set(struct batch *batch, struct nftnl_set *set, const char *chain,
			      const struct rule *rule)
{
	struct nlmsghdr *nlh = batch_message(batch, rule->table, NFT_MSG_NEWSET, NLM_F_CREATE);
	nftnl_set_nlmsg_build_payload(nlh, set);
	batch_add(batch, nlh, "set in chain", chain, rule);
	nlh = batch_message(batch, rule->table, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
	nftnl_set_elems_nlmsg_build_payload(nlh, set);
	batch_add(batch, nlh, "set in chain", chain, rule);
}

void put_rules(struct batch *batch, const struct chain *chain)
{
	vec_each(&chain->rules, it) {
		struct rule *rule = *it;
		vec_each(&rule->sets, set)
			put_anonymous_set(batch, *set, chain->name, rule);
		struct nlmsghdr *nlh =
			batch_message(batch, chain->table, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
		nftnl_rule_nlmsg_build_payload(nlh, rule->nl);
		batch_add(batch, nlh, "chain", chain->name, rule);
	}
}
