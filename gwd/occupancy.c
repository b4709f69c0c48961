// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/occupancy.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "gwd/core/names.h"
#include "gwd/core/plan.h"
#include "gwd/core/real.h"
#include "gwd/core/tuples.h"
#include "gwd/real_flows.h"
#include "nft/conntrack.h"
#include "nft/nft.h"
#include "nft/places.h"

// A place that is taken, or a connection that should have one.
struct occupancy_one {
	size_t real; // its number
	bool over;   // the connection has ended, though conntrack has it yet
	struct place place;
};

struct occupancy_list {
	VEC(struct occupancy_one) v;
};

struct occupancy_real {
	const struct model_real *conf;         // with a limit, and in the kernel; else NULL
	const struct plan_set *set[FAM_COUNT]; // NULL: it has none of that family
	bool direct;                           // its places are direct_places.h's
	uint64_t live;
};

struct occupancy {
	struct nft *nft;
	struct conntrack *ct;
	struct tuples *tuples;
	size_t n_reals;
	struct occupancy_real *reals; // of all services, one after the other
	struct occupancy_list doubtful;
};

struct occupancy *occupancy_new(struct nft *nft, struct conntrack *ct)
{
	struct occupancy *occupancy = xcalloc(1, sizeof(*occupancy));
	occupancy->nft = nft;
	occupancy->ct = ct;
	return occupancy;
}

static void occupancy_clear(struct occupancy *occupancy)
{
	tuples_free(occupancy->tuples);
	free(occupancy->reals);
	vec_free(&occupancy->doubtful.v);
	occupancy->tuples = NULL;
	occupancy->reals = NULL;
	occupancy->n_reals = 0;
}

void occupancy_free(struct occupancy *occupancy)
{
	if (!occupancy)
		return;
	occupancy_clear(occupancy);
	free(occupancy);
}

bool occupancy_configure(struct occupancy *occupancy, const struct model *model)
{
	bool any = false;
	occupancy_clear(occupancy);
	for (size_t i = 0; i < model->n_services; i++) {
		occupancy->n_reals += model->services[i].n_reals;
		for (size_t k = 0; k < model->services[i].n_reals; k++)
			any |= model->services[i].reals[k].max_connections > 0 &&
			       !forward_is_direct(model->services[i].reals[k].forward);
	}
	if (!any)
		return false;
	occupancy->tuples = tuples_new(model);
	occupancy->reals = xcalloc(occupancy->n_reals, sizeof(*occupancy->reals));
	return true;
}

// ---- what the kernel has ---------------------------------------------------------------------

// By real and key: the sets are another plan's after each change.
static int occupancy_compare(const void *va, const void *vb)
{
	const struct occupancy_one *a = va, *b = vb;
	int order = (a->real > b->real) - (a->real < b->real);
	if (!order)
		order = memcmp(a->place.elem.key, b->place.elem.key, sizeof(a->place.elem.key));
	return order;
}

// An ended connection behind the live one that took its ports again.
static int occupancy_compare_over(const void *va, const void *vb)
{
	const struct occupancy_one *a = va, *b = vb;
	int order = occupancy_compare(a, b);
	return order ? order : (int)a->over - (int)b->over;
}

static void occupancy_sort(struct occupancy_list *list)
{
	size_t kept = 0;
	if (!list->v.n)
		return;
	qsort(list->v.v, list->v.n, sizeof(*list->v.v), occupancy_compare_over);
	for (size_t i = 0; i < list->v.n; i++)
		if (!kept || occupancy_compare(&list->v.v[kept - 1], &list->v.v[i]) != 0)
			list->v.v[kept++] = list->v.v[i];
	list->v.n = kept;
}

struct occupancy_listing {
	struct occupancy *occupancy;
	struct occupancy_list *list;
	size_t real;
};

static void occupancy_take_place(void *arg, const struct place *place)
{
	struct occupancy_listing *listing = arg;
	vec_push(&listing->list->v, (struct occupancy_one){.real = listing->real, .place = *place});
}

static int occupancy_list_places(struct occupancy *occupancy, struct occupancy_list *list, struct err *err)
{
	int r = 0;
	for (size_t i = 0; !r && i < occupancy->n_reals; i++)
		for (enum fam fam = FAM_4; !r && fam < FAM_COUNT; fam++) {
			struct occupancy_listing listing = {occupancy, list, i};
			if (occupancy->reals[i].set[fam])
				r = places_list(occupancy->nft, occupancy->reals[i].set[fam],
						occupancy_take_place, &listing, err);
		}
	return r;
}

static void occupancy_take_flow(void *arg, const struct ct_flow *flow)
{
	struct occupancy_listing *listing = arg;
	const struct occupancy *occupancy = listing->occupancy;
	size_t real = real_flow_whose(occupancy->tuples, flow);
	const struct plan_set *set =
		real < occupancy->n_reals ? occupancy->reals[real].set[addr_fam(&flow->orig.src)] : NULL;
	if (!set)
		return;
	struct occupancy_one one = {.real = real, .over = conntrack_is_over(flow)};
	one.place = place_of(set, &flow->orig);
	vec_push(&listing->list->v, one);
}

// ---- compared --------------------------------------------------------------------------------

static bool occupancy_was_doubtful(const struct occupancy *occupancy, const struct occupancy_one *one)
{
	const struct occupancy_list *list = &occupancy->doubtful;
	return list->v.n && bsearch(one, list->v.v, list->v.n, sizeof(*list->v.v), occupancy_compare) != NULL;
}

struct occupancy_change {
	VEC(struct place) free, take;
	struct occupancy_list doubtful;
};

static void occupancy_merge(struct occupancy *occupancy, const struct occupancy_list *places,
			    const struct occupancy_list *flows, struct occupancy_change *change)
{
	size_t p = 0, f = 0;
	while (p < places->v.n || f < flows->v.n) {
		const struct occupancy_one *place = p < places->v.n ? &places->v.v[p] : NULL;
		const struct occupancy_one *flow = f < flows->v.n ? &flows->v.v[f] : NULL;
		int order = !place ? 1 : !flow ? -1 : occupancy_compare(place, flow);
		if (order >= 0 && !flow->over)
			occupancy->reals[flow->real].live++;
		bool vacant = order < 0 || (order == 0 && flow->over);
		if (vacant && !occupancy_was_doubtful(occupancy, place))
			vec_push(&change->doubtful.v, *place);
		else if (vacant)
			vec_push(&change->free, place->place);
		else if (order > 0 && !flow->over)
			vec_push(&change->take, flow->place);
		p += order <= 0;
		f += order >= 0;
	}
}

// More connections than places is what a lowered limit leaves: as many of them as there is room for.
static int occupancy_take_some(struct occupancy *occupancy, const struct place *places, size_t n,
			       struct err *err)
{
	size_t most = n < places->set->size ? n : places->set->size;
	int r = places_take(occupancy->nft, places, most, err);
	for (size_t i = 0; r == -ENFILE && i < most; i++)
		if (places_take(occupancy->nft, &places[i], 1, NULL))
			break;
	return r == -ENFILE ? 0 : r;
}

static int occupancy_take(struct occupancy *occupancy, const struct occupancy_change *change, struct err *err)
{
	int r = 0;
	for (size_t i = 0, n; !r && i < change->take.n; i += n) {
		for (n = 1; i + n < change->take.n && change->take.v[i + n].set == change->take.v[i].set; n++)
			;
		r = occupancy_take_some(occupancy, &change->take.v[i], n, err);
	}
	return r;
}

static int occupancy_change_kernel(struct occupancy *occupancy, struct occupancy_change *change,
				   struct err *err)
{
	int r = places_free(occupancy->nft, change->free.v, change->free.n, err);
	if (!r)
		r = occupancy_take(occupancy, change, err);
	if (change->free.n || change->take.n)
		log_debug("real", "places: %zu free again, %zu taken", change->free.n, change->take.n);
	return r;
}

// ---- who is full -----------------------------------------------------------------------------

bool occupancy_is_full(const struct model_real *real, bool was, uint64_t live)
{
	return live >= (was ? real->min_connections : real->max_connections);
}

static bool occupancy_judge(const struct occupancy *occupancy, struct real_now *now)
{
	bool changed = false;
	for (size_t i = 0; i < occupancy->n_reals; i++) {
		const struct occupancy_real *real = &occupancy->reals[i];
		if (real->direct)
			continue;
		bool full = real->conf && occupancy_is_full(real->conf, now[i].full, real->live);
		changed |= full != now[i].full;
		now[i].full = full;
	}
	return changed;
}

bool occupancy_sets(const struct model *model, const struct plan *applied, size_t i, size_t k,
		    const struct plan_set *set[])
{
	char name[PLAN_NAME_SIZE];
	const struct plan_service *service = i < applied->services.n ? &applied->services.v[i] : NULL;
	if (!service || k >= service->reals.n || strcmp(service->name, model->services[i].name) != 0 ||
	    strcmp(service->reals.v[k].name, model->services[i].reals[k].name) != 0 ||
	    !service->reals.v[k].max_connections || plan_real_is_direct(&service->reals.v[k]))
		return false;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		set[fam] = plan_find_set(applied, name_places(name, fam, service, &service->reals.v[k]));
	return true;
}

static void occupancy_find_sets(struct occupancy *occupancy, const struct model *model,
				const struct plan *applied)
{
	size_t at = 0;
	for (size_t i = 0; i < model->n_services; i++)
		for (size_t k = 0; k < model->services[i].n_reals; k++, at++) {
			struct occupancy_real *real = &occupancy->reals[at];
			*real = (struct occupancy_real){
				.direct = forward_is_direct(model->services[i].reals[k].forward)};
			if (occupancy_sets(model, applied, i, k, real->set))
				real->conf = &model->services[i].reals[k];
		}
}

int occupancy_look(struct occupancy *occupancy, const struct model *model, const struct plan *applied,
		   struct real_now *now, struct err *err)
{
	struct occupancy_list places = {0}, flows = {0};
	struct occupancy_change change = {0};
	struct occupancy_listing listing = {.occupancy = occupancy, .list = &flows};
	occupancy_find_sets(occupancy, model, applied);
	int r = occupancy_list_places(occupancy, &places, err);
	if (!r)
		r = conntrack_dump(occupancy->ct, real_flows_status(model), occupancy_take_flow, &listing,
				   err);
	if (!r) {
		occupancy_sort(&places);
		occupancy_sort(&flows);
		occupancy_merge(occupancy, &places, &flows, &change);
		r = occupancy_change_kernel(occupancy, &change, err);
		vec_free(&occupancy->doubtful.v);
		occupancy->doubtful = change.doubtful;
	}
	if (!r)
		r = occupancy_judge(occupancy, now);
	vec_free(&places.v);
	vec_free(&flows.v);
	vec_free(&change.free);
	vec_free(&change.take);
	return r;
}
