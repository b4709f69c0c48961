// SPDX-License-Identifier: GPL-2.0-or-later
// The short way for counting schedulers: a batch of conntrack events becomes a few map elements in
// one transaction, without a plan, a diff of it, or anything else being looked at. The slot maps are made by
// the same code as those of a plan, and `applied` follows, so a settle afterwards finds nothing to do.
#include <event2/event.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/core/build_direct.h"
#include "gwd/core/build_service.h"
#include "gwd/core/build_slots.h"
#include "gwd/core/diff.h"
#include "gwd/core/load.h"
#include "gwd/core/names.h"
#include "gwd/core/ring.h"
#include "gwd/engine_priv.h"
#include "gwd/loads.h"
#include "gwd/real_loads.h"
#include "nft/nft.h"

#define STEER_PAUSE_US 1000

// The slot maps as they should be, each beside the one of `applied` that it takes the place of.
struct steer_set {
	struct plan_set set;
	size_t applied; // index into applied.sets
};

struct steer {
	struct load *loads; // by index into applied.gateways
	VEC(struct steer_set) sets;
	struct ops ops;
};

static bool steer_is_due(const struct engine *engine)
{
	if (!engine->applied.active)
		return false;
	vec_each(&engine->applied.groups, group)
		if (ring_schedules(group->scheduler) && loads_counting(engine->loads))
			return true;
	return engine->reals.moved.n > 0;
}

static struct load *steer_loads(const struct engine *engine)
{
	size_t n = engine->applied.gateways.n;
	struct load *loads = xcalloc(n, sizeof(*loads));
	for (size_t i = 0; i < n; i++) {
		const struct load *load = loads_of(engine->loads, engine->applied.gateways.v[i].name);
		loads[i] = load ? *load : LOAD_NOTHING;
	}
	return loads;
}

// Where the packet path stands in the groups' maps of this family.
static void steer_read_turns(struct engine *engine, enum fam fam)
{
	char chain[PLAN_NAME_SIZE];
	uint64_t taken;
	vec_each(&engine->applied.groups, group)
		if (ring_schedules(group->scheduler) &&
		    !nft_read_turns(engine->nft, PLAN_INET, name_group(chain, "group", fam, group), &taken,
				    NULL))
			turns_set(&engine->turns, group->name, fam, taken);
}

static bool steer_goes_by_counts(const struct engine *engine, size_t i)
{
	return engine_knows_service(engine, i) && ring_schedules(engine->applied.services.v[i].scheduler);
}

// Of those who have a connection more or less; nobody else has been drawn.
static void steer_read_service_turns(struct engine *engine, enum fam fam)
{
	char chain[PLAN_NAME_SIZE], key[PLAN_GROUP_NAME_SIZE];
	uint64_t taken;
	vec_each(&engine->reals.moved, i) {
		const struct plan_service *service = &engine->applied.services.v[*i];
		if (steer_goes_by_counts(engine, *i) && service->inet && service->fam[fam] &&
		    !nft_read_turns(engine->nft, PLAN_INET, name_drawer(chain, fam, service), &taken, NULL))
			turns_set(&engine->turns, name_service_turn(key, service, PLAN_INET), fam, taken);
	}
}

// The counts that the applied plan was made from are history.
static void steer_take_counts(struct plan_service *service, const struct real_now *now)
{
	for (size_t k = 0; k < service->reals.n; k++) {
		service->reals.v[k].connections = now[k].connections;
		service->reals.v[k].closed = now[k].closed;
	}
}

static void steer_build_pool(struct engine *engine, struct steer *steer, const struct plan_service *service,
			     enum fam fam, enum plan_table table)
{
	char key[PLAN_GROUP_NAME_SIZE];
	struct steer_set *entry;
	struct ring_turn turn = turns_get(&engine->turns, name_service_turn(key, service, table), fam);
	vec_add(&steer->sets, entry);
	if (table == PLAN_NETDEV)
		build_direct_pool(&entry->set, service, fam, turn);
	else
		build_pool(&entry->set, service, fam, turn);
	const struct plan_set *old = plan_find_set(&engine->applied, entry->set.name);
	entry->applied = old ? (size_t)(old - engine->applied.sets.v) : SIZE_MAX;
}

static void steer_build_services(struct engine *engine, struct steer *steer)
{
	vec_each(&engine->reals.moved, i) {
		struct plan_service *service = &engine->applied.services.v[*i];
		if (!steer_goes_by_counts(engine, *i))
			continue;
		steer_take_counts(service, engine->reals.by_service[*i]);
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
			if (service->fam[fam] && service->inet)
				steer_build_pool(engine, steer, service, fam, PLAN_INET);
			if (service->fam[fam] && service->direct)
				steer_build_pool(engine, steer, service, fam, PLAN_NETDEV);
		}
	}
}

static void steer_build(struct engine *engine, struct steer *steer)
{
	const struct plan *applied = &engine->applied;
	vec_each(&applied->groups, group) {
		for (enum fam fam = FAM_4; ring_schedules(group->scheduler) && fam < FAM_COUNT; fam++) {
			struct steer_set *entry;
			vec_add(&steer->sets, entry);
			build_slots(&entry->set, &(struct build_slots_input){
							 .plan = applied,
							 .group = group,
							 .fam = fam,
							 .model = engine->model,
							 .loads = steer->loads,
							 .turn = turns_get(&engine->turns, group->name, fam),
						 });
			const struct plan_set *old = plan_find_set(applied, entry->set.name);
			entry->applied = old ? (size_t)(old - applied->sets.v) : SIZE_MAX;
		}
	}
	steer_build_services(engine, steer);
	vec_each(&steer->sets, entry)
		if (entry->applied != SIZE_MAX)
			plan_diff_set(&steer->ops, &applied->sets.v[entry->applied], &entry->set);
}

static void steer_take(struct plan *applied, struct steer *steer)
{
	vec_each(&steer->sets, entry) {
		if (entry->applied == SIZE_MAX)
			continue;
		struct plan_set *old = &applied->sets.v[entry->applied], fresh = entry->set;
		memcpy(&entry->set.elems, &old->elems, sizeof(old->elems));
		memcpy(&old->elems, &fresh.elems, sizeof(old->elems));
	}
}

static void steer_free(struct steer *steer)
{
	vec_each(&steer->sets, entry)
		vec_free(&entry->set.elems);
	vec_free(&steer->sets);
	ops_free(&steer->ops);
	free(steer->loads);
}

// A failure is none of ours to mend: settle reads back what the kernel has.
static void steer_run(struct engine *engine)
{
	struct steer steer = {.loads = steer_loads(engine)};
	struct err err;
	for (size_t i = 0; engine->turns_unknown && i < engine->reals.services.n; i++)
		reals_move(&engine->reals, i, REALS_COUNTS);
	if (engine->turns_unknown)
		engine_count_direct(engine);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		if (loads_take_arrivals(engine->loads, fam) || engine->turns_unknown)
			steer_read_turns(engine, fam);
		if (real_loads_take_arrivals(engine->real_loads, fam) || engine->turns_unknown)
			steer_read_service_turns(engine, fam);
	}
	engine->turns_unknown = false;
	steer_build(engine, &steer);
	int r = steer.ops.op.n
			? nft_apply(engine->nft, &engine->applied, steer.ops.op.v, steer.ops.op.n, &err)
			: 0;
	if (!r) {
		steer_take(&engine->applied, &steer);
		reals_settled(&engine->reals);
	} else {
		log_debug("engine", "slots can't be changed: %s", err.text);
		engine->reread_nft = true;
		engine_dirty(engine);
	}
	steer_free(&steer);
}

static void steer_on_event(int fd, short what, void *arg)
{
	struct engine *engine = arg;
	(void)fd, (void)what;
	engine->steered_ms = mono_now_ms();
	if (engine->reread_nft || (engine->reals.moved.n && !engine_settle_reals(engine)))
		engine_dirty(engine);
	else if (steer_is_due(engine))
		steer_run(engine);
	else
		reals_settled(&engine->reals);
}

void engine_steer_soon(struct engine *engine)
{
	struct timeval pause = {.tv_usec = STEER_PAUSE_US};
	if (mono_now_ms() != engine->steered_ms)
		event_active(engine->steer, EV_TIMEOUT, 0);
	else if (!event_pending(engine->steer, EV_TIMEOUT, NULL))
		event_add(engine->steer, &pause);
}

void engine_steer_open(struct engine *engine)
{
	engine->turns_unknown = true;
	engine->steer = event_new(engine->base, -1, 0, steer_on_event, engine);
}

void engine_steer_close(struct engine *engine)
{
	if (engine->steer)
		event_free(engine->steer);
	turns_clear(&engine->turns);
}
