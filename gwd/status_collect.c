// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/status.h"

#include <string.h>
#include <time.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/core/facts.h"
#include "gwd/core/names.h"
#include "gwd/core/plan.h"
#include "gwd/core/tuples.h"
#include "gwd/direct_loads.h"
#include "gwd/engine.h"
#include "gwd/pins.h"
#include "gwd/real_flows.h"
#include "gwd/reals.h"
#include "nft/conntrack.h"
#include "nft/nft.h"

// A figure that can't be had is shown as unknown: status must answer when half of it is broken.

static void collect_flows(const struct engine *engine, struct status_measured *measured)
{
	const struct model *model = engine_model(engine);
	const struct plan *plan = engine_applied(engine);
	unsigned n_ids = model_max_ids(plan->mark_mask) + 1;
	uint64_t *counts = xcalloc(n_ids, sizeof(*counts));
	struct err err;
	int rc = conntrack_count(engine_conntrack(engine), plan->mark_mask, counts, n_ids, &err);
	if (rc < 0)
		log_warn("status", "flows can't be counted: %s", err.text);
	vec_each(&plan->gateways, gw) {
		int i = model_find_gateway(model, gw->name);
		if (rc == 0 && i >= 0 && gw->id < n_ids)
			measured[i].flows = (int64_t)counts[gw->id];
	}
	free(counts);
}

// Where the engine counts flows all the time, nothing need be listed.
static bool collect_counted(const struct engine *engine, struct status_measured *measured)
{
	const struct model *model = engine_model(engine);
	for (size_t i = 0; i < model->n_gateways; i++)
		measured[i].flows = engine_flows(engine, model->gateways[i].name);
	return model->n_gateways && measured[0].flows >= 0;
}

struct counters {
	const struct model *model;
	struct status_measured *measured;
	int64_t *unpinned; // [balance]
};

static bool counter_is(const char *name, const char *kind, const char *of)
{
	size_t n = strlen(kind);
	return !strncmp(name, kind, n) && !strcmp(name + n, of);
}

static void collect_counter(void *arg, const char *name, uint64_t packets, uint64_t bytes)
{
	const struct counters *counters = arg;
	const struct model *model = counters->model;
	(void)bytes;
	for (size_t i = 0; i < model->n_gateways; i++)
		if (counter_is(name, "new.", model->gateways[i].name))
			counters->measured[i].begun = (int64_t)packets;
	for (size_t i = 0; i < model->n_balances; i++)
		if (counter_is(name, "unpinned.", model->balances[i].name))
			counters->unpinned[i] = (int64_t)packets;
}

static struct status_measured *collect_measured(const struct engine *engine, int64_t *unpinned)
{
	const struct model *model = engine_model(engine);
	struct status_measured *measured = xcalloc(model->n_gateways, sizeof(*measured));
	for (size_t i = 0; i < model->n_gateways; i++) {
		double rx_bps, tx_bps;
		engine_rates(engine, model->gateways[i].interface, &rx_bps, &tx_bps);
		measured[i] = (struct status_measured){
			.since_ms = engine_since_ms(engine, model->gateways[i].name),
			.flows = -1,
			.begun = -1,
			.rx_bps = rx_bps,
			.tx_bps = tx_bps,
		};
	}
	if (!engine_applied(engine)->active)
		return measured;
	struct counters counters = {model, measured, unpinned};
	struct err err;
	if (!collect_counted(engine, measured))
		collect_flows(engine, measured);
	if (nft_read_counters(engine_nft(engine), collect_counter, &counters, &err) < 0)
		log_warn("status", "counters can't be read: %s", err.text);
	return measured;
}

static void *collect_verdicts(const struct engine *engine)
{
	size_t n = engine_model(engine)->n_gateways;
	struct verdict(*verdicts)[FAM_COUNT] = xcalloc(n, sizeof(*verdicts));
	for (size_t i = 0; i < n; i++)
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
			const struct verdict *verdict = engine_verdict(engine, i, fam);
			if (verdict)
				verdicts[i][fam] = *verdict;
		}
	return verdicts;
}

static void count_pin(void *arg, const uint8_t *key, unsigned key_size, uint32_t mark, uint64_t expires_ms)
{
	(void)key, (void)key_size, (void)mark, (void)expires_ms;
	++*(int64_t *)arg;
}

static int64_t collect_pins(const struct engine *engine, const struct model_balance *balance)
{
	int64_t n = 0;
	vec_each(&engine_applied(engine)->groups, group) {
		if (strcmp(group->name, balance->name) != 0 || !group->persistence_ms)
			continue;
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
			char set[PLAN_NAME_SIZE];
			struct err err;
			if (nft_dump_pins(engine_nft(engine), name_pins(set, fam, group), count_pin, &n,
					  &err) == 0)
				continue;
			log_warn("status", "pins of %s can't be counted: %s", balance->name, err.text);
			return -1;
		}
	}
	return n;
}

// ---- services --------------------------------------------------------------------------------

static bool collect_has_tracked(const struct model *model)
{
	for (size_t i = 0; i < model->n_services; i++)
		for (size_t k = 0; k < model->services[i].n_reals; k++)
			if (!forward_is_direct(model->services[i].reals[k].forward))
				return true;
	return false;
}

// Of those that conntrack knows; -1: unknown.
static void collect_tracked_flows(const struct engine *engine, int64_t *flows, size_t n)
{
	const struct model *model = engine_model(engine);
	uint64_t *counts = xcalloc(n, sizeof(*counts));
	bool counted = engine_counts_reals(engine);
	struct tuples *tuples = counted ? NULL : tuples_new(model);
	struct err err;
	int r = collect_has_tracked(model) && !counted
			? real_flows_list(engine_conntrack(engine), model, tuples, counts, n, &err)
			: 0;
	if (r)
		log_warn("status", "connections can't be counted: %s", err.text);
	for (size_t i = 0; i < n; i++)
		flows[i] = r ? -1 : (int64_t)(counted ? engine_reals(engine)->now[i].connections : counts[i]);
	tuples_free(tuples);
	free(counts);
}

// Of a service's reals by dr and tun.
static void collect_direct_flows(const struct engine *engine, size_t i, int64_t *flows)
{
	const struct plan_service *service = &engine_applied(engine)->services.v[i];
	struct direct_load *loads = xcalloc(service->reals.n, sizeof(*loads));
	struct err err;
	int r = engine_list_direct(engine, i, loads, &err);
	if (r)
		log_warn("status", "connections of %s can't be counted: %s", service->name, err.text);
	for (size_t k = 0; k < service->reals.n; k++)
		if (plan_real_is_direct(&service->reals.v[k]))
			flows[k] = r ? -1 : (int64_t)loads[k].live;
	free(loads);
}

static int64_t *collect_real_flows(const struct engine *engine)
{
	const struct reals *reals = engine_reals(engine);
	const struct plan *applied = engine_applied(engine);
	int64_t *flows = xcalloc(reals->reals.n, sizeof(*flows));
	if (reals->reals.n)
		collect_tracked_flows(engine, flows, reals->reals.n);
	for (size_t i = 0; i < reals->services.n; i++)
		if (engine_knows_service(engine, i) && applied->services.v[i].direct)
			collect_direct_flows(engine, i, flows + reals_index(reals, i, 0));
	return flows;
}

static int64_t collect_service_pins(const struct engine *engine, const struct plan_service *service)
{
	struct err err;
	int64_t n = 0;
	for (enum fam fam = FAM_4; service->persistence_ms && fam < FAM_COUNT; fam++) {
		if (!pins_dump_service(engine_nft(engine), engine_applied(engine), service, fam, count_pin,
				       &n, &err))
			continue;
		log_warn("status", "pins of %s can't be counted: %s", service->name, err.text);
		return -1;
	}
	return n;
}

static int64_t *collect_sticks(const struct engine *engine)
{
	const struct model *model = engine_model(engine);
	int64_t *sticks = xcalloc(model->n_services, sizeof(*sticks));
	const struct plan *applied = engine_applied(engine);
	for (size_t i = 0; i < model->n_services; i++)
		if (i < applied->services.n && !strcmp(applied->services.v[i].name, model->services[i].name))
			sticks[i] = collect_service_pins(engine, &applied->services.v[i]);
	return sticks;
}

// ---- all together ----------------------------------------------------------------------------

void status_collect(const struct engine *engine, void (*use)(void *arg, const struct status *status),
		    void *arg)
{
	const struct model *model = engine_model(engine);
	struct verdict(*verdicts)[FAM_COUNT] = collect_verdicts(engine);
	int64_t *unpinned = xcalloc(model->n_balances, sizeof(*unpinned));
	struct status_measured *measured = collect_measured(engine, unpinned);
	int64_t *pins = xcalloc(model->n_balances, sizeof(*pins));
	int64_t *real_flows = collect_real_flows(engine), *sticks = collect_sticks(engine);
	struct timespec wall;
	clock_gettime(CLOCK_REALTIME, &wall);
	for (size_t i = 0; i < model->n_balances; i++)
		pins[i] = collect_pins(engine, &model->balances[i]);
	struct status status = {0};
	status_build(&status, &(struct status_input){
				      .model = model,
				      .facts = engine_facts(engine),
				      .applied = engine_applied(engine),
				      .verdicts = (const struct verdict(*)[FAM_COUNT])verdicts,
				      .measured = measured,
				      .pins = pins,
				      .reals = engine_reals(engine),
				      .real_flows = real_flows,
				      .sticks = sticks,
				      .unpinned = unpinned,
				      .named = engine_named(engine),
				      .failure = engine_failure(engine),
				      .started_ms = engine_started_ms(engine),
				      .applied_ms = engine_applied_ms(engine),
				      .now_ms = mono_now_ms(),
				      .wall_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000,
			      });
	use(arg, &status);
	status_free(&status);
	free(sticks);
	free(real_flows);
	free(pins);
	free(unpinned);
	free(measured);
	free(verdicts);
}
