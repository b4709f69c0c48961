// SPDX-License-Identifier: GPL-2.0-or-later
// The engine's part of services: what is known of their reals, and who is told when one changes.
#include <stdio.h>
#include <string.h>

#include "gwd/base/mono.h"
#include "gwd/core/model.h"
#include "gwd/ending.h"
#include "gwd/engine_priv.h"
#include "gwd/monitor.h"
#include "gwd/netmon.h"
#include "gwd/real_loads.h"
#include "gwd/real_monitor.h"
#include "gwd/reals.h"

void engine_configure_reals(struct engine *engine)
{
	reals_configure(&engine->reals, engine->model, mono_now_ms());
	real_monitor_update(engine->monitor, &engine->reals, engine->model);
	engine_configure_occupancy(engine);
	real_loads_configure(engine->real_loads, engine->model);
	engine_configure_direct(engine);
}

// ---- changes ---------------------------------------------------------------------------------

static void engine_report_real(struct engine *engine, const struct plan_service *service,
			       const struct plan_real *real, size_t at, int64_t now_ms)
{
	struct reals_real *entry = &engine->reals.reals.v[at];
	if (entry->told == real->state)
		return;
	engine_record(engine, &(struct engine_news){.kind = "real",
						    .name = entry->name,
						    .old = state_name(entry->told),
						    .new = state_name(real->state),
						    .reason = real->reason,
						    .measured = engine->reals.now[at].verdict});
	if (real->usable)
		ending_cancel(engine->ending, service, real);
	entry->told = real->state;
	entry->since_ms = now_ms;
}

static void engine_report_service(struct engine *engine, const struct plan_service *service,
				  struct reals_service *entry, int64_t now_ms)
{
	char reason[PLAN_SERVICE_REASON];
	enum serving serving = plan_serving(service);
	if (entry->told == serving)
		return;
	engine_record(engine, &(struct engine_news){.kind = "service",
						    .name = service->name,
						    .old = serving_name(entry->told),
						    .new = serving_name(serving),
						    .reason = plan_serving_reason(service, reason)});
	if (entry->told == SERVING_NOTHING)
		ending_host(engine->ending, service);
	entry->told = serving;
	entry->since_ms = now_ms;
}

// What this host had for want of a real, it has no longer.
void engine_end_host(struct engine *engine)
{
	ending_soon(engine->ending, engine->model->globals.mark_mask, netmon_facts(engine->netmon));
}

void engine_report_reals_of(struct engine *engine, const struct plan *plan, size_t service, int64_t now_ms)
{
	const struct plan_service *planned = &plan->services.v[service];
	for (size_t k = 0; k < planned->reals.n; k++)
		engine_report_real(engine, planned, &planned->reals.v[k],
				   reals_index(&engine->reals, service, k), now_ms);
	engine_report_service(engine, planned, &engine->reals.services.v[service], now_ms);
	real_monitor_set_urgent(&engine->reals, service, plan_serving(planned) == SERVING_NOTHING);
}

void engine_report_reals(struct engine *engine, const struct plan *plan, int64_t now_ms)
{
	for (size_t i = 0; i < plan->services.n; i++)
		engine_report_reals_of(engine, plan, i, now_ms);
	engine_end_host(engine);
}

bool engine_counts_reals(const struct engine *engine)
{
	return real_loads_counting(engine->real_loads);
}

const struct reals *engine_reals(const struct engine *engine)
{
	return &engine->reals;
}
