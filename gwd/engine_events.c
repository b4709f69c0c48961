// SPDX-License-Identifier: GPL-2.0-or-later
// The engine's part of events: what a change is made from, and who is told. And of tests by hand.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gwd/base/log.h"
#include "gwd/core/marks.h"
#include "gwd/core/model.h"
#include "gwd/engine_priv.h"
#include "gwd/events.h"
#include "gwd/inquiry.h"
#include "gwd/monitor.h"
#include "gwd/netmon.h"
#include "gwd/notify.h"

static int64_t wall_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Of the family that has something measured; IPv4 first.
static const struct verdict *engine_measured(const struct engine *engine, const char *gateway)
{
	const struct verdict *four = monitor_verdict(engine->monitor, gateway, FAM_4);
	const struct verdict *six = monitor_verdict(engine->monitor, gateway, FAM_6);
	return four->latency_ms < 0 && six->latency_ms >= 0 ? six : four;
}

void engine_record(struct engine *engine, const struct engine_news *news)
{
	const struct verdict *measured = news->measured;
	bool known = measured && measured->state != STATE_UNKNOWN;
	struct change change = {
		.wall_ms = wall_now_ms(),
		.kind = news->kind,
		.old = news->old,
		.new = news->new,
		.latency_ms = measured ? measured->latency_ms : -1,
		.jitter_ms = measured ? measured->jitter_ms : -1,
		.loss = known ? measured->loss : -1,
	};
	snprintf(change.name, sizeof(change.name), "%s", news->name);
	snprintf(change.reason, sizeof(change.reason), "%s", news->reason);
	log_info(news->kind, "%s: %s -> %s: %s", news->name, news->old, news->new, news->reason);
	events_record(engine->events, &change);
}

void engine_record_gateway(struct engine *engine, const struct plan_gateway *gw, enum state old)
{
	engine_record(engine, &(struct engine_news){.kind = "gateway",
						    .name = gw->name,
						    .old = state_name(old),
						    .new = state_name(gw->state),
						    .reason = gw->reason,
						    .measured = engine_measured(engine, gw->name)});
}

static void engine_on_change(void *arg, const struct change *change)
{
	notify_tell(arg, change);
}

void engine_open_notify(struct engine *engine)
{
	engine->events = events_new();
	engine->notify = notify_new(engine->base, NOTIFY_LIMIT_MS);
	engine->notify_watch = (struct events_watch){.told = engine_on_change, .arg = engine->notify};
	events_watch(engine->events, &engine->notify_watch);
	notify_configure(engine->notify, engine->model->globals.notify);
}

void engine_close_notify(struct engine *engine)
{
	notify_free(engine->notify);
	events_free(engine->events);
}

struct events *engine_events(const struct engine *engine)
{
	return engine->events;
}

struct inquiry *engine_inquire(struct engine *engine, const char *name, void (*done)(void *arg), void *arg)
{
	const struct model *model = engine->model;
	struct inquiry_spec spec = {
		.probers = monitor_probers(engine->monitor),
		.model = model,
		.facts = netmon_facts(engine->netmon),
		.name = name,
		.mark = mark_of_id(model->globals.mark_mask, ids_get(&engine->ids, name)),
	};
	return inquiry_start(engine->base, &spec, done, arg);
}
