// SPDX-License-Identifier: GPL-2.0-or-later
// What is looked at each second: how much the links carry, what that and their latencies say about new flows, and what
// nobody tells us about.
#include <event2/event.h>
#include <string.h>

#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/core/facts.h"
#include "gwd/core/model.h"
#include "gwd/core/verdict.h"
#include "gwd/engine_priv.h"
#include "gwd/evidence.h"
#include "gwd/loads.h"
#include "gwd/monitor.h"
#include "gwd/netmon.h"
#include "gwd/unpinned.h"
#include "probes/prober.h"

#define ENGINE_MEASURE_S 1
// Probes that are late by so much, in so many seconds in a row, are told so often.
#define ENGINE_OVERDUE_MS 200
#define ENGINE_OVERDUE_ROW 3
#define ENGINE_OVERDUE_EACH_MS 60000
#define ENGINE_RATE_WEIGHT 0.4 // of the newest measurement in the smoothed rate

static struct engine_rate *engine_rate(struct engine *engine, const struct fact_iface *iface)
{
	struct engine_rate *rate;
	vec_each(&engine->rates, old)
		if (!strcmp(old->ifname, iface->name))
			return old;
	vec_add(&engine->rates, rate);
	memcpy(rate->ifname, iface->name, sizeof(rate->ifname));
	rate->rx_bytes = iface->rx_bytes;
	rate->tx_bytes = iface->tx_bytes;
	return rate;
}

// A counter that went back belongs to a new interface of that name.
static void engine_smooth(double *bps, uint64_t *old, uint64_t now, double seconds)
{
	double fresh = now >= *old ? 8 * (double)(now - *old) / seconds : 0;
	*bps += ENGINE_RATE_WEIGHT * (fresh - *bps);
	*old = now;
}

// `seconds` after the last time; 0 at the start, with what the later ones are compared with.
static void engine_take_rates(struct engine *engine, double seconds)
{
	const struct facts *facts = netmon_facts(engine->netmon);
	for (size_t i = 0; i < engine->model->n_gateways; i++) {
		const struct fact_iface *iface = facts_iface(facts, engine->model->gateways[i].interface);
		struct engine_rate *rate = iface ? engine_rate(engine, iface) : NULL;
		if (!rate || seconds <= 0)
			continue;
		engine_smooth(&rate->rx_bps, &rate->rx_bytes, iface->rx_bytes, seconds);
		engine_smooth(&rate->tx_bps, &rate->tx_bytes, iface->tx_bytes, seconds);
	}
}

static void engine_measure_loads(struct engine *engine)
{
	double rx_bps, tx_bps;
	for (size_t i = 0; i < engine->model->n_gateways; i++) {
		engine_rates(engine, engine->model->gateways[i].interface, &rx_bps, &tx_bps);
		loads_take_rate(engine->loads, i, rx_bps, tx_bps);
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			loads_take_latency(engine->loads, i, fam, engine_verdict(engine, i, fam)->latency_ms);
	}
	loads_measured(engine->loads);
}

// One such second may be a machine that was suspended.
static void engine_tell_overdue(struct engine *engine, int64_t now_ms)
{
	int64_t late_ms = prober_set_take_overdue_ms(monitor_probers(engine->monitor));
	engine->overdue = late_ms > ENGINE_OVERDUE_MS ? engine->overdue + 1 : 0;
	if (engine->overdue < ENGINE_OVERDUE_ROW ||
	    (engine->overdue_told_ms && now_ms - engine->overdue_told_ms < ENGINE_OVERDUE_EACH_MS))
		return;
	engine->overdue_told_ms = now_ms;
	log_warn("probes",
		 "asked up to %.1f s late: this machine can't keep up: give them a longer interval or fewer "
		 "targets",
		 (double)late_ms / 1000);
}

static void engine_on_measure(int fd, short what, void *arg)
{
	struct engine *engine = arg;
	struct err err;
	(void)fd, (void)what;
	int64_t now_ms = mono_now_ms();
	engine_drop_rest(engine, now_ms);
	engine_tell_overdue(engine, now_ms);
	evidence_look(engine->evidence, engine->model, netmon_facts(engine->netmon), &engine->ids, now_ms);
	double seconds = (double)(now_ms - engine->rates_ms) / 1000;
	if (netmon_refresh_stats(engine->netmon, &err) || seconds <= 0)
		return;
	engine_take_rates(engine, seconds);
	engine->rates_ms = now_ms;
	engine_measure_loads(engine);
	unpinned_look(engine->unpinned, engine->nft, &engine->applied, now_ms);
}

void engine_rates(const struct engine *engine, const char *ifname, double *rx_bps, double *tx_bps)
{
	*rx_bps = *tx_bps = 0;
	vec_each(&engine->rates, rate)
		if (!strcmp(rate->ifname, ifname)) {
			*rx_bps = rate->rx_bps;
			*tx_bps = rate->tx_bps;
		}
}

void engine_open_measure(struct engine *engine)
{
	struct timeval measure = {.tv_sec = ENGINE_MEASURE_S};
	engine->rates_ms = mono_now_ms();
	engine_take_rates(engine, 0);
	engine->measure = event_new(engine->base, -1, EV_PERSIST, engine_on_measure, engine);
	event_add(engine->measure, &measure);
}
