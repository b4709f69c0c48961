// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/real_loads.h"

#include <stdlib.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/base/hash.h"
#include "gwd/base/log.h"
#include "gwd/core/model.h"
#include "gwd/core/ring.h"
#include "gwd/core/tuples.h"
#include "gwd/ct_watch.h"
#include "gwd/flowmap.h"
#include "gwd/real_flows.h"
#include "gwd/reals.h"
#include "nft/conntrack.h"
#include "nft/ct_events.h"

struct real_loads {
	struct event_base *base;
	struct conntrack *ct;
	struct reals *reals;
	loads_changed_fn *changed;
	real_loads_told_fn *told;
	void *arg;
	bool listing;
	const struct model *model;
	struct tuples *tuples;
	struct flowmap flows;
	bool arrivals[FAM_COUNT];
	struct ct_events *events;
	struct ct_watch *watch;
};

struct real_loads *real_loads_new(struct event_base *base, struct conntrack *ct, struct reals *reals,
				  loads_changed_fn *changed, real_loads_told_fn *told, void *arg)
{
	struct real_loads *loads = xcalloc(1, sizeof(*loads));
	loads->base = base;
	loads->ct = ct;
	loads->reals = reals;
	loads->changed = changed;
	loads->told = told;
	loads->arg = arg;
	return loads;
}

// To be changed.
static uint64_t *real_loads_count(const struct real_loads *loads, const struct flowmap_entry *entry)
{
	struct real_now *now = &loads->reals->now[entry->real];
	reals_move(loads->reals, loads->reals->reals.v[entry->real].service, REALS_COUNTS);
	return entry->closed ? &now->closed : &now->connections;
}

// By the flows that are known.
static void real_loads_recount(struct real_loads *loads)
{
	for (size_t i = 0; i < loads->reals->services.n; i++)
		reals_move(loads->reals, i, REALS_COUNTS);
	for (size_t i = 0, at = 0; i < loads->model->n_services; i++) {
		const struct model_service *service = &loads->model->services[i];
		for (size_t k = 0; k < service->n_reals; k++, at++)
			if (!forward_is_direct(service->reals[k].forward)) // else they are direct_loads.h's
				loads->reals->now[at].connections = loads->reals->now[at].closed = 0;
	}
	for (size_t i = 0; i < loads->flows.size; i++)
		if (loads->flows.entries[i].key)
			++*real_loads_count(loads, &loads->flows.entries[i]);
}

static void real_loads_unsubscribe(struct real_loads *loads)
{
	ct_watch_free(loads->watch);
	loads->watch = NULL;
	ct_events_close(loads->events);
	loads->events = NULL;
	tuples_free(loads->tuples);
	loads->tuples = NULL;
	flowmap_clear(&loads->flows);
}

void real_loads_free(struct real_loads *loads)
{
	if (!loads)
		return;
	real_loads_unsubscribe(loads);
	free(loads);
}

// ---- one flow --------------------------------------------------------------------------------

static uint64_t real_loads_key(const struct ct_flow *flow)
{
	const struct ct_tuple *tuple = &flow->orig;
	uint64_t hash = hash_add(HASH_START, tuple->src.b, sizeof(tuple->src.b));
	hash = hash_add(hash, tuple->dst.b, sizeof(tuple->dst.b));
	hash = hash_add(hash, &tuple->sport, sizeof(tuple->sport));
	hash = hash_add(hash, &tuple->dport, sizeof(tuple->dport));
	hash = hash_add(hash, &tuple->protocol, sizeof(tuple->protocol));
	hash = hash_end(hash_add(hash, &flow->id, sizeof(flow->id)));
	return hash ? hash : 1;
}

static void real_loads_tell_flow(const struct real_loads *loads, size_t real, const struct ct_flow *flow,
				 bool live)
{
	if (!loads->listing)
		loads->told(loads->arg, real, flow, live);
}

static void real_loads_gone(struct real_loads *loads, uint64_t key, const struct ct_flow *flow)
{
	struct flowmap_entry *entry = flowmap_find(&loads->flows, key);
	if (!entry)
		return;
	--*real_loads_count(loads, entry);
	if (!entry->closed)
		real_loads_tell_flow(loads, entry->real, flow, false);
	flowmap_remove(&loads->flows, entry);
}

static struct flowmap_entry *real_loads_begun(struct real_loads *loads, uint64_t key,
					      const struct ct_flow *flow)
{
	size_t real = real_flow_whose(loads->tuples, flow);
	if (real == SIZE_MAX)
		return NULL;
	struct flowmap_entry *entry = flowmap_add(&loads->flows, key);
	entry->real = (uint32_t)real;
	entry->closed = true;
	loads->arrivals[addr_fam(&flow->orig.src)] = true;
	return entry;
}

static void real_loads_here(struct real_loads *loads, uint64_t key, const struct ct_flow *flow)
{
	struct flowmap_entry *entry = flowmap_find(&loads->flows, key);
	bool known = entry != NULL, closed;
	if (known)
		--*real_loads_count(loads, entry);
	else if (!(entry = real_loads_begun(loads, key, flow)))
		return;
	closed = known && !flow->tcp_state ? entry->closed // an event has it only when it changed
					   : conntrack_is_over(flow);
	if (closed != entry->closed)
		real_loads_tell_flow(loads, entry->real, flow, !closed);
	entry->closed = closed;
	++*real_loads_count(loads, entry);
}

static void real_loads_event(void *arg, const struct ct_flow *flow, bool gone)
{
	struct real_loads *loads = arg;
	uint64_t key = real_loads_key(flow);
	if (gone)
		real_loads_gone(loads, key, flow);
	else
		real_loads_here(loads, key, flow);
}

static void real_loads_listed(void *arg, const struct ct_flow *flow)
{
	real_loads_event(arg, flow, false);
}

// ---- listening -------------------------------------------------------------------------------

static bool real_loads_read(void *arg)
{
	struct real_loads *loads = arg;
	return ct_events_read_flows(loads->events, real_loads_event, loads);
}

// Events that wait meanwhile come afterwards, and change nothing that is known already. What can't be listed stays as it
// was told so far.
static void real_loads_list(void *arg)
{
	struct real_loads *loads = arg;
	struct flowmap before = loads->flows;
	struct err err;
	loads->flows = (struct flowmap){0};
	real_loads_recount(loads);
	loads->listing = true;
	int r = conntrack_dump(loads->ct, real_flows_status(loads->model), real_loads_listed, loads, &err);
	loads->listing = false;
	if (r) {
		log_warn("loads", "connections of reals can't be counted: %s", err.text);
		flowmap_clear(&loads->flows);
		loads->flows = before;
		real_loads_recount(loads);
	} else {
		flowmap_clear(&before);
	}
	loads->arrivals[FAM_4] = loads->arrivals[FAM_6] = true;
}

static void real_loads_news(void *arg)
{
	const struct real_loads *loads = arg;
	loads->changed(loads->arg, LOADS_COUNTS);
}

static const struct ct_watch_ops real_loads_ops = {real_loads_read, real_loads_list, real_loads_news};

static void real_loads_subscribe(struct real_loads *loads)
{
	struct err err;
	loads->events = ct_events_open_flows(real_flows_status(loads->model), &err);
	if (!loads->events) {
		log_error("loads", "connections of reals are not known: %s", err.text);
		return;
	}
	loads->tuples = tuples_new(loads->model);
	loads->watch = ct_watch_new(loads->base, ct_events_fd(loads->events), "connections of reals",
				    &real_loads_ops, loads);
	ct_watch_begin(loads->watch); // a plan is built anyway
}

// ---- the model -------------------------------------------------------------------------------

static bool real_loads_needed(const struct model *model)
{
	for (size_t i = 0; i < model->n_services; i++) {
		const struct model_service *service = &model->services[i];
		for (size_t k = 0; k < service->n_reals; k++)
			if (!forward_is_direct(service->reals[k].forward) &&
			    (service->reals[k].max_connections || ring_schedules(service->scheduler)))
				return true;
	}
	return false;
}

// The model's order is another one: all is counted anew.
void real_loads_configure(struct real_loads *loads, const struct model *model)
{
	real_loads_unsubscribe(loads);
	loads->model = model;
	real_loads_recount(loads); // none, until they are listed
	if (real_loads_needed(model))
		real_loads_subscribe(loads);
}

bool real_loads_counting(const struct real_loads *loads)
{
	return loads->events != NULL;
}

bool real_loads_take_arrivals(struct real_loads *loads, enum fam fam)
{
	bool arrivals = loads->arrivals[fam];
	loads->arrivals[fam] = false;
	return arrivals;
}
