// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/foreign.h"

#include <stdlib.h>
#include <string.h>

#include "nft/nft_priv.h"
#include "nft/nl.h"
#include "nft/socket.h"
#include "nft/table.h"

struct foreign_reading {
	struct foreign *foreign;
	bool translates;
};

static const char *foreign_family(uint32_t family) // NULL: of no interest
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	}
	return NULL;
}

static void foreign_take(struct foreign *foreign, const struct nftnl_chain *chain)
{
	const char *family = foreign_family(nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY));
	const char *table = nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE);
	const char *type = nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE);
	struct foreign_chain *found;
	if (!family || !type || !nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM) || !strcmp(table, NFT_TABLE))
		return;
	uint32_t hook = nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM);
	bool nat = !strcmp(type, "nat") && hook == NF_INET_POST_ROUTING;
	if (!nat && hook != NF_INET_FORWARD)
		return;
	vec_add(&foreign->chains, found);
	snprintf(found->family, sizeof(found->family), "%s", family);
	snprintf(found->table, sizeof(found->table), "%s", table);
	snprintf(found->name, sizeof(found->name), "%s", nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME));
	found->priority = nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO);
	found->forward = !nat;
	found->drops = nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY) == NF_DROP;
	found->translates = nat; // until its rules are read
}

static int foreign_chain(const struct nlmsghdr *nlh, void *arg)
{
	const struct foreign_reading *reading = arg;
	struct nftnl_chain *chain = nftnl_chain_alloc();
	if (!chain)
		abort();
	if (nftnl_chain_nlmsg_parse(nlh, chain) == 0)
		foreign_take(reading->foreign, chain);
	nftnl_chain_free(chain);
	return MNL_CB_OK;
}

// nft's own, or iptables' by way of nft.
static int foreign_expr(struct nftnl_expr *expr, void *arg)
{
	struct foreign_reading *reading = arg;
	const char *name = nftnl_expr_get_str(expr, NFTNL_EXPR_NAME);
	if (!strcmp(name, "target"))
		name = nftnl_expr_get_str(expr, NFTNL_EXPR_TG_NAME);
	reading->translates |= !strcmp(name, "masq") || !strcmp(name, "nat") || !strcmp(name, "MASQUERADE") ||
			       !strcmp(name, "SNAT");
	return 0;
}

static int foreign_rule(const struct nlmsghdr *nlh, void *arg)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	if (!rule)
		abort();
	if (nftnl_rule_nlmsg_parse(nlh, rule) == 0)
		nftnl_expr_foreach(rule, foreign_expr, arg);
	nftnl_rule_free(rule);
	return MNL_CB_OK;
}

static int foreign_read_rules(struct foreign_chain *chain, struct nft *nft, struct err *err)
{
	char buf[1024];
	struct foreign_reading reading = {0};
	uint16_t family = !strcmp(chain->family, "inet") ? NFPROTO_INET
			  : !strcmp(chain->family, "ip") ? NFPROTO_IPV4
							 : NFPROTO_IPV6;
	struct nlmsghdr *nlh = nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETRULE, family, NLM_F_DUMP, ++nft->seq);
	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, chain->table);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, chain->name);
	int code = socket_ask(nft->sock, nlh, foreign_rule, &reading, chain->table, err);
	chain->translates = reading.translates;
	return code;
}

int foreign_read(struct foreign *foreign, struct nft *nft, struct err *err)
{
	char buf[256];
	struct foreign_reading reading = {.foreign = foreign};
	struct nlmsghdr *nlh =
		nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, NLM_F_DUMP, ++nft->seq);
	int code = socket_ask(nft->sock, nlh, foreign_chain, &reading, "the chains of others", err);
	for (size_t i = 0; !code && i < foreign->chains.n; i++)
		if (foreign->chains.v[i].translates)
			code = foreign_read_rules(&foreign->chains.v[i], nft, err);
	return code;
}

void foreign_free(struct foreign *foreign)
{
	vec_free(&foreign->chains);
}
