// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/direct_loads.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/base/vec.h"
#include "gwd/core/names.h"
#include "gwd/core/plan.h"
#include "nft/nft.h"

struct direct_id {
	uint32_t id;
	uint32_t real;
};

struct direct_listing {
	struct direct_id *ids; // sorted
	size_t n;
	struct direct_load *loads;
	bool closed; // what is listed now
};

static int direct_compare(const void *va, const void *vb)
{
	const struct direct_id *a = va, *b = vb;
	return (a->id > b->id) - (a->id < b->id);
}

static void direct_take_conn(void *arg, const uint8_t *key, unsigned key_size, uint32_t id,
			     uint64_t expires_ms)
{
	const struct direct_listing *listing = arg;
	const struct direct_id wanted = {.id = id};
	const struct direct_id *found =
		bsearch(&wanted, listing->ids, listing->n, sizeof(*listing->ids), direct_compare);
	(void)key, (void)key_size, (void)expires_ms;
	if (!found) // of a real that is no more
		return;
	struct direct_load *load = &listing->loads[found->real];
	++*(listing->closed ? &load->closed : &load->live);
}

static int direct_list_map(struct direct_listing *listing, struct nft *nft, const struct plan *applied,
			   const char *map, struct err *err)
{
	int r = plan_find_set(applied, map) ? nft_dump_conns(nft, map, direct_take_conn, listing, err) : 0;
	if (r != -ENOENT) // not loaded yet
		return r;
	err->text[0] = 0;
	return 0;
}

static int direct_list_family(struct direct_listing *listing, struct nft *nft, const struct plan *applied,
			      const struct plan_service *service, enum fam fam, struct err *err)
{
	static const char *const kinds[] = {"drhalf", "drconn", "drlast"};
	char map[PLAN_NAME_SIZE];
	int r = 0;
	for (size_t i = 0; !r && i < ARRAY_SIZE(kinds); i++) {
		listing->closed = i == 2;
		r = direct_list_map(listing, nft, applied, name_service(map, kinds[i], fam, service), err);
	}
	return r;
}

int direct_loads_list_ids(struct nft *nft, const struct plan *applied, const struct plan_service *service,
			  const uint32_t *ids, size_t n, struct direct_load *loads, struct err *err)
{
	struct direct_listing listing = {.n = n, .loads = loads};
	int r = 0;
	listing.ids = xcalloc(n, sizeof(*listing.ids));
	for (size_t k = 0; k < n; k++)
		listing.ids[k] = (struct direct_id){ids[k], (uint32_t)k};
	qsort(listing.ids, n, sizeof(*listing.ids), direct_compare);
	for (enum fam fam = FAM_4; !r && fam < FAM_COUNT; fam++)
		if (service->fam[fam])
			r = direct_list_family(&listing, nft, applied, service, fam, err);
	free(listing.ids);
	return r;
}

int direct_loads_list(struct nft *nft, const struct plan *applied, const struct plan_service *service,
		      struct direct_load *loads, struct err *err)
{
	size_t n = service->reals.n;
	uint32_t *ids = xcalloc(n, sizeof(*ids));
	for (size_t k = 0; k < n; k++)
		ids[k] = service->reals.v[k].id;
	memset(loads, 0, n * sizeof(*loads));
	int r = direct_loads_list_ids(nft, applied, service, ids, n, loads, err);
	free(ids);
	return r;
}

// Both sorts of a service for TCP and others draw from one ring, each from a place of its own: how far they
// came together says how much of it was used up.
int direct_loads_turns(struct nft *nft, const struct plan_service *service, enum fam fam, uint64_t *taken,
		       struct err *err)
{
	char chain[PLAN_NAME_SIZE];
	bool sorts[2] = {false, false};
	int r = 0;
	*taken = 0;
	vec_each(&service->protocols, protocol)
		sorts[*protocol == IPPROTO_TCP] = true;
	if (service->direct_gated)
		return nft_read_turns(nft, PLAN_NETDEV, name_service(chain, "drchoose", fam, service), taken,
				      err);
	for (size_t tcp = 0; !r && tcp < ARRAY_SIZE(sorts); tcp++) {
		uint64_t n = 0;
		if (sorts[tcp])
			r = nft_read_turns(nft, PLAN_NETDEV,
					   name_service(chain, tcp ? "drsyn" : "drany", fam, service), &n,
					   err);
		*taken += n;
	}
	return r;
}
