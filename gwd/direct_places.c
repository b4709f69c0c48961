// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/direct_places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/err.h"
#include "gwd/base/hash.h"
#include "gwd/base/log.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "gwd/core/names.h"
#include "gwd/core/plan.h"
#include "gwd/occupancy.h"
#include "nft/nft.h"
#include "nft/places.h"

#define DIRECT_PLACES_MS 7500000 // of a connection that an operator put into the map for ever

// Connections, or places: `elem` has the key, and the time that is left.
struct direct_places {
	VEC(struct place) v;
};

struct direct_conns {
	const struct plan_set *set; // of the real's places
	uint32_t id;
	struct direct_places *out;
};

static int direct_compare_places(const void *va, const void *vb)
{
	const struct place *a = va, *b = vb;
	return memcmp(a->elem.key, b->elem.key, sizeof(a->elem.key));
}

static void direct_sort_places(struct direct_places *places)
{
	size_t kept = 0;
	if (places->v.n)
		qsort(places->v.v, places->v.n, sizeof(*places->v.v), direct_compare_places);
	for (size_t i = 0; i < places->v.n; i++)
		if (!kept || direct_compare_places(&places->v.v[kept - 1], &places->v.v[i]) != 0)
			places->v.v[kept++] = places->v.v[i];
	places->v.n = kept;
}

static bool direct_has_place(const struct direct_places *places, const struct place *place)
{
	return places->v.n &&
	       bsearch(place, places->v.v, places->v.n, sizeof(*places->v.v), direct_compare_places);
}

// ---- listed ------------------------------------------------------------------------------------

static void direct_list_conn(void *arg, const uint8_t *key, unsigned key_size, uint32_t id,
			     uint64_t expires_ms)
{
	const struct direct_conns *conns = arg;
	struct place place = {.set = conns->set};
	if (id != conns->id || key_size > sizeof(place.elem.key))
		return;
	memcpy(place.elem.key, key, key_size);
	place.elem.mark =
		expires_ms && expires_ms < DIRECT_PLACES_MS ? (uint32_t)expires_ms : DIRECT_PLACES_MS;
	vec_push(&conns->out->v, place);
}

static void direct_list_place(void *arg, const struct place *place)
{
	struct direct_places *places = arg;
	vec_push(&places->v, *place);
}

// A connection's elements change maps meanwhile: whoever is in both is there once.
static int direct_list_conns(struct direct_conns *conns, struct nft *nft, const struct plan *applied,
			     const struct plan_service *service, enum fam fam, struct err *err)
{
	static const char *const kinds[] = {"drhalf", "drconn"};
	char map[PLAN_NAME_SIZE];
	int r = 0;
	for (size_t i = 0; !r && i < ARRAY_SIZE(kinds); i++)
		if (plan_find_set(applied, name_service(map, kinds[i], fam, service)))
			r = nft_dump_conns(nft, map, direct_list_conn, conns, err);
	direct_sort_places(conns->out);
	return r;
}

// ---- given -------------------------------------------------------------------------------------

// There may be less room than was seen: what is over counts until it is swept, and connections begin.
static int direct_give(struct nft *nft, struct direct_places *missing, size_t room, struct err *err)
{
	size_t done = 0, n = missing->v.n < room ? missing->v.n : room;
	int r = 0;
	for (size_t most = n; most && done < n; most = r ? most / 2 : most) {
		size_t some = n - done < most ? n - done : most;
		r = places_take(nft, missing->v.v + done, some, err);
		if (r && r != -ENFILE)
			return r;
		done += r ? 0 : some;
	}
	missing->v.n = done;
	return 0;
}

// Who went before it had its place did not give it back.
static int direct_take_back(struct nft *nft, const struct direct_places *given,
			    const struct direct_places *conns, struct err *err)
{
	struct direct_places gone = {0};
	vec_each(&given->v, place)
		if (!direct_has_place(conns, place))
			vec_push(&gone.v, *place);
	int r = places_free(nft, gone.v.v, gone.v.n, err);
	vec_free(&gone.v);
	return r;
}

static void direct_find_missing(struct direct_places *missing, const struct direct_places *conns,
				const struct direct_places *places)
{
	vec_each(&conns->v, conn)
		if (!direct_has_place(places, conn))
			vec_push(&missing->v, *conn);
}

static int direct_mend_real(struct nft *nft, const struct plan *applied, const struct plan_service *service,
			    const struct plan_real *real, enum fam fam, struct err *err)
{
	char name[PLAN_NAME_SIZE];
	struct direct_places places = {0}, now = {0}, missing = {0};
	struct direct_conns conns = {plan_find_set(applied, name_places(name, fam, service, real)), real->id,
				     &now};
	if (!conns.set)
		return 0;
	int r = places_list(nft, conns.set, direct_list_place, &places, err);
	if (!r)
		r = direct_list_conns(&conns, nft, applied, service, fam, err);
	direct_sort_places(&places);
	direct_find_missing(&missing, &now, &places);
	size_t wanted = missing.v.n;
	if (!r && wanted && places.v.n >= conns.set->size)
		missing.v.n = 0; // there is none
	if (!r && missing.v.n) {
		r = direct_give(nft, &missing, conns.set->size - places.v.n, err);
		now.v.n = 0;
		if (!r)
			r = direct_list_conns(&conns, nft, applied, service, fam, err);
		if (!r)
			r = direct_take_back(nft, &missing, &now, err);
		log_debug("real", "%s/%s: %zu connections got a place", service->name, real->name,
			  missing.v.n);
	}
	bool again = missing.v.n < wanted;
	vec_free(&places.v);
	vec_free(&now.v);
	vec_free(&missing.v);
	return r ? r : again;
}

// A set that isn't loaded yet is looked at when it is.
int direct_places_mend(struct nft *nft, const struct plan *applied, const struct plan_service *service,
		       struct err *err)
{
	bool again = false;
	vec_each(&service->reals, real)
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
			int r = plan_real_has_places(real, fam)
					? direct_mend_real(nft, applied, service, real, fam, err)
					: 0;
			if (r < 0 && r != -ENOENT)
				return r;
			again |= r != 0;
		}
	err->text[0] = 0;
	return again;
}

// ---- judged ------------------------------------------------------------------------------------

uint64_t direct_places_sets(const struct plan_service *service)
{
	char name[PLAN_NAME_SIZE];
	uint64_t hash = HASH_START;
	vec_each(&service->reals, real)
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			if (plan_real_has_places(real, fam)) {
				name_places(name, fam, service, real);
				hash = hash_add(hash, name, strlen(name) + 1);
			}
	return hash_end(hash) | 1;
}

bool direct_places_full(const struct model_real *real, bool was, uint64_t live)
{
	if (real->min_connections >= real->max_connections)
		return live > real->max_connections;
	return occupancy_is_full(real, was, live);
}
