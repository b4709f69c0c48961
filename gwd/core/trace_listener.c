// SPDX-License-Identifier: GPL-2.0-or-later
// Which service listens where a flow goes: the maps of listeners, and behind them the ranges of ports.
#include <string.h>

#include "gwd/core/trace.h"

static bool listener_is_wide(const struct plan_listen *listen)
{
	return listen->first != listen->last;
}

static bool listener_has_ports(const struct trace_flow *flow, const struct plan_listen *listen)
{
	if (!flow->has_dport)
		return listen->first <= 1 && listen->last == MODEL_PORT_ANY_LAST;
	return flow->dport >= listen->first && flow->dport <= listen->last;
}

// `open`: as far as the question says.
static bool listener_listens(const struct trace_flow *flow, const struct plan_service *service,
			     const struct plan_listen *listen, bool open)
{
	if (!addr_equal(&listen->addr, &flow->to))
		return false;
	if (flow->has_protocol ? !memchr(service->protocols.v, flow->protocol, service->protocols.n) : !open)
		return false;
	return listener_has_ports(flow, listen) || (open && !flow->has_dport);
}

static bool listener_is_in(const struct plan_service *service, enum plan_table table)
{
	return table == PLAN_NETDEV ? service->direct : service->inet;
}

// Single ports are asked before ranges.
static bool listener_find(struct trace *trace, const struct plan *plan, enum plan_table table, bool open)
{
	for (int wide = 0; wide < 2; wide++)
		for (size_t i = 0; i < plan->services.n; i++) {
			const struct plan_service *service = &plan->services.v[i];
			for (size_t k = 0; k < service->listens.n; k++) {
				const struct plan_listen *listen = &service->listens.v[k];
				if (!listener_is_in(service, table) || listener_is_wide(listen) != wide ||
				    !listener_listens(&trace->flow, service, listen, open))
					continue;
				trace->service.service = i;
				trace->service.listen = k;
				trace->service.open = open;
				return true;
			}
		}
	return false;
}

static bool listener_comes_in(const struct trace *trace, const struct plan *plan)
{
	const struct plan_set *devices = plan_find_set(plan, "ingress");
	for (size_t i = 0; devices && i < devices->elems.n; i++)
		if (!strncmp((const char *)devices->elems.v[i].last, trace->world.iif,
			     sizeof(trace->world.iif)))
			return !trace->world.from_here;
	return false;
}

bool trace_listener(struct trace *trace, const struct plan *plan)
{
	bool in = listener_comes_in(trace, plan);
	for (int open = 0; open < 2; open++) {
		trace->service.direct = in && listener_find(trace, plan, PLAN_NETDEV, open);
		if (trace->service.direct || listener_find(trace, plan, PLAN_INET, open))
			return true;
	}
	return false;
}
