// SPDX-License-Identifier: GPL-2.0-or-later
// How often a group's schedule rule was asked: where its counter of slots stands. The kernel doesn't
// tell that of numgen itself, so the rule counts (chain_group.c).
#include <endian.h>
#include <string.h>

#include "nft/nft_priv.h"
#include "nft/nl.h"

struct turns_read {
	bool found;
	uint64_t taken;
};

static bool turns_parse_counter(const struct nlattr *expr, uint64_t *packets)
{
	const char *name = "";
	nl_each_nested(attr, expr) {
		if (mnl_attr_get_type(attr) == NFTA_EXPR_NAME)
			name = nl_str(attr);
		if (mnl_attr_get_type(attr) != NFTA_EXPR_DATA || strcmp(name, "counter") != 0)
			continue;
		nl_each_nested(data, attr)
			if (mnl_attr_get_type(data) == NFTA_COUNTER_PACKETS &&
			    mnl_attr_get_payload_len(data) >= sizeof(*packets)) {
				*packets = be64toh(mnl_attr_get_u64(data));
				return true;
			}
	}
	return false;
}

static int turns_parse_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct turns_read *read = arg;
	nl_each_attr(attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) != NFTA_RULE_EXPRESSIONS)
			continue;
		nl_each_nested(expr, attr)
			if (!read->found)
				read->found = turns_parse_counter(expr, &read->taken);
	}
	return MNL_CB_OK;
}

int nft_read_turns(struct nft *nft, enum plan_table table, const char *chain, uint64_t *taken,
		   struct err *err)
{
	struct turns_read read = {0};
	int code = nft_dump(nft, table, NFT_MSG_GETRULE, chain, turns_parse_rule, &read, err);
	*taken = read.taken;
	return code;
}
