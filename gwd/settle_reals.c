// SPDX-License-Identifier: GPL-2.0-or-later
// The short way for reals: one that dies, comes back, drains, fills up or takes a step of its ramp changes the maps of its
// service. Only the services that moved are built (core/rebuild.h), all of a turn's in one transaction; with a
// thousand services of a hundred reals that is a hundredth of what a plan costs.
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/base/vec.h"
#include "gwd/core/build.h"
#include "gwd/core/diff.h"
#include "gwd/core/model.h"
#include "gwd/core/ramps.h"
#include "gwd/core/rebuild.h"
#include "gwd/engine_priv.h"
#include "gwd/netmon.h"
#include "gwd/tunnels.h"
#include "nft/nft.h"

#define REST_MS 1000

struct moved {
	VEC(struct rebuild) services;
	struct ops ops;
};

// Its services are the model's, in its order, unless the kernel refused the model.
bool engine_knows_service(const struct engine *engine, size_t i)
{
	const struct plan *applied = &engine->applied;
	return i < applied->services.n && i < engine->model->n_services &&
	       applied->services.v[i].reals.n == engine->model->services[i].n_reals &&
	       !strcmp(applied->services.v[i].name, engine->model->services[i].name);
}

static bool moved_build(struct engine *engine, struct moved *moved, int64_t now_ms)
{
	struct build_input input = {
		.model = engine->model,
		.facts = netmon_facts(engine->netmon),
		.manual = &engine->manual,
		.reals = engine->reals.by_service,
		.turns = &engine->turns,
		.now_ms = now_ms,
		.ids = &engine->ids,
		.tunnel_refusals = tunnels_refused(engine->tunnels),
	};
	vec_reserve(&moved->services, engine->reals.moved.n);
	vec_each(&engine->reals.moved, service) {
		struct rebuild *one;
		if (!(engine->reals.services.v[*service].moved & REALS_STATE))
			continue;
		if (!engine_knows_service(engine, *service))
			return false;
		reals_ramp_service(&engine->reals, engine->model, *service, now_ms);
		vec_add(&moved->services, one);
		if (!rebuild_service(one, &engine->applied, &input, *service))
			return false;
	}
	vec_each(&moved->services, one)
		rebuild_diff(&moved->ops, &engine->applied, one);
	vec_each(&moved->services, one)
		rebuild_ends(&moved->ops, &engine->applied, one);
	return true;
}

static void moved_take(struct engine *engine, struct moved *moved, int64_t now_ms)
{
	if (moved->ops.op.n)
		engine->applied_ms = mono_now_ms();
	settle_turns(engine, &moved->ops);
	vec_each(&moved->services, one) {
		rebuild_take(&engine->applied, one);
		reals_note_service(&engine->reals, &engine->applied, one->at, now_ms);
		engine_report_reals_of(engine, &engine->applied, one->at, now_ms);
	}
	engine_end_host(engine);
	reals_planned(&engine->reals); // the rest is steer.c's
	if (moved->services.n)
		settle_wait_for_ramps(engine, now_ms);
}

static void moved_free(struct moved *moved)
{
	vec_each(&moved->services, one)
		rebuild_free(one);
	vec_free(&moved->services);
	ops_free(&moved->ops);
}

bool engine_settle_reals(struct engine *engine)
{
	struct moved moved = {0};
	struct err err;
	int64_t now_ms = mono_now_ms();
	if (engine->flushed || !engine->applied.active || engine->reread_nft)
		return false;
	bool done = moved_build(engine, &moved, now_ms);
	if (done && settle_apply(engine, &engine->applied, &moved.ops, &err)) {
		log_debug("engine", "reals can't be changed: %s", err.text);
		engine->reread_nft = true;
		done = false;
	}
	if (done && engine->failure_minor.text[0]) // to end connections is all that may fail here
		log_warn("real", "not all connections could be ended: %s", engine->failure_minor.text);
	if (done)
		moved_take(engine, &moved, now_ms);
	moved_free(&moved);
	return done;
}

void engine_move_real(struct engine *engine, size_t service)
{
	reals_move(&engine->reals, service, REALS_STATE);
	engine_steer_soon(engine);
}

bool engine_step_ramps(struct engine *engine)
{
	int64_t now_ms = mono_now_ms();
	vec_each(&engine->applied.gateways, gw)
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			if (gw->usable[fam] && !gw->degraded[fam] &&
			    gw->held[fam] !=
				    ramps_held(&engine->ramps, gw->name, fam, now_ms, gw->slow_start_ms))
				return false;
	reals_move_ramped(&engine->reals, engine->model, now_ms);
	engine_steer_soon(engine);
	settle_wait_for_ramps(engine, now_ms);
	return true;
}

// What a change has left goes with the next one, or when there is none for a while.
void engine_drop_rest(struct engine *engine, int64_t now_ms)
{
	struct err err;
	if (!nft_has_rest(engine->nft) || now_ms - engine->applied_ms < REST_MS ||
	    !nft_drop_rest(engine->nft, &err))
		return;
	log_debug("engine", "what is left of a service stays: %s", err.text);
	engine->reread_nft = true;
	engine_dirty(engine);
}
