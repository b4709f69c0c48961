// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/reals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/checker.h"

// Names come first in both structs. Looks from `at` on, where the one that is wanted mostly stands, and
// then from the start. SIZE_MAX: there is none.
static size_t reals_look(const void *entries, size_t n, size_t size, const char *name, size_t at)
{
	for (size_t i = 0; i < n; i++) {
		size_t k = (at + i) % n;
		if (!strcmp((const char *)entries + k * size, name))
			return k;
	}
	return SIZE_MAX;
}

#define REALS_LOOK(vec, name, at) reals_look((vec)->v, (vec)->n, sizeof(*(vec)->v), name, at)

struct reals_real *reals_find(const struct reals *reals, const char *name)
{
	size_t at = REALS_LOOK(&reals->reals, name, 0);
	return at == SIZE_MAX ? NULL : &reals->reals.v[at];
}

struct reals_service *reals_find_service(const struct reals *reals, const char *name)
{
	size_t at = REALS_LOOK(&reals->services, name, 0);
	return at == SIZE_MAX ? NULL : &reals->services.v[at];
}

// ---- carried over ----------------------------------------------------------------------------

struct reals_carry {
	const struct reals *old;
	size_t service, real; // where to look next
	bool old_service;     // the one whose reals are added is carried over
	int64_t now_ms;
};

static void reals_add_real(struct reals *reals, struct reals_carry *carry, const char *service,
			   const struct model_real *conf)
{
	// new to a service that is there: it is seen out of use, so it will be ramped
	struct reals_real entry = {.since_ms = carry->now_ms, .ramp.seen = carry->old_service};
	struct real_now now = REAL_NOTHING;
	snprintf(entry.name, sizeof(entry.name), "%s/%s", service, conf->name);
	if (!conf->n_probes) // nothing has to be found out, so nothing is told
		entry.told = STATE_UP;
	size_t old = REALS_LOOK(&carry->old->reals, entry.name, carry->real);
	if (old != SIZE_MAX) {
		now = carry->old->now[old];
		entry = carry->old->reals.v[old];
		carry->old->reals.v[old].checker = NULL;
		carry->real = old + 1;
	}
	reals->now[reals->reals.n] = now;
	vec_push(&reals->reals, entry);
}

static void reals_add_service(struct reals *reals, struct reals_carry *carry,
			      const struct model_service *conf)
{
	struct reals_service entry = {.since_ms = carry->now_ms};
	size_t old = REALS_LOOK(&carry->old->services, conf->name, carry->service);
	carry->old_service = old != SIZE_MAX;
	if (old != SIZE_MAX) {
		entry = carry->old->services.v[old];
		carry->service = old + 1;
	}
	snprintf(entry.name, sizeof(entry.name), "%s", conf->name);
	entry.first = reals->reals.n;
	entry.n = conf->n_reals;
	vec_push(&reals->services, entry);
	for (size_t i = 0; i < conf->n_reals; i++)
		reals_add_real(reals, carry, conf->name, &conf->reals[i]);
}

void reals_configure(struct reals *reals, const struct model *model, int64_t now_ms)
{
	struct reals fresh = {0};
	struct reals_carry carry = {.old = reals, .now_ms = now_ms};
	size_t n = 0;
	for (size_t i = 0; i < model->n_services; i++)
		n += model->services[i].n_reals;
	vec_reserve(&fresh.services, model->n_services);
	vec_reserve(&fresh.reals, n);
	fresh.now = xcalloc(n, sizeof(*fresh.now));
	fresh.by_service = xcalloc(model->n_services, sizeof(*fresh.by_service));
	for (size_t i = 0; i < model->n_services; i++) {
		fresh.by_service[i] = fresh.now + fresh.reals.n;
		reals_add_service(&fresh, &carry, &model->services[i]);
	}
	reals_free(reals);
	*reals = fresh;
}

void reals_free(struct reals *reals)
{
	vec_each(&reals->reals, real)
		checker_free(real->checker);
	vec_free(&reals->reals);
	vec_free(&reals->services);
	free(reals->now);
	free(reals->by_service);
}
