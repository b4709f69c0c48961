// SPDX-License-Identifier: GPL-2.0-or-later
// When the places of reals are looked after: only while somebody has a limit, and not more than one percent of the time.
#include <event2/event.h>

#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/engine_priv.h"
#include "gwd/occupancy.h"

#define OCCUPANCY_SHARE 100  // one part in so many
#define OCCUPANCY_FIRST_MS 5 // after a reload: a new limit's set is empty

static void engine_occupy_in(struct engine *engine, int64_t ms)
{
	struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	event_add(engine->occupy, &wait);
}

static void engine_on_occupy(int fd, short what, void *arg)
{
	struct engine *engine = arg;
	struct err err = {""};
	int64_t began_ms = mono_now_ms();
	(void)fd, (void)what;
	int r = engine->reread_nft ? 0
				   : occupancy_look(engine->occupancy, engine->model, &engine->applied,
						    engine->reals.now, &err);
	if (r < 0)
		log_warn("real", "places of connections: %s", err.text);
	if (r > 0)
		engine_dirty(engine);
	int64_t wait_ms = (mono_now_ms() - began_ms) * OCCUPANCY_SHARE;
	engine_occupy_in(engine, wait_ms < OCCUPANCY_MIN_MS   ? OCCUPANCY_MIN_MS
				 : wait_ms > OCCUPANCY_MAX_MS ? OCCUPANCY_MAX_MS
							      : wait_ms);
}

void engine_open_occupancy(struct engine *engine)
{
	engine->occupancy = occupancy_new(engine->nft, engine->conntrack);
	engine->occupy = event_new(engine->base, -1, 0, engine_on_occupy, engine);
}

void engine_close_occupancy(struct engine *engine)
{
	if (engine->occupy)
		event_free(engine->occupy);
	occupancy_free(engine->occupancy);
}

void engine_configure_occupancy(struct engine *engine)
{
	if (occupancy_configure(engine->occupancy, engine->model))
		engine_occupy_in(engine, OCCUPANCY_FIRST_MS);
	else
		event_del(engine->occupy);
}
