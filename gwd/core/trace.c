// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/trace.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "gwd/core/names.h"

#define TRACE_CLIENT_PORTS 32768 // as nft/chain_output.c has it

static void trace_ends(struct trace *trace, enum trace_end end, enum trace_why why)
{
	trace->end = end;
	trace->why = why;
}

static void trace_taken(struct trace *trace, size_t gateway, enum trace_why why)
{
	trace_ends(trace, TRACE_TAKEN, why);
	trace->gateway = gateway;
}

// ---- the plan's maps ---------------------------------------------------------------------------

// What the map has for a key; NULL: nothing.
static const char *trace_look_up(const struct plan *plan, const char *map, const void *key, size_t size)
{
	const struct plan_set *set = plan_find_set(plan, map);
	for (size_t i = 0; set && i < set->elems.n; i++)
		if (!memcmp(set->elems.v[i].key, key, size))
			return set->elems.v[i].chain;
	return NULL;
}

static const char *trace_look_up_interface(const struct plan *plan, const char *map, const char *ifname)
{
	char key[16] = {0};
	memcpy(key, ifname, strnlen(ifname, sizeof(key) - 1));
	return *key ? trace_look_up(plan, map, key, sizeof(key)) : NULL;
}

// The gateway that a chain "in.ID.GATEWAY" stands for.
static size_t trace_gateway_of(const struct plan *plan, const char *chain)
{
	char name[PLAN_NAME_SIZE];
	for (size_t i = 0; chain && i < plan->gateways.n; i++)
		if (!strcmp(name_gateway_chain(name, "in", &plan->gateways.v[i]), chain))
			return i;
	return TRACE_NONE;
}

size_t trace_gateway_in(const struct plan *plan, const char *map, const void *key, size_t size)
{
	return trace_gateway_of(plan, trace_look_up(plan, map, key, size));
}

// ---- rules and groups ----------------------------------------------------------------------------

static void trace_target(struct trace *trace, const struct plan *plan, size_t group, bool strict)
{
	bool own = trace->origin == TRACE_FROM_HERE;
	size_t last = own ? plan->default_own_group : plan->default_group;
	if (trace->flow.middle)
		trace_ends(trace, TRACE_REFUSED, TRACE_ORPHAN);
	else if (trace_pick(trace, plan, group))
		return;
	else if (strict)
		trace_ends(trace, TRACE_REFUSED, TRACE_STRICT);
	else if (group != last)
		trace_target(trace, plan, last, false);
	else
		trace_ends(trace, TRACE_REFUSED, TRACE_NOBODY);
}

static void trace_rules(struct trace *trace, const struct plan *plan)
{
	trace->rule = trace_match_rules(trace, plan);
	if (trace->rule == TRACE_NONE) {
		trace_target(trace, plan,
			     trace->origin == TRACE_FROM_HERE ? plan->default_own_group : plan->default_group,
			     false);
		return;
	}
	const struct plan_rule *rule = &plan->rules.v[trace->rule];
	if (rule->bypass)
		trace_ends(trace, TRACE_MAIN, TRACE_BYPASS);
	else
		trace_target(trace, plan, rule->group, rule->strict);
}

// ---- where it comes from -------------------------------------------------------------------------

// True: its mark alone decides.
static bool trace_marked(struct trace *trace, const struct plan *plan)
{
	uint32_t mark = trace->flow.mark & plan->mark_mask;
	size_t gateway = trace_gateway_in(plan, "bymark", &mark, sizeof(mark));
	if (gateway != TRACE_NONE)
		trace_taken(trace, gateway, TRACE_BY_MARK);
	else if (mark)
		trace_ends(trace, TRACE_MAIN, TRACE_CONTROL);
	return mark != 0;
}

static bool trace_leaves_by_wan(const struct trace *trace, const struct plan *plan)
{
	vec_each(&plan->gateways, gw)
		if (trace->world.route == TRACE_ROUTE_OUT && !strcmp(gw->ifname, trace->world.oif))
			return true;
	return false;
}

// Where main keeps it. The order is that of chain `lan`; `own` asks the same.
static bool trace_kept(struct trace *trace, const struct plan *plan)
{
	if (trace->world.route == TRACE_ROUTE_HERE)
		trace_ends(trace, TRACE_HERE, TRACE_LOCAL);
	else if (trace->world.route == TRACE_ROUTE_MANY)
		trace_ends(trace, TRACE_MAIN, TRACE_MANY);
	else if (trace->world.route == TRACE_ROUTE_OUT && !trace_leaves_by_wan(trace, plan))
		trace_ends(trace, TRACE_MAIN, TRACE_INSIDE);
	else
		return false;
	return true;
}

// The sets know it, and main says what becomes of it.
static bool trace_inside(struct trace *trace, const struct plan *plan)
{
	const struct plan_set *inside = plan_find_set(plan, trace->fam == FAM_4 ? "inside4" : "inside6");
	if (!plan_set_has_addr(inside, &trace->flow.to))
		return false;
	if (!trace_kept(trace, plan))
		trace_ends(trace, TRACE_MAIN, TRACE_INSIDE);
	return true;
}

static void trace_lan(struct trace *trace, const struct plan *plan)
{
	const struct plan_set *networks = plan_find_set(plan, trace->fam == FAM_4 ? "lan4" : "lan6");
	if (plan->lan_networks && !plan_set_has_addr(networks, &trace->flow.from))
		trace_ends(trace, TRACE_MAIN, TRACE_NETWORK);
	else if (plan->inside ? !trace_inside(trace, plan) : !trace_kept(trace, plan))
		trace_rules(trace, plan);
}

static void trace_own(struct trace *trace, const struct plan *plan)
{
	const struct trace_flow *flow = &trace->flow;
	if (trace_kept(trace, plan))
		return;
	if (trace->world.route == TRACE_ROUTE_NONE || trace->world.route == TRACE_ROUTE_REFUSES) {
		trace_ends(trace, TRACE_MAIN, TRACE_UNROUTED);
		return;
	}
	size_t bound = trace_gateway_in(plan, trace->fam == FAM_4 ? "bound4" : "bound6", flow->from.b,
					addr_size(&flow->from));
	if (bound != TRACE_NONE) {
		trace_taken(trace, bound, TRACE_BY_ADDRESS);
		return;
	}
	bound = trace_gateway_of(plan, trace_look_up_interface(plan, "boundif", trace->world.oif));
	if (bound != TRACE_NONE)
		trace_taken(trace, bound, TRACE_BY_DEVICE);
	else if (flow->middle && flow->has_sport && flow->sport < TRACE_CLIENT_PORTS)
		trace_ends(trace, TRACE_MAIN, TRACE_SEGMENT);
	else
		trace_rules(trace, plan);
}

// By an interface that isn't the LAN's.
static void trace_outside(struct trace *trace, const struct plan *plan, const char *chain)
{
	size_t gateway = trace_gateway_of(plan, chain);
	if (gateway != TRACE_NONE)
		trace_taken(trace, gateway, TRACE_BY_LINK);
	else if (chain)
		trace_ends(trace, TRACE_MAIN, TRACE_SHARED);
	else
		trace_ends(trace, TRACE_MAIN, TRACE_INTERFACE);
}

static enum trace_origin trace_origin_of(const struct trace_world *world, const char *chain)
{
	if (world->from_here)
		return TRACE_FROM_HERE;
	if (!chain)
		return TRACE_FROM_ELSEWHERE;
	return strcmp(chain, "lan") ? TRACE_FROM_GATEWAY : TRACE_FROM_LAN;
}

static void trace_decide(struct trace *trace, const struct plan *plan)
{
	const char *chain = trace_look_up_interface(plan, "class", trace->world.iif);
	trace->origin = trace_origin_of(&trace->world, chain);
	if (!plan->active) {
		trace_ends(trace, TRACE_MAIN, TRACE_INACTIVE);
		return;
	}
	if (trace_marked(trace, plan))
		return;
	switch (trace->origin) {
	case TRACE_FROM_LAN:
		trace_lan(trace, plan);
		return;
	case TRACE_FROM_HERE:
		trace_own(trace, plan);
		return;
	case TRACE_FROM_GATEWAY:
	case TRACE_FROM_ELSEWHERE:
		trace_outside(trace, plan, chain);
		return;
	}
}

// Whose flow it is, and what its mark: such a route is asked before any gateway's table, or that throws it back.
static void trace_refused(struct trace *trace)
{
	bool routed = trace->end == TRACE_TAKEN || trace->end == TRACE_TURN || trace->end == TRACE_MAIN;
	if (routed && trace->world.route == TRACE_ROUTE_REFUSES) {
		trace_ends(trace, TRACE_REFUSED, TRACE_ROUTE);
		trace->gateway = TRACE_NONE;
	}
}

// ---- how it leaves -------------------------------------------------------------------------------

// A marked packet goes where main has a route other than the default, whether it asks main first or its gateway's
// table throws it back to main.
static uint32_t trace_table(const struct plan *plan, enum fam fam, const struct plan_gateway *gw)
{
	vec_each(&plan->iprules, rule)
		if (rule->fam == fam && rule->mask && rule->mark == gw->mark && rule->table)
			return rule->table;
	return 0;
}

static size_t trace_route_of(const struct plan *plan, enum fam fam, uint32_t table)
{
	for (size_t i = 0; table && i < plan->routes.n; i++) {
		const struct plan_route *route = &plan->routes.v[i];
		if (route->fam == fam && route->table == table && route->type == PLAN_ROUTE_LEADS)
			return i;
	}
	return TRACE_NONE;
}

static void trace_leave(struct trace *trace, const struct plan *plan)
{
	const struct trace_world *world = &trace->world;
	bool main = trace->end == TRACE_MAIN;
	if (trace->end == TRACE_TAKEN && world->route != TRACE_ROUTE_HERE) {
		const struct plan_gateway *gw = &plan->gateways.v[trace->gateway];
		trace->route = trace_route_of(plan, trace->fam, trace_table(plan, trace->fam, gw));
		main = trace->by_main = world->route == TRACE_ROUTE_OUT && !world->route_is_default;
		if (!main && trace->route != TRACE_NONE)
			snprintf(trace->oif, sizeof(trace->oif), "%s", plan->routes.v[trace->route].ifname);
	}
	if (main && world->route == TRACE_ROUTE_OUT)
		memcpy(trace->oif, world->oif, sizeof(trace->oif));
}

static void trace_translate(struct trace *trace, const struct plan *plan)
{
	const struct plan_gateway *own =
		trace->gateway == TRACE_NONE ? NULL : &plan->gateways.v[trace->gateway];
	const struct trace_real *real =
		trace->service.real == TRACE_NONE ? NULL : &trace->service.reals.v[trace->service.real];
	if (!trace->oif[0] || !plan->active || (real && real->source != TRACE_SOURCE_LINK))
		return;
	if (own && !strcmp(own->ifname, trace->oif)) {
		trace->snat = trace->gateway;
		return;
	}
	vec_each(&plan->gateways, gw)
		trace->leftover |= !strcmp(gw->ifname, trace->oif) && gw->snat[trace->fam].mode != SNAT_NONE;
}

// Who carries this very flow, which need not be who would get it now.
static void trace_running(struct trace *trace, const struct plan *plan)
{
	const struct trace_world *world = &trace->world;
	trace->running = trace->running_real = TRACE_NONE;
	for (size_t i = 0; world->running && i < plan->gateways.n; i++)
		if (plan->gateways.v[i].mark == (world->running_mark & plan->mark_mask))
			trace->running = i;
	if (!world->running || trace->service.service == TRACE_NONE)
		return;
	const struct plan_service *service = &plan->services.v[trace->service.service];
	for (size_t i = 0; i < service->reals.n; i++) {
		const struct plan_real *real = &service->reals.v[i];
		bool same = addr_is_none(&real->address)
				    ? world->route == TRACE_ROUTE_HERE &&
					      addr_equal(&world->running_at, &trace->flow.to)
				    : addr_equal(&world->running_at, &real->address);
		if (same && (real->port ? real->port : trace->flow.dport) == world->running_port)
			trace->running_real = i;
	}
}

void trace_run(struct trace *trace, const struct plan *plan, const struct trace_flow *flow,
	       const struct trace_world *world)
{
	trace->flow = *flow;
	trace->world = *world;
	trace->fam = addr_fam(&flow->from);
	trace->rule = trace->gateway = trace->route = trace->snat = TRACE_NONE;
	trace->service.service = trace->service.pin_real = trace->service.real = TRACE_NONE;
	trace->service.answer = TRACE_NONE;
	trace_decide(trace, plan);
	trace_inbound(trace, plan);
	trace_running(trace, plan);
	trace_refused(trace);
	trace_leave(trace, plan);
	trace_translate(trace, plan);
}

void trace_free(struct trace *trace)
{
	vec_each(&trace->groups, group)
		vec_free(&group->members);
	vec_free(&trace->groups);
	vec_free(&trace->rules);
	vec_free(&trace->service.reals);
}
