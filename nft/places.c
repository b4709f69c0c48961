// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/places.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nft/batch.h"
#include "nft/conntrack.h"
#include "nft/nft_priv.h"
#include "nft/nl.h"

#define PLACES_TRIES 5 // while somebody changes the ruleset under the dump

// Each field is padded to 4 bytes.
struct place place_of(const struct plan_set *set, const struct ct_tuple *tuple)
{
	struct place place = {.set = set};
	unsigned size = addr_size(&tuple->src);
	uint16_t client_port = htons(tuple->sport), port = htons(tuple->dport);
	uint8_t *key = place.elem.key + size;
	memcpy(place.elem.key, tuple->src.b, size);
	key[0] = tuple->protocol;
	memcpy(key + 4, &client_port, sizeof(client_port));
	memcpy(key + 8, tuple->dst.b, size);
	memcpy(key + 8 + size, &port, sizeof(port));
	return place;
}

bool place_tuple(const uint8_t *key, unsigned key_size, enum fam fam, struct ct_tuple *tuple)
{
	unsigned size = fam == FAM_4 ? 4 : 16;
	uint16_t client_port, port;
	if (key_size != 2 * size + 12)
		return false;
	memcpy(&client_port, key + size + 4, sizeof(client_port));
	memcpy(&port, key + 2 * size + 8, sizeof(port));
	*tuple = (struct ct_tuple){.src = addr_from(fam_af(fam), key),
				   .dst = addr_from(fam_af(fam), key + size + 8),
				   .protocol = key[size],
				   .sport = ntohs(client_port),
				   .dport = ntohs(port)};
	return true;
}

static int places_change(struct nft *nft, uint16_t type, const struct place *places, size_t n,
			 struct err *err)
{
	struct batch batch = {0};
	VEC(const struct plan_elem *) elems = {0};
	batch_begin(&batch, 0); // whatever the rest of the ruleset has become
	for (size_t i = 0; i < n; i++) {
		vec_push(&elems, &places[i].elem);
		if (i + 1 < n && places[i + 1].set == places[i].set)
			continue;
		batch_elems(&batch, type, places[i].set, elems.v, elems.n);
		elems.n = 0;
	}
	int code = n ? nft_commit(nft, &batch, err) : 0;
	batch_free(&batch);
	vec_free(&elems);
	return code;
}

int places_take(struct nft *nft, const struct place *places, size_t n, struct err *err)
{
	return places_change(nft, NFT_MSG_NEWSETELEM, places, n, err);
}

// ---- listing -----------------------------------------------------------------------------------

struct places_seen {
	const struct plan_set *set;
	VEC(struct place) v;
};

static int places_see(struct nftnl_set_elem *elem, void *arg)
{
	struct places_seen *seen = arg;
	uint32_t size = 0;
	const void *key = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_KEY, &size);
	struct place place = {.set = seen->set};
	if (!key || size > sizeof(place.elem.key))
		return 0;
	memcpy(place.elem.key, key, size);
	vec_push(&seen->v, place);
	return 0;
}

static int places_parse(const struct nlmsghdr *nlh, void *arg)
{
	struct nftnl_set *set = nftnl_set_alloc();
	if (!set)
		abort();
	if (nftnl_set_elems_nlmsg_parse(nlh, set) == 0)
		nftnl_set_elem_foreach(set, places_see, arg);
	nftnl_set_free(set);
	return MNL_CB_OK;
}

int places_list(struct nft *nft, const struct plan_set *set, places_fn *cb, void *arg, struct err *err)
{
	struct places_seen seen = {.set = set};
	int code = -EINTR;
	for (unsigned tries = 0; code == -EINTR && tries < PLACES_TRIES; tries++) {
		seen.v.n = 0;
		code = nft_dump(nft, set->table, NFT_MSG_GETSETELEM, set->name, places_parse, &seen, err);
	}
	for (size_t i = 0; !code && i < seen.v.n; i++)
		cb(arg, &seen.v.v[i]);
	vec_free(&seen.v);
	return code;
}

// ---- given back --------------------------------------------------------------------------------

static int places_compare(const void *va, const void *vb)
{
	const struct place *a = va, *b = vb;
	int order = ((uintptr_t)a->set > (uintptr_t)b->set) - ((uintptr_t)a->set < (uintptr_t)b->set);
	return order ? order : memcmp(a->elem.key, b->elem.key, sizeof(a->elem.key));
}

struct places_wanted {
	VEC(struct place) v;     // sorted
	VEC(struct place) taken; // those of them that the kernel has
};

static void places_keep(void *arg, const struct place *place)
{
	struct places_wanted *wanted = arg;
	if (bsearch(place, wanted->v.v, wanted->v.n, sizeof(*wanted->v.v), places_compare))
		vec_push(&wanted->taken, *place);
}

static int places_find_taken(struct nft *nft, struct places_wanted *wanted, struct err *err)
{
	int code = 0;
	qsort(wanted->v.v, wanted->v.n, sizeof(*wanted->v.v), places_compare);
	for (size_t i = 0; !code && i < wanted->v.n; i++) {
		const struct plan_set *set = wanted->v.v[i].set;
		if (i && wanted->v.v[i - 1].set == set)
			continue;
		code = places_list(nft, set, places_keep, wanted, err);
		if (code == -ENOENT) // with the set they are free
			code = 0;
	}
	return code;
}

// One that isn't there refuses the whole transaction, and a refused one makes us wait for all processors (15 ms and
// more). So who is missing is not found by trying.
int places_free(struct nft *nft, const struct place *places, size_t n, struct err *err)
{
	struct places_wanted wanted = {0};
	int code = places_change(nft, NFT_MSG_DELSETELEM, places, n, err);
	if (code != -ENOENT)
		return code;
	for (size_t i = 0; i < n; i++)
		vec_push(&wanted.v, places[i]);
	code = places_find_taken(nft, &wanted, err);
	if (!code)
		code = places_change(nft, NFT_MSG_DELSETELEM, wanted.taken.v, wanted.taken.n, err);
	if (!code && err)
		err->text[0] = 0;
	vec_free(&wanted.v);
	vec_free(&wanted.taken);
	return code;
}
