// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/real_loads.h"

#include <event2/event.h>
#include <stdlib.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/base/hash.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/core/model.h"
#include "gwd/core/ring.h"
#include "gwd/core/tuples.h"
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
	void *arg;
	const struct model *model;
	struct tuples *tuples;
	struct flowmap flows;
	bool arrivals[FAM_COUNT];
	struct ct_events *events;
	struct event *read, *again;
};

struct real_loads *real_loads_new(struct event_base *base, struct conntrack *ct, struct reals *reals,
				  loads_changed_fn *changed, void *arg)
{
	struct real_loads *loads = xcalloc(1, sizeof(*loads));
	loads->base = base;
	loads->ct = ct;
	loads->reals = reals;
	loads->changed = changed;
	loads->arg = arg;
	return loads;
}

static void real_loads_forget(struct real_loads *loads)
{
	flowmap_clear(&loads->flows);
	for (size_t i = 0; i < loads->reals->reals.n; i++)
		loads->reals->now[i].connections = loads->reals->now[i].closed = 0;
}

static void real_loads_unsubscribe(struct real_loads *loads)
{
	if (loads->read)
		event_free(loads->read);
	if (loads->again)
		event_free(loads->again);
	loads->read = loads->again = NULL;
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

static uint64_t *real_loads_count(const struct real_loads *loads, const struct flowmap_entry *entry)
{
	struct real_now *now = &loads->reals->now[entry->real];
	return entry->closed ? &now->closed : &now->connections;
}

static void real_loads_gone(struct real_loads *loads, uint64_t key)
{
	struct flowmap_entry *entry = flowmap_find(&loads->flows, key);
	if (!entry)
		return;
	--*real_loads_count(loads, entry);
	flowmap_remove(&loads->flows, entry);
}

static void real_loads_here(struct real_loads *loads, uint64_t key, const struct ct_flow *flow)
{
	struct flowmap_entry *entry = flowmap_find(&loads->flows, key);
	if (entry) {
		--*real_loads_count(loads, entry);
	} else {
		size_t real = real_flow_whose(loads->tuples, flow);
		if (real == SIZE_MAX)
			return;
		entry = flowmap_add(&loads->flows, key);
		entry->real = (uint32_t)real;
		loads->arrivals[addr_fam(&flow->orig.src)] = true;
	}
	if (flow->tcp_state) // an event has it only when it changed
		entry->closed = real_flow_is_over(flow);
	++*real_loads_count(loads, entry);
}

static void real_loads_event(void *arg, const struct ct_flow *flow, bool gone)
{
	struct real_loads *loads = arg;
	uint64_t key = real_loads_key(flow);
	if (gone)
		real_loads_gone(loads, key);
	else
		real_loads_here(loads, key, flow);
}

static void real_loads_listed(void *arg, const struct ct_flow *flow)
{
	real_loads_event(arg, flow, false);
}

static void real_loads_tell(struct real_loads *loads)
{
	loads->changed(loads->arg, LOADS_COUNTS);
}

// ---- listening -------------------------------------------------------------------------------

// Events that wait meanwhile come afterwards, and change nothing that is known already.
static void real_loads_list(struct real_loads *loads)
{
	struct err err;
	int64_t began_us = mono_now_us();
	real_loads_forget(loads);
	if (conntrack_dump(loads->ct, real_flows_status(loads->model), real_loads_listed, loads, &err))
		log_warn("loads", "connections of reals can't be counted: %s", err.text);
	struct timeval pause = loads_pause(mono_now_us() - began_us);
	event_add(loads->again, &pause);
	loads->arrivals[FAM_4] = loads->arrivals[FAM_6] = true;
}

static void real_loads_on_again(int fd, short what, void *arg)
{
	(void)fd, (void)what;
	real_loads_list(arg);
	real_loads_tell(arg);
}

static void real_loads_on_events(int fd, short what, void *arg)
{
	struct real_loads *loads = arg;
	(void)fd, (void)what;
	if (!ct_events_read_flows(loads->events, real_loads_event, loads)) {
		log_info("loads", "events of conntrack were lost: all connections are counted anew");
		real_loads_list(loads);
	}
	real_loads_tell(loads);
}

static void real_loads_subscribe(struct real_loads *loads)
{
	struct err err;
	loads->events = ct_events_open_flows(real_flows_status(loads->model), &err);
	if (!loads->events) {
		log_error("loads", "connections of reals are not known: %s", err.text);
		return;
	}
	loads->tuples = tuples_new(loads->model);
	loads->read = event_new(loads->base, ct_events_fd(loads->events), EV_READ | EV_PERSIST,
				real_loads_on_events, loads);
	loads->again = event_new(loads->base, -1, 0, real_loads_on_again, loads);
	event_add(loads->read, NULL);
	real_loads_list(loads); // a plan is built anyway
}

// ---- the model -------------------------------------------------------------------------------

static bool real_loads_needed(const struct model *model)
{
	for (size_t i = 0; i < model->n_services; i++)
		if (ring_schedules(model->services[i].scheduler))
			return true;
	return false;
}

// The model's order is another one: all is counted anew.
void real_loads_configure(struct real_loads *loads, const struct model *model)
{
	real_loads_unsubscribe(loads);
	loads->model = model;
	real_loads_forget(loads);
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
