// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/reals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/hash.h"
#include "gwd/core/ring.h"
#include "probes/checker.h"

// ---- by name ---------------------------------------------------------------------------------

#define REALS_INDEX_LEAST 16

static uint32_t *reals_place(const struct reals *reals, const char *name)
{
	size_t at = (size_t)hash_str(name) & (reals->index_size - 1);
	while (reals->index[at] && strcmp(reals->reals.v[reals->index[at] - 1].name, name) != 0)
		at = (at + 1) & (reals->index_size - 1);
	return &reals->index[at];
}

static void reals_make_index(struct reals *reals)
{
	reals->index_size = REALS_INDEX_LEAST;
	while (reals->index_size < 2 * reals->reals.n)
		reals->index_size *= 2;
	reals->index = xcalloc(reals->index_size, sizeof(*reals->index));
	for (size_t i = 0; i < reals->reals.n; i++)
		*reals_place(reals, reals->reals.v[i].name) = (uint32_t)i + 1;
}

struct reals_real *reals_find(const struct reals *reals, const char *name)
{
	const uint32_t *place = reals->index ? reals_place(reals, name) : NULL;
	return place && *place ? &reals->reals.v[*place - 1] : NULL;
}

// Looks from `at` on, where it mostly stands, and then from the start.
static struct reals_service *reals_look(const struct reals *reals, const char *name, size_t at)
{
	for (size_t i = 0; i < reals->services.n; i++) {
		struct reals_service *service = &reals->services.v[(at + i) % reals->services.n];
		if (!strcmp(service->name, name))
			return service;
	}
	return NULL;
}

// ---- what is not in force yet ----------------------------------------------------------------

void reals_move(struct reals *reals, size_t service, enum reals_moved what)
{
	struct reals_service *entry = &reals->services.v[service];
	if (what == REALS_COUNTS && !entry->by_counts)
		return;
	if (!entry->moved)
		vec_push(&reals->moved, service);
	entry->moved |= what;
}

void reals_settled(struct reals *reals)
{
	vec_each(&reals->moved, service)
		reals->services.v[*service].moved = 0;
	reals->moved.n = 0;
}

void reals_planned(struct reals *reals)
{
	size_t kept = 0;
	for (size_t i = 0; i < reals->moved.n; i++) {
		size_t service = reals->moved.v[i];
		reals->services.v[service].moved &= REALS_COUNTS;
		if (reals->services.v[service].moved)
			reals->moved.v[kept++] = service;
	}
	reals->moved.n = kept;
}

// ---- carried over ----------------------------------------------------------------------------

struct reals_carry {
	struct reals *old;
	size_t service;   // where to look next
	bool old_service; // the one whose reals are added is carried over
	int64_t now_ms;
};

// What is taken has no name any more.
static void reals_take(struct reals *old, struct reals_real *entry, struct real_now *now)
{
	for (; old; old = old->before) {
		struct reals_real *found = reals_find(old, entry->name);
		if (!found)
			continue;
		*now = old->now[found - old->reals.v];
		*entry = *found;
		*found = (struct reals_real){0};
		return;
	}
}

static void reals_add_real(struct reals *reals, struct reals_carry *carry, const char *service,
			   const struct model_real *conf)
{
	// new to a service that is there: it is seen out of use, so it will be ramped
	struct reals_real entry = {.since_ms = carry->now_ms, .ramp.seen = carry->old_service};
	struct real_now now = REAL_NOTHING;
	snprintf(entry.name, sizeof(entry.name), "%s/%s", service, conf->name);
	if (!conf->n_probes) // nothing has to be found out, so nothing is told
		entry.told = STATE_UP;
	reals_take(carry->old, &entry, &now);
	entry.service = (uint32_t)reals->services.n - 1;
	reals->now[reals->reals.n] = now;
	vec_push(&reals->reals, entry);
}

static void reals_add_service(struct reals *reals, struct reals_carry *carry,
			      const struct model_service *conf)
{
	struct reals_service entry = {.since_ms = carry->now_ms};
	struct reals_service *found = NULL;
	for (const struct reals *old = carry->old; old && !found; old = old->before) {
		found = reals_look(old, conf->name, carry->service);
		if (found && old == carry->old)
			carry->service = (size_t)(found - old->services.v) + 1;
	}
	carry->old_service = found != NULL;
	if (found) {
		entry = *found;
		found->name[0] = 0;
	}
	snprintf(entry.name, sizeof(entry.name), "%s", conf->name);
	entry.first = reals->reals.n;
	entry.n = conf->n_reals;
	entry.by_counts = ring_schedules(conf->scheduler);
	entry.moved = 0; // a new model makes a whole plan
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
	reals_make_index(&fresh);
	fresh.before = xcalloc(1, sizeof(*fresh.before));
	*fresh.before = *reals;
	*reals = fresh;
}

void reals_drop_left(struct reals *reals)
{
	struct reals *before = reals->before;
	reals->before = NULL;
	if (before)
		reals_free(before);
	free(before);
}

void reals_free(struct reals *reals)
{
	vec_each(&reals->reals, real)
		checker_free(real->checker);
	vec_free(&reals->reals);
	vec_free(&reals->services);
	vec_free(&reals->moved);
	reals_drop_left(reals);
	free(reals->index);
	free(reals->now);
	free(reals->by_service);
}
