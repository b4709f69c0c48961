// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/ingress.h"

#include <stdio.h>
#include <string.h>

#include "gwd/core/names.h"
#include "gwd/core/plan.h"
#include "nft/nft_priv.h"
#include "nft/nl.h"
#include "nft/table.h"

static void ingress_parse_hook(struct plan_elem *elem, const struct nlattr *hook)
{
	nl_each_nested(attr, hook)
		if (mnl_attr_get_type(attr) == NFTA_HOOK_DEV)
			snprintf((char *)elem->last, sizeof(elem->last), "%.15s", nl_str(attr));
}

static int ingress_parse(const struct nlmsghdr *nlh, void *arg)
{
	struct plan_set *set = arg;
	struct plan_elem elem = {0};
	const char *table = "", *name = "";
	uint32_t index;
	nl_each_attr(attr, nlh, sizeof(struct nfgenmsg)) {
		switch (mnl_attr_get_type(attr)) {
		case NFTA_CHAIN_TABLE:
			table = nl_str(attr);
			break;
		case NFTA_CHAIN_NAME:
			name = nl_str(attr);
			break;
		case NFTA_CHAIN_HOOK:
			ingress_parse_hook(&elem, attr);
			break;
		}
	}
	if (strcmp(table, NFT_TABLE) != 0 || !name_parse_ingress(name, &index))
		return MNL_CB_OK;
	memcpy(elem.key, &index, sizeof(index));
	vec_push(&set->elems, elem);
	return MNL_CB_OK;
}

int ingress_read(struct nft *nft, struct plan *plan, struct err *err)
{
	struct plan_set *set;
	vec_add(&plan->sets, set);
	snprintf(set->name, sizeof(set->name), INGRESS_SET);
	set->table = PLAN_NETDEV;
	set->key[0] = PLAN_T_INDEX;
	set->ingress = true;
	return nft_dump(nft, PLAN_NETDEV, NFT_MSG_GETCHAIN, NULL, ingress_parse, set, err);
}
