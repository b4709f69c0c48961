// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/vacancy.h"

#include <stdlib.h>
#include <string.h>

#include "gwd/base/addr.h"
#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "gwd/core/plan.h"
#include "gwd/core/real.h"
#include "gwd/occupancy.h"
#include "nft/conntrack.h"
#include "nft/places.h"

struct vacancy_news {
	size_t real;
	enum fam fam;
	bool live;
	size_t order; // as it was told
	struct place place;
};

// Where a real is in the model.
struct vacancy_real {
	size_t service, at;
};

struct vacancy {
	struct nft *nft;
	const struct model *model;
	VEC(struct vacancy_real) reals; // by number
	VEC(struct vacancy_news) news;
};

struct vacancy *vacancy_new(struct nft *nft)
{
	struct vacancy *vacancy = xcalloc(1, sizeof(*vacancy));
	vacancy->nft = nft;
	return vacancy;
}

void vacancy_free(struct vacancy *vacancy)
{
	if (!vacancy)
		return;
	vec_free(&vacancy->reals);
	vec_free(&vacancy->news);
	free(vacancy);
}

void vacancy_configure(struct vacancy *vacancy, const struct model *model)
{
	vacancy->model = model;
	vacancy->reals.n = vacancy->news.n = 0;
	for (size_t i = 0; i < model->n_services; i++)
		for (size_t k = 0; k < model->services[i].n_reals; k++)
			vec_push(&vacancy->reals, (struct vacancy_real){i, k});
}

static const struct model_real *vacancy_conf(const struct vacancy *vacancy, size_t real)
{
	const struct vacancy_real *entry = &vacancy->reals.v[real];
	return &vacancy->model->services[entry->service].reals[entry->at];
}

void vacancy_note(struct vacancy *vacancy, size_t real, const struct ct_flow *flow, bool live)
{
	const struct ct_tuple *tuple = &flow->orig;
	if (real >= vacancy->reals.n || vacancy->news.n >= VACANCY_MOST ||
	    !vacancy_conf(vacancy, real)->max_connections ||
	    forward_is_direct(vacancy_conf(vacancy, real)->forward))
		return;
	struct vacancy_news news = {real, addr_fam(&tuple->src), live, vacancy->news.n, {0}};
	news.place = place_of(NULL, tuple);
	vec_push(&vacancy->news, news);
}

size_t vacancy_due(const struct vacancy *vacancy)
{
	return vacancy->news.n;
}

// ---- worked off --------------------------------------------------------------------------------

static int vacancy_compare_places(const struct vacancy_news *a, const struct vacancy_news *b)
{
	int order = (a->real > b->real) - (a->real < b->real);
	if (!order)
		order = (int)a->fam - (int)b->fam;
	return order ? order : memcmp(a->place.elem.key, b->place.elem.key, sizeof(a->place.elem.key));
}

static int vacancy_compare(const void *va, const void *vb)
{
	const struct vacancy_news *a = va, *b = vb;
	int order = vacancy_compare_places(a, b);
	return order ? order : (a->order > b->order) - (a->order < b->order);
}

struct vacancy_work {
	const struct plan *applied;
	struct real_now *now;
	VEC(struct place) free;
	bool changed; // somebody became full, or is not any more
};

// News of one real. Of a place that is free and taken again the last word counts.
static void vacancy_collect(const struct vacancy *vacancy, const struct vacancy_news *news, size_t n,
			    struct vacancy_work *work)
{
	const struct vacancy_real *entry = &vacancy->reals.v[news->real];
	const struct plan_set *set[FAM_COUNT];
	if (!occupancy_sets(vacancy->model, work->applied, entry->service, entry->at, set))
		return;
	for (size_t i = 0; i < n; i++) {
		struct place place = news[i].place;
		place.set = set[news[i].fam];
		if (place.set && !news[i].live &&
		    (i + 1 == n || vacancy_compare_places(&news[i], &news[i + 1]) != 0))
			vec_push(&work->free, place);
	}
}

// Only of what is in force: what could not be changed is judged by occupancy.h, later.
static void vacancy_judge(const struct vacancy *vacancy, const struct vacancy_news *news, size_t n,
			  struct vacancy_work *work)
{
	const struct vacancy_real *entry = &vacancy->reals.v[news->real];
	struct real_now *now = &work->now[news->real];
	const struct plan_set *set[FAM_COUNT];
	(void)n;
	if (!occupancy_sets(vacancy->model, work->applied, entry->service, entry->at, set))
		return;
	bool full = occupancy_is_full(vacancy_conf(vacancy, news->real), now->full, now->connections);
	work->changed |= full != now->full;
	now->full = full;
}

typedef void vacancy_real_fn(const struct vacancy *vacancy, const struct vacancy_news *news, size_t n,
			     struct vacancy_work *work);

static void vacancy_each_real(const struct vacancy *vacancy, vacancy_real_fn *fn, struct vacancy_work *work)
{
	const struct vacancy_news *news = vacancy->news.v;
	for (size_t i = 0, n; i < vacancy->news.n; i += n) {
		for (n = 1; i + n < vacancy->news.n && news[i + n].real == news[i].real; n++)
			;
		fn(vacancy, &news[i], n, work);
	}
}

int vacancy_settle(struct vacancy *vacancy, const struct plan *applied, struct real_now *now, struct err *err)
{
	struct vacancy_work work = {.applied = applied, .now = now};
	if (vacancy->news.n)
		qsort(vacancy->news.v, vacancy->news.n, sizeof(*vacancy->news.v), vacancy_compare);
	vacancy_each_real(vacancy, vacancy_collect, &work);
	int r = places_free(vacancy->nft, work.free.v, work.free.n, err);
	if (!r)
		vacancy_each_real(vacancy, vacancy_judge, &work);
	if (!r && work.free.n)
		log_debug("real", "places: %zu given back", work.free.n);
	vacancy->news.n = 0;
	vec_free(&work.free);
	return r ? r : work.changed;
}
