// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/rest.h"

#include "nft/batch.h"
#include "nft/nft_priv.h"
#include "nft/nl.h"
#include "nft/put.h"

void rest_add_set(struct rest *rest, const struct plan_set *set)
{
	nft_names_add(&rest->sets, set->table, set->name);
}

// Sets first: their elements hold the chains.
void rest_put(const struct rest *rest, struct batch *batch)
{
	vec_each(&rest->sets.v, set)
		put_delete(batch, set->table, NFT_MSG_DELSET, NFTA_SET_NAME, "set", set->name);
	vec_each(&rest->chains.v, chain)
		put_delete(batch, chain->table, NFT_MSG_DELCHAIN, NFTA_CHAIN_NAME, "chain", chain->name);
}

void rest_clear(struct rest *rest)
{
	vec_free(&rest->sets.v);
	vec_free(&rest->chains.v);
}

bool nft_has_rest(const struct nft *nft)
{
	return nft->rest.sets.v.n || nft->rest.chains.v.n;
}

int nft_drop_rest(struct nft *nft, struct err *err)
{
	struct batch batch = {0};
	batch_begin(&batch, nft->genid);
	rest_put(&nft->rest, &batch);
	int code = batch_empty(&batch) ? 0 : nft_commit(nft, &batch, err);
	batch_free(&batch);
	rest_clear(&nft->rest);
	return code;
}
