// SPDX-License-Identifier: GPL-2.0-or-later
// When the places of reals are looked after, only while somebody has a limit: at once where a connection ends, and all of
// them not more than one percent of the time (engine_pace_ms(): to list a set costs the square of its size).
#include <event2/event.h>

#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/engine_priv.h"
#include "gwd/occupancy.h"
#include "gwd/vacancy.h"

#define OCCUPANCY_FIRST_MS 5 // after a reload: a new limit's set is empty

static void engine_occupy_in(struct engine *engine, int64_t ms)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	event_add(engine->occupy, &wait);
}

// The services where somebody became full, or is not any more.
static void engine_move_full(struct engine *engine)
{
	const struct plan *applied = &engine->applied;
	for (size_t i = 0; i < applied->services.n; i++)
		for (size_t k = 0; applied->services.v[i].gated && k < applied->services.v[i].reals.n; k++) {
			const struct plan_real *real = &applied->services.v[i].reals.v[k];
			const struct real_now *now = &engine->reals.by_service[i][k];
			if (real->max_connections && real->full != now->full)
				engine_move_real(engine, i);
		}
}

// Trouble that lasts is told once.
static void engine_occupied(struct engine *engine, int r, const struct err *err)
{
	if (r < 0 && !engine->occupy_failed)
		log_warn("real", "places of connections: %s", err->text);
	engine->occupy_failed = r < 0;
	if (r > 0)
		engine_move_full(engine);
}

void engine_vacate(struct engine *engine)
{
	struct err err = {""};
	if (vacancy_due(engine->vacancy) && !engine->reread_nft)
		engine_occupied(engine,
				vacancy_settle(engine->vacancy, &engine->applied, engine->reals.now, &err),
				&err);
}

void engine_on_connection(void *arg, size_t real, const struct ct_flow *flow, bool live)
{
	vacancy_note(((struct engine *)arg)->vacancy, real, flow, live);
}

static void engine_on_occupy(int fd, short what, void *arg)
{
	struct engine *engine = arg;
	struct err err = {""};
	int64_t began_us = mono_cpu_us();
	(void)fd, (void)what;
	if (!engine->reread_nft)
		engine_occupied(engine,
				occupancy_look(engine->occupancy, engine->model, &engine->applied,
					       engine->reals.now, &err),
				&err);
	engine_occupy_in(engine, engine_pace_ms((mono_cpu_us() - began_us) / 1000));
}

void engine_open_occupancy(struct engine *engine)
{
	engine->occupancy = occupancy_new(engine->nft, engine->conntrack);
	engine->vacancy = vacancy_new(engine->nft);
	engine->occupy = event_new(engine->base, -1, 0, engine_on_occupy, engine);
}

void engine_close_occupancy(struct engine *engine)
{
	if (engine->occupy)
		event_free(engine->occupy);
	occupancy_free(engine->occupancy);
	vacancy_free(engine->vacancy);
}

void engine_configure_occupancy(struct engine *engine)
{
	vacancy_configure(engine->vacancy, engine->model);
	if (occupancy_configure(engine->occupancy, engine->model))
		engine_occupy_in(engine, OCCUPANCY_FIRST_MS);
	else
		event_del(engine->occupy);
}
