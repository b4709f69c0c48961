// SPDX-License-Identifier: GPL-2.0-or-later
// When the connections of reals by dr and tun are counted: only while a service with such reals goes by counts, one of
// them has max-connections, or one that was taken out has some yet, and not more than one percent of the time (to list a map costs the kernel the
// square of its size: 8 ms with 10,000 connections, 1.3 s with 180,000). Between two countings the packet path
// follows the ring, which was filled for as many arrivals as there were between the last two (turns.h).
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/core/leaving.h"
#include "gwd/core/model.h"
#include "gwd/core/names.h"
#include "gwd/core/ring.h"
#include "gwd/direct_loads.h"
#include "gwd/direct_places.h"
#include "gwd/engine_priv.h"

#define DIRECT_FIRST_MS 5 // after a reload
#define DIRECT_SHARE 100  // of the processor, one part in so many
#define DIRECT_MIN_MS 200
#define DIRECT_MAX_MS 60000
#define DIRECT_DEAR_MS 50 // to count for this long is not done again and again only to be shown

// One service's last counting.
struct direct_counted {
	struct direct_load *loads; // NULL: none
	size_t n;
	int64_t taken_ms, cost_ms;
	uint64_t mended; // direct_places_sets() that need no more of it
};

struct direct_counts {
	VEC(struct direct_counted) services; // as applied.services
};

static void engine_count_in(struct engine *engine, int64_t ms)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	event_add(engine->count_direct, &wait);
}

// ---- counted ------------------------------------------------------------------------------------

int64_t engine_pace_ms(int64_t cost_ms)
{
	int64_t wait_ms = cost_ms * DIRECT_SHARE;
	return wait_ms < DIRECT_MIN_MS ? DIRECT_MIN_MS : wait_ms > DIRECT_MAX_MS ? DIRECT_MAX_MS : wait_ms;
}

static void engine_forget_counts(struct direct_counts *counts)
{
	vec_each(&counts->services, entry)
		free(entry->loads);
	vec_free(&counts->services);
}

static struct direct_counted *engine_counted(const struct engine *engine, size_t i)
{
	while (engine->counts->services.n <= i)
		vec_push(&engine->counts->services, (struct direct_counted){0});
	return &engine->counts->services.v[i];
}

static int engine_list_now(const struct engine *engine, size_t i, struct direct_load *loads, struct err *err)
{
	const struct plan_service *service = &engine->applied.services.v[i];
	struct direct_counted *entry = engine_counted(engine, i);
	size_t size = service->reals.n * sizeof(*loads);
	int64_t began_us = mono_cpu_us();
	int r = direct_loads_list(engine->nft, &engine->applied, service, loads, err);
	if (r)
		return r;
	entry->cost_ms = (mono_cpu_us() - began_us) / 1000;
	entry->taken_ms = mono_now_ms();
	entry->n = service->reals.n;
	entry->loads = xrealloc(entry->loads, size);
	memcpy(entry->loads, loads, size);
	return 0;
}

int engine_list_direct(const struct engine *engine, size_t i, struct direct_load *loads, struct err *err)
{
	const struct direct_counted *entry = engine_counted(engine, i);
	bool dear = entry->loads && entry->n == engine->applied.services.v[i].reals.n &&
		    entry->cost_ms >= DIRECT_DEAR_MS;
	if (!dear || mono_now_ms() - entry->taken_ms > engine_pace_ms(entry->cost_ms))
		return engine_list_now(engine, i, loads, err);
	memcpy(loads, entry->loads, entry->n * sizeof(*loads));
	return 0;
}

static int engine_mend_places(struct engine *engine, size_t i, struct err *err)
{
	const struct plan_service *service = &engine->applied.services.v[i];
	struct direct_counted *entry = engine_counted(engine, i);
	uint64_t sets = direct_places_sets(service);
	if (!service->direct_gated || entry->mended == sets)
		return 0;
	int r = direct_places_mend(engine->nft, &engine->applied, service, err);
	entry->mended = r ? 0 : sets;
	return r < 0 ? r : 0;
}

static void engine_judge_places(struct engine *engine, size_t i)
{
	const struct plan_service *service = &engine->applied.services.v[i];
	bool changed = false;
	for (size_t k = 0; k < service->reals.n; k++) {
		const struct plan_real *real = &service->reals.v[k];
		const struct model_real *conf = &engine->model->services[i].reals[k];
		struct real_now *now = &engine->reals.now[reals_index(&engine->reals, i, k)];
		if (!plan_real_is_direct(real) || !conf->max_connections)
			continue;
		now->full = direct_places_full(conf, now->full, now->connections);
		changed |= real->max_connections && now->full != real->full;
	}
	if (changed)
		engine_move_real(engine, i);
}

static int engine_count_taken(struct engine *engine, size_t i, struct err *err)
{
	const struct plan_service *service = &engine->applied.services.v[i];
	char key[PLAN_GROUP_NAME_SIZE];
	uint64_t taken;
	int r = 0;
	for (enum fam fam = FAM_4; !r && fam < FAM_COUNT; fam++) {
		if (!service->fam[fam])
			continue;
		r = direct_loads_turns(engine->nft, service, fam, &taken, err);
		if (!r)
			turns_set_paced(&engine->turns, name_service_turn(key, service, PLAN_NETDEV), fam,
					taken);
	}
	reals_move(&engine->reals, i, REALS_COUNTS);
	return r;
}

// Counts first: who comes meanwhile has used up a slot, and counts the next time.
static int engine_count_service(struct engine *engine, size_t i, struct err *err)
{
	const struct plan_service *service = &engine->applied.services.v[i];
	struct direct_load *loads = xcalloc(service->reals.n, sizeof(*loads));
	int r = engine_list_now(engine, i, loads, err);
	for (size_t k = 0; !r && k < service->reals.n; k++) {
		struct real_now *now = &engine->reals.now[reals_index(&engine->reals, i, k)];
		if (!plan_real_is_direct(&service->reals.v[k]))
			continue;
		now->connections = loads[k].live;
		now->closed = loads[k].closed;
	}
	free(loads);
	if (!r)
		r = engine_mend_places(engine, i, err);
	if (!r)
		engine_judge_places(engine, i);
	if (!r && ring_schedules(service->scheduler))
		r = engine_count_taken(engine, i, err);
	return r;
}

static bool engine_counts_service(const struct engine *engine, size_t i)
{
	if (!engine_knows_service(engine, i))
		return false;
	const struct plan_service *service = &engine->applied.services.v[i];
	return service->direct && (service->direct_gated || ring_schedules(service->scheduler));
}

// Trouble that lasts is told once.
void engine_count_direct(struct engine *engine)
{
	struct err err = {""};
	int r = 0;
	for (size_t i = 0; !r && i < engine->reals.services.n; i++)
		if (engine_counts_service(engine, i))
			r = engine_count_service(engine, i, &err);
	if (r && !engine->count_failed)
		log_warn("loads", "connections of reals by dr and tun can't be counted: %s", err.text);
	engine->count_failed = r != 0;
}

// ---- reals that are taken out ------------------------------------------------------------------

// Leaves those in the list whose connections go on. What can't be found out counts as going on.
static void engine_drop_left(struct engine *engine, const struct plan *plan, struct leaving *leaving)
{
	struct err err = {""};
	struct direct_load *loads = xcalloc(leaving->ids.n, sizeof(*loads));
	size_t kept = 0;
	int r = 0;
	vec_each(&plan->services, service)
		if (!r && leaving->ids.n && service->direct && !service->cut)
			r = direct_loads_list_ids(engine->nft, plan, service, leaving->ids.v, leaving->ids.n,
						  loads, &err);
	if (r)
		log_debug("real", "connections of reals that were taken out: %s", err.text);
	for (size_t i = 0; i < leaving->ids.n; i++)
		if (r || loads[i].live || loads[i].closed)
			leaving->ids.v[kept++] = leaving->ids.v[i];
	leaving->ids.n = kept;
	free(loads);
}

void engine_find_leaving(struct engine *engine, const struct plan *plan, struct leaving *leaving)
{
	if (plan->netdev)
		leaving_find(leaving, &engine->applied, plan);
	engine_drop_left(engine, plan, leaving);
	leaving_find_tunnels(leaving, &engine->applied);
	engine->leaving = leaving->ids.n;
	if (leaving->ids.n && !event_pending(engine->count_direct, EV_TIMEOUT, NULL))
		engine_count_in(engine, DIRECT_MIN_MS);
}

static void engine_look_for_left(struct engine *engine)
{
	struct leaving leaving = {0};
	leaving_find(&leaving, &engine->applied, &engine->applied);
	engine_drop_left(engine, &engine->applied, &leaving);
	if (leaving.ids.n < engine->leaving)
		engine_dirty(engine);
	leaving_free(&leaving);
}

// ---- when ----------------------------------------------------------------------------------------

static bool engine_needs_count(const struct model *model)
{
	for (size_t i = 0; i < model->n_services; i++)
		for (size_t k = 0; k < model->services[i].n_reals; k++)
			if (forward_is_direct(model->services[i].reals[k].forward) &&
			    (model->services[i].reals[k].max_connections ||
			     ring_schedules(model->services[i].scheduler)))
				return true;
	return false;
}

static void engine_on_count(int fd, short what, void *arg)
{
	struct engine *engine = arg;
	int64_t began_us = mono_cpu_us();
	(void)fd, (void)what;
	if (engine->applied.active && !engine->reread_nft) {
		engine_count_direct(engine);
		engine_steer_soon(engine);
		if (engine->leaving)
			engine_look_for_left(engine);
	}
	if (engine->leaving || engine_needs_count(engine->model))
		engine_count_in(engine, engine_pace_ms((mono_cpu_us() - began_us) / 1000));
}

void engine_open_direct(struct engine *engine)
{
	engine->counts = xcalloc(1, sizeof(*engine->counts));
	engine->count_direct = event_new(engine->base, -1, 0, engine_on_count, engine);
}

void engine_close_direct(struct engine *engine)
{
	if (engine->count_direct)
		event_free(engine->count_direct);
	if (engine->counts)
		engine_forget_counts(engine->counts);
	free(engine->counts);
}

void engine_configure_direct(struct engine *engine)
{
	engine_forget_counts(engine->counts);
	if (engine->leaving || engine_needs_count(engine->model))
		engine_count_in(engine, DIRECT_FIRST_MS);
	else
		event_del(engine->count_direct);
}
