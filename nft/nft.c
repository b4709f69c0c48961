// SPDX-License-Identifier: GPL-2.0-or-later
// The socket, and requests for what is in the kernel.
#include "nft/nft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nft/batch.h"
#include "nft/nft_priv.h"
#include "nft/nl.h"
#include "nft/socket.h"
#include "nft/table.h"

#define NFT_TABLE_OWNER 0x2   // since Linux 5.12
#define NFT_TABLE_PERSIST 0x4 // since Linux 6.9; Debian's headers don't have it
#define NFT_LARGE 65536       // bytes of a transaction that is not worth being told of

struct nft *nft_open(struct err *err)
{
	struct mnl_socket *sock = socket_open(err);
	if (!sock)
		return NULL;
	struct nft *nft = xcalloc(1, sizeof(*nft));
	nft->sock = sock;
	nft->table_flags = NFT_TABLE_OWNER | NFT_TABLE_PERSIST;
	return nft;
}

void nft_close(struct nft *nft)
{
	if (!nft)
		return;
	if (nft->listener)
		nft_listener_outlive(nft->listener);
	mnl_socket_close(nft->sock);
	rest_clear(&nft->rest);
	free(nft);
}

// ---- requests ----------------------------------------------------------------------------------

int nft_dump(struct nft *nft, enum plan_table table, uint16_t type, const char *set,
	     int (*cb)(const struct nlmsghdr *, void *), void *arg, struct err *err)
{
	char buf[1024];
	struct nlmsghdr *nlh = nftnl_nlmsg_build_hdr(buf, type, table_family(table), NLM_F_DUMP, ++nft->seq);
	mnl_attr_put_strz(nlh, NFTA_SET_TABLE, NFT_TABLE); // attribute 1 in all kinds of requests
	if (set)
		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	int code = socket_ask(nft->sock, nlh, cb, arg, set ? set : table_text(table), err);
	if (code != -ENOENT || set)
		return code;
	if (err) // of a table that is not there there is nothing
		err->text[0] = 0;
	return 0;
}

int nft_dump_objects(struct nft *nft, int (*cb)(const struct nlmsghdr *, void *), void *arg, struct err *err)
{
	return nft_dump(nft, PLAN_INET, NFT_MSG_GETOBJ, NULL, cb, arg, err);
}

static int nft_parse_genid(const struct nlmsghdr *nlh, void *arg)
{
	uint32_t *genid = arg;
	nl_each_attr(attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_GEN_ID)
			*genid = nl_be32(attr);
	return MNL_CB_STOP;
}

int nft_read_genid(struct nft *nft, uint32_t *genid, struct err *err)
{
	char buf[256];
	struct nlmsghdr *nlh = nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETGEN, AF_UNSPEC, 0, ++nft->seq);
	*genid = 0;
	return socket_ask(nft->sock, nlh, nft_parse_genid, genid, "the ruleset's generation", err);
}

bool nft_is_known(struct nft *nft)
{
	uint32_t now;
	return nft->genid && !nft->blind && !nft_read_genid(nft, &now, NULL) && now == nft->genid;
}

static int nft_parse_table(const struct nlmsghdr *nlh, void *arg)
{
	struct nft_table *table = arg;
	const char *name = "";
	uint32_t flags = 0, owner = 0;
	nl_each_attr(attr, nlh, sizeof(struct nfgenmsg)) {
		switch (mnl_attr_get_type(attr)) {
		case NFTA_TABLE_NAME:
			name = nl_str(attr);
			break;
		case NFTA_TABLE_FLAGS:
			flags = nl_be32(attr);
			break;
		case NFTA_TABLE_OWNER:
			owner = nl_be32(attr);
			break;
		}
	}
	if (!strcmp(name, NFT_TABLE))
		*table = (struct nft_table){.found = true, .flags = flags, .owner = owner};
	return MNL_CB_OK;
}

int nft_read_table(struct nft *nft, enum plan_table which, struct nft_table *table, struct err *err)
{
	char buf[256];
	struct nlmsghdr *nlh =
		nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETTABLE, table_family(which), NLM_F_DUMP, ++nft->seq);
	*table = (struct nft_table){0};
	return socket_ask(nft->sock, nlh, nft_parse_table, table, "the tables", err);
}

// Table and name are attributes 1 and 2 (chains: 1 and 3) of both.
static int nft_parse_name(const struct nlmsghdr *nlh, void *arg)
{
	struct nft_names *names = arg;
	bool chain = NFNL_MSG_TYPE(nlh->nlmsg_type) == NFT_MSG_NEWCHAIN;
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const char *table = "", *name = "";
	nl_each_attr(attr, nlh, sizeof(struct nfgenmsg)) {
		unsigned type = mnl_attr_get_type(attr);
		if (type == NFTA_CHAIN_TABLE)
			table = nl_str(attr);
		else if (type == (chain ? NFTA_CHAIN_NAME : NFTA_SET_NAME))
			name = nl_str(attr);
	}
	if (!strcmp(table, NFT_TABLE))
		nft_names_add(names, nfg->nfgen_family == NFPROTO_NETDEV ? PLAN_NETDEV : PLAN_INET, name);
	return MNL_CB_OK;
}

int nft_read_names(struct nft *nft, uint16_t type, struct nft_names *names, struct err *err)
{
	int code = 0;
	for (enum plan_table table = PLAN_INET; !code && table < PLAN_TABLES; table++)
		code = nft_dump(nft, table, type, NULL, nft_parse_name, names, err);
	return code;
}

// ---- transactions ----------------------------------------------------------------------------------

void nft_put_table(struct batch *batch, enum plan_table table, uint32_t flags)
{
	struct nlmsghdr *nlh = batch_message(batch, table, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, NFT_TABLE);
	mnl_attr_put_u32(nlh, NFTA_TABLE_FLAGS, htonl(flags));
	batch_add(batch, nlh, "table", table_text(table), NULL);
}

static int nft_commit_at(struct nft *nft, struct batch *batch, struct err *err)
{
	int code = batch_commit(batch, nft->sock, err);
	if (!code && nft->genid && !++nft->genid) // the kernel counts so too, and leaves 0 out
		nft->genid++;
	return code;
}

// The kernel would make a message of each element for our listener, which costs it more than the elements.
// What somebody else does while nobody listens is seen by the generation, so it has to be a known one.
static int nft_commit_unheard(struct nft *nft, struct batch *batch, struct err *err)
{
	uint32_t now;
	if (nft_listener_switch(nft->listener, false) < 0)
		return nft_commit_at(nft, batch, err);
	int code = nft_commit_at(nft, batch, err);
	int heard = nft_listener_switch(nft->listener, true);
	if (heard < 0)
		return err_errno(err, -heard, "listening to changes of the ruleset again");
	if (code)
		return code;
	code = nft_read_genid(nft, &now, err);
	return code || now == nft->genid
		       ? code
		       : err_set(err, ERESTART, "somebody else changed the ruleset meanwhile");
}

int nft_commit(struct nft *nft, struct batch *batch, struct err *err)
{
	bool large = batch->genid && nft->listener && batch->buf.n > NFT_LARGE;
	int code = large ? nft_commit_unheard(nft, batch, err) : nft_commit_at(nft, batch, err);
	if (code == -ERESTART)
		nft->genid = 0;
	return code;
}
