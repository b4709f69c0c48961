// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/loads.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/core/ids.h"
#include "gwd/core/load.h"
#include "gwd/core/model.h"
#include "gwd/ct_watch.h"
#include "nft/conntrack.h"
#include "nft/ct_events.h"

#define LOADS_IDS 256        // more than there can be
#define LOADS_DRAIN_US 10000 // who makes events faster is not waited for
#define LOADS_TRIES 3        // listings in a row, until nothing happens meanwhile,
#define LOADS_TRY_US 3000    // as long as they are quick: no slot is changed meanwhile

struct loads {
	struct event_base *base;
	struct conntrack *ct;
	loads_changed_fn *changed;
	void *arg;
	const struct model *model;
	struct load *load; // [model.n_gateways]
	char (*names)[MODEL_NAME_MAX + 1];
	unsigned *ids;
	size_t n;
	uint32_t mask;
	uint64_t counts[LOADS_IDS]; // by id
	bool arrivals[FAM_COUNT];
	bool concluded; // a conclusion changed since the last news
	bool wild;      // events were lost: any listing is better than these counts
	bool missed;    // during the last listing, too
	struct ct_events *events;
	struct ct_watch *watch;
};

struct loads *loads_new(struct event_base *base, struct conntrack *ct, loads_changed_fn *changed, void *arg)
{
	struct loads *loads = xcalloc(1, sizeof(*loads));
	loads->base = base;
	loads->ct = ct;
	loads->changed = changed;
	loads->arg = arg;
	return loads;
}

static void loads_unsubscribe(struct loads *loads)
{
	ct_watch_free(loads->watch);
	loads->watch = NULL;
	ct_events_close(loads->events);
	loads->events = NULL;
	memset(loads->counts, 0, sizeof(loads->counts));
}

static void loads_forget(struct loads *loads)
{
	free(loads->load);
	free(loads->names);
	free(loads->ids);
}

void loads_free(struct loads *loads)
{
	if (!loads)
		return;
	loads_unsubscribe(loads);
	loads_forget(loads);
	free(loads);
}

// ---- what follows from the counts ------------------------------------------------------------

static void loads_tell_full(const struct loads *loads, size_t i)
{
	const struct load *load = &loads->load[i];
	uint32_t most = loads->model->gateways[i].max_flows;
	if (load->full)
		log_info("gateway", "%s: full: %" PRIu64 " of %u flows, new ones go elsewhere",
			 loads->names[i], load->flows, most);
	else
		log_info("gateway", "%s: no longer full: %" PRIu64 " flows of %u", loads->names[i],
			 load->flows, most);
}

static void loads_conclude(struct loads *loads)
{
	for (size_t i = 0; i < loads->n; i++) {
		if (!load_take_flows(&loads->load[i], &loads->model->gateways[i],
				     loads->counts[loads->ids[i]]))
			continue;
		loads->concluded = true;
		loads_tell_full(loads, i);
	}
}

static void loads_news(void *arg)
{
	struct loads *loads = arg;
	enum loads_news news = loads->concluded ? LOADS_CONCLUSIONS : LOADS_COUNTS;
	loads->concluded = false;
	loads->changed(loads->arg, news);
}

// ---- counting --------------------------------------------------------------------------------

static void loads_event(void *arg, unsigned id, enum fam fam, int change)
{
	struct loads *loads = arg;
	if (id >= LOADS_IDS)
		return;
	if (change > 0) {
		loads->counts[id]++;
		loads->arrivals[fam] = true;
	} else if (loads->counts[id]) { // one from before events were told may have been left out
		loads->counts[id]--;
	}
}

static bool loads_read(void *arg)
{
	struct loads *loads = arg;
	bool all = ct_events_read(loads->events, loads_event, loads);
	loads->wild |= !all;
	loads_conclude(loads);
	return all;
}

struct loads_drain {
	struct loads *loads;
	size_t n;
};

static void loads_drain_event(void *arg, unsigned id, enum fam fam, int change)
{
	struct loads_drain *drain = arg;
	loads_event(drain->loads, id, fam, change);
	drain->n++;
}

// Takes the events that are waiting; returns how many that were.
static size_t loads_drain(struct loads *loads)
{
	struct loads_drain drain = {.loads = loads};
	int64_t end_us = mono_now_us() + LOADS_DRAIN_US;
	size_t before;
	bool all = true;
	do {
		before = drain.n;
		all &= ct_events_read(loads->events, loads_drain_event, &drain);
	} while (drain.n != before && mono_now_us() < end_us);
	if (!all) {
		loads->wild = loads->missed = true;
		ct_watch_lost(loads->watch);
	} else if (loads->wild && drain.n != before) {
		loads->missed = true; // what still waits will be counted twice
		ct_watch_soon(loads->watch);
	}
	return drain.n;
}

// True: exact, since nothing happened meanwhile.
static bool loads_list_once(struct loads *loads, uint64_t listed[LOADS_IDS])
{
	struct err err;
	loads_drain(loads);
	int r = conntrack_count(loads->ct, loads->mask, listed, LOADS_IDS, &err);
	if (r) {
		log_warn("loads", "flows can't be counted: %s", err.text);
		memcpy(listed, loads->counts, sizeof(loads->counts));
	}
	return !loads_drain(loads) && !r;
}

// A listing also makes the kernel drop what has expired, which it otherwise puts off for up to a minute.
static void loads_list(void *arg)
{
	struct loads *loads = arg;
	uint64_t listed[LOADS_IDS];
	bool exact;
	int64_t began_us = mono_now_us();
	unsigned tries = 0;
	loads->missed = false;
	do {
		exact = loads_list_once(loads, listed);
	} while (!exact && ++tries < LOADS_TRIES && mono_now_us() - began_us < LOADS_TRY_US);
	if (exact || loads->wild)
		memcpy(loads->counts, listed, sizeof(listed));
	loads->wild = loads->missed;
	loads->arrivals[FAM_4] = loads->arrivals[FAM_6] = true;
	loads_conclude(loads);
}

static const struct ct_watch_ops loads_ops = {loads_read, loads_list, loads_news};

static void loads_subscribe(struct loads *loads)
{
	struct err err;
	loads->events = ct_events_open(loads->mask, &err);
	if (!loads->events) {
		log_error("loads", "live flows are not known: %s", err.text);
		return;
	}
	loads->wild = true;
	loads->watch = ct_watch_new(loads->base, ct_events_fd(loads->events), "flows", &loads_ops, loads);
	ct_watch_begin(loads->watch);
}

// ---- the model -------------------------------------------------------------------------------

void loads_configure(struct loads *loads, const struct model *model, const struct ids *ids)
{
	size_t n = model->n_gateways;
	struct load *load = xcalloc(n, sizeof(*load));
	char(*names)[MODEL_NAME_MAX + 1] = xcalloc(n, sizeof(*names));
	unsigned *numbers = xcalloc(n, sizeof(*numbers));
	bool needed = load_needs_counts(model), other = model->globals.mark_mask != loads->mask;
	for (size_t i = 0; i < n; i++) {
		const struct load *old = loads_of(loads, model->gateways[i].name);
		load[i] = old ? *old : LOAD_NOTHING;
		snprintf(names[i], sizeof(names[i]), "%s", model->gateways[i].name);
		numbers[i] = ids_get(ids, names[i]);
	}
	loads_forget(loads);
	loads->load = load;
	loads->names = names;
	loads->ids = numbers;
	loads->n = n;
	loads->model = model;
	loads->mask = model->globals.mark_mask;
	if (loads->events && (!needed || other))
		loads_unsubscribe(loads);
	if (needed && !loads->events)
		loads_subscribe(loads);
	loads_conclude(loads);
	loads->concluded = false; // a plan is built anyway
}

const struct load *loads_now(const struct loads *loads)
{
	return loads->load;
}

const struct load *loads_of(const struct loads *loads, const char *gateway)
{
	for (size_t i = 0; i < loads->n; i++)
		if (!strcmp(loads->names[i], gateway))
			return &loads->load[i];
	return NULL;
}

bool loads_counting(const struct loads *loads)
{
	return loads->events != NULL;
}

// ---- measurements ----------------------------------------------------------------------------

void loads_take_rate(struct loads *loads, size_t i, double rx_bps, double tx_bps)
{
	struct load *load = &loads->load[i];
	bool was = load->spilling;
	loads->concluded |= load_take_rate(load, &loads->model->gateways[i], rx_bps, tx_bps);
	if (load->spilling != was)
		log_info("gateway", "%s: %s: %.3g Mbit/s in, %.3g out", loads->names[i],
			 load->spilling ? "above spill, new flows go elsewhere" : "below spill again",
			 rx_bps / 1e6, tx_bps / 1e6);
}

void loads_take_latency(struct loads *loads, size_t i, enum fam fam, double latency_ms)
{
	loads->concluded |= load_take_latency(&loads->load[i], fam, latency_ms);
}

void loads_measured(struct loads *loads)
{
	if (loads->concluded)
		loads_news(loads);
}

bool loads_take_arrivals(struct loads *loads, enum fam fam)
{
	bool arrivals = loads->arrivals[fam];
	loads->arrivals[fam] = false;
	return arrivals;
}
