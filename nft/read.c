// SPDX-License-Identifier: GPL-2.0-or-later
// The kernel's table as a plan, for a restart and for healing; and the claim to one that is there.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/core/names.h"
#include "nft/batch.h"
#include "nft/chains.h"
#include "nft/flowtable.h"
#include "nft/ingress.h"
#include "nft/nft_priv.h"
#include "nft/nl.h"
#include "nft/set.h"
#include "nft/table.h"

static int read_parse_set(const struct nlmsghdr *nlh, void *arg)
{
	struct plan *plan = arg;
	struct plan_set set;
	struct nftnl_set *nl = nftnl_set_alloc();
	if (!nl)
		abort();
	if (nftnl_set_nlmsg_parse(nlh, nl) == 0 &&
	    !strcmp(nftnl_set_get_str(nl, NFTNL_SET_TABLE), NFT_TABLE) && set_parse(&set, nl))
		vec_push(&plan->sets, set);
	nftnl_set_free(nl);
	return MNL_CB_OK;
}

static int read_parse_elems(const struct nlmsghdr *nlh, void *arg)
{
	struct nftnl_set *nl = nftnl_set_alloc();
	if (!nl)
		abort();
	if (nftnl_set_elems_nlmsg_parse(nlh, nl) == 0)
		set_parse_elems(arg, nl);
	nftnl_set_free(nl);
	return MNL_CB_OK;
}

static int read_compare_sets(const void *a, const void *b)
{
	return strcmp(((const struct plan_set *)a)->name, ((const struct plan_set *)b)->name);
}

static int read_sets(struct nft *nft, struct plan *plan, struct err *err)
{
	int code = 0;
	for (enum plan_table table = PLAN_INET; !code && table < PLAN_TABLES; table++)
		code = nft_dump(nft, table, NFT_MSG_GETSET, NULL, read_parse_set, plan, err);
	if (!code)
		code = flowtable_read(nft, plan, err);
	if (!code && plan->netdev)
		code = ingress_read(nft, plan, err);
	if (plan->sets.n)
		qsort(plan->sets.v, plan->sets.n, sizeof(*plan->sets.v), read_compare_sets);
	vec_each(&plan->sets, set) {
		if (!code && !set->dynamic && !set->flowtable && !set->ingress)
			code = nft_dump(nft, set->table, NFT_MSG_GETSETELEM, set->name, read_parse_elems, set,
					err);
		set_finish(set);
	}
	return code;
}

static void read_chain(struct nft *nft, struct plan *plan, const char *name, size_t *n_rules)
{
	struct plan_gateway gw = {0};
	if (name_parse_shape(name, &plan->shape, n_rules)) {
		snprintf(nft->marker, sizeof(nft->marker), "%s", name);
		plan->active = true;
	}
	if (name_parse_take(name, &gw.id, gw.name))
		vec_push(&plan->gateways, gw);
}

// The map `bymark` knows each gateway's mark: "in.ID.NAME" by mark.
static void read_marks(struct plan *plan)
{
	const struct plan_set *set = plan_find_set(plan, "bymark");
	char chain[PLAN_NAME_SIZE];
	vec_each(&plan->gateways, gw) {
		name_gateway_chain(chain, "in", gw);
		for (size_t i = 0; set && i < set->elems.n; i++)
			if (!strcmp(set->elems.v[i].chain, chain))
				memcpy(&gw->mark, set->elems.v[i].key, sizeof(gw->mark));
	}
}

static int read_count(const struct nlmsghdr *nlh, void *arg)
{
	size_t *n = arg;
	(void)nlh;
	++*n;
	return MNL_CB_OK;
}

static int read_all(struct nft *nft, struct plan *plan, struct err *err)
{
	struct nft_names chains = {0};
	size_t want_rules = 0, n_rules = 0;
	int code = nft_read_names(nft, NFT_MSG_GETCHAIN, &chains, err);
	vec_each(&chains.v, chain)
		read_chain(nft, plan, chain->name, &want_rules);
	vec_free(&chains.v);
	for (enum plan_table table = PLAN_INET; !code && table < PLAN_TABLES; table++)
		code = nft_dump(nft, table, NFT_MSG_GETRULE, NULL, read_count, &n_rules, err);
	if (!code)
		code = read_sets(nft, plan, err);
	const struct plan_set *ingress = plan_find_set(plan, INGRESS_SET);
	for (size_t i = 0; ingress && i < ingress->elems.n; i++)
		want_rules += chain_ingress_rules(&ingress->elems.v[i]);
	if (n_rules != want_rules) // somebody took rules away or added some
		plan->shape = 0;
	read_marks(plan);
	return code;
}

int nft_read(struct nft *nft, struct plan *applied, struct err *err)
{
	uint32_t after = 0;
	struct nft_table inet, netdev;
	int code = nft_read_genid(nft, &nft->genid, err);
	if (!code)
		code = nft_read_table(nft, PLAN_INET, &inet, err);
	if (!code)
		code = nft_read_table(nft, PLAN_NETDEV, &netdev, err);
	applied->netdev = !code && netdev.found;
	nft->marker[0] = 0;
	rest_clear(&nft->rest);
	if (!code && (inet.found || netdev.found))
		code = read_all(nft, applied, err);
	if (!code)
		code = nft_read_genid(nft, &after, err);
	if (!code && after != nft->genid)
		code = err_set(err, ERESTART, "somebody else changed the ruleset meanwhile");
	nft->blind = code;
	if (code) {
		plan_free(applied);
		nft->genid = 0;
	}
	return code == -EINTR ? -ERESTART : code;
}

static int read_adopt(struct nft *nft, enum plan_table which, struct batch *batch, struct err *err)
{
	struct nft_table table;
	int code = nft_read_table(nft, which, &table, err);
	if (code || !table.found || table.owner == mnl_socket_get_portid(nft->sock))
		return code;
	if (table.owner)
		return err_set(err, EBUSY, "table %s belongs to another process (netlink port %u)",
			       table_text(which), table.owner);
	if (table.flags)
		nft_put_table(batch, which, nft->table_flags);
	return 0;
}

int nft_adopt(struct nft *nft, struct err *err)
{
	struct batch batch = {0};
	int code = 0;
	batch_begin(&batch, nft->genid);
	for (enum plan_table table = PLAN_INET; !code && table < PLAN_TABLES; table++)
		code = read_adopt(nft, table, &batch, err);
	if (!code && !batch_empty(&batch))
		code = nft_commit(nft, &batch, err);
	batch_free(&batch);
	return code;
}
