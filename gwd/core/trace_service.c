// SPDX-License-Identifier: GPL-2.0-or-later
// Whom a service gives a flow to: nft/chain_service.c's and nft/chain_direct.c's chains in C, over the plan's own slots
// and the kernel's pins.
//
// Reals by dr and tun are chosen in table netdev, for whatever comes in by an interface. What that leaves over
// (a slot of one of the others, or of nobody) table inet gives to the others; this host's own flows begin there.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "gwd/core/names.h"
#include "gwd/core/ring.h"
#include "gwd/core/slots.h"
#include "gwd/core/trace.h"

// ---- the pin ---------------------------------------------------------------------------------

static size_t service_real_of_id(const struct plan_service *service, uint32_t id)
{
	for (size_t i = 0; i < service->reals.n; i++)
		if (service->reals.v[i].id == id)
			return i;
	return TRACE_NONE;
}

// Whose pin the client has there. TRACE_NONE: nobody's, or it is void.
static size_t service_pin(struct trace *trace, const struct plan_service *service, enum plan_table table)
{
	struct trace_service *asked = &trace->service;
	struct addr client = trace->flow.from;
	char map[PLAN_NAME_SIZE];
	uint32_t id;
	if (!service->persistence_ms)
		return TRACE_NONE;
	addr_mask(&client, service->persist_mask[trace->fam]);
	name_service(map, table == PLAN_NETDEV ? "drstick" : "stick", trace->fam, service);
	asked->pin = TRACE_PIN_NONE;
	if (!trace->world.pin(trace->world.arg, table, map, client.b, addr_size(&client), &id,
			      &asked->pin_left_ms))
		return TRACE_NONE;
	size_t real = asked->pin_real = service_real_of_id(service, id);
	bool live = real != TRACE_NONE && service->reals.v[real].live[trace->fam];
	asked->pin = live ? TRACE_PIN_LIVE : TRACE_PIN_VOID;
	return live ? real : TRACE_NONE;
}

// ---- the slots -------------------------------------------------------------------------------

struct service_draw {
	enum plan_table table;
	enum scheduler scheduler;
	uint32_t n, filled;
	size_t owners[SLOTS_MAX]; // TRACE_NONE: nobody
};

static bool service_owns(const struct plan_service *service, const struct plan_real *real,
			 const struct plan_elem *elem, enum plan_table table)
{
	if (table == PLAN_NETDEV)
		return elem->mark == real->id;
	if (service->by_real) { // "real4.SERVICE.REAL", "to4.SERVICE.REAL"
		const char *dot = strrchr(elem->chain, '.');
		return dot && !strcmp(dot + 1, real->name);
	}
	return !memcmp(elem->last, real->address.b, addr_size(&real->address)) &&
	       (service->keep_port || elem->mark == real->port);
}

static void service_slots(struct service_draw *draw, const struct trace *trace, const struct plan *plan,
			  const struct plan_service *service, enum plan_table table)
{
	char name[PLAN_NAME_SIZE];
	*draw = (struct service_draw){
		.table = table, .scheduler = service->scheduler, .n = service->n_slots[trace->fam]};
	if (table == PLAN_NETDEV && trace->flow.middle && plan_draw_has_state(service->scheduler))
		draw->scheduler = SCHED_MH; // what can be told again
	for (uint32_t i = 0; i < draw->n; i++)
		draw->owners[i] = TRACE_NONE;
	const struct plan_set *set =
		plan_find_set(plan, table == PLAN_NETDEV ? name_direct_pool(name, trace->fam, service)
							 : name_pool(name, trace->fam, service));
	for (size_t i = 0; set && i < set->elems.n; i++) {
		uint32_t slot;
		memcpy(&slot, set->elems.v[i].key, sizeof(slot));
		for (size_t k = 0; slot < draw->n && k < service->reals.n; k++)
			if (draw->owners[slot] == TRACE_NONE && service->reals.v[k].fam[trace->fam] &&
			    service_owns(service, &service->reals.v[k], &set->elems.v[i], table))
				draw->owners[slot] = k;
		draw->filled += slot < draw->n && draw->owners[slot] != TRACE_NONE;
	}
}

static bool service_slot(struct trace *trace, const struct plan_service *service,
			 const struct service_draw *draw)
{
	struct trace_service *asked = &trace->service;
	char chain[PLAN_NAME_SIZE];
	uint64_t taken;
	asked->n_slots = draw->n;
	asked->has_slot = draw->n == 1;
	if (trace_hash(&trace->flow, draw->scheduler, draw->n, &asked->slot))
		asked->has_slot = true;
	else if (draw->table == PLAN_INET && ring_schedules(draw->scheduler) &&
		 trace->world.taken(trace->world.arg, name_drawer(chain, trace->fam, service), &taken)) {
		asked->slot = (uint32_t)(taken % draw->n);
		asked->has_slot = true;
	}
	return asked->has_slot;
}

// What each has of those slots; returns what is left over for table inet.
static double service_shares(struct trace *trace, const struct plan_service *service,
			     const struct service_draw *draw, double of)
{
	uint32_t direct = 0, all = draw->table == PLAN_NETDEV ? draw->n : draw->filled;
	for (uint32_t slot = 0; slot < draw->n; slot++) {
		size_t owner = draw->owners[slot];
		if (owner == TRACE_NONE)
			continue;
		bool is_direct = plan_real_is_direct(&service->reals.v[owner]);
		direct += is_direct;
		vec_each(&trace->service.reals, real)
			if (real->real == owner && is_direct == (draw->table == PLAN_NETDEV))
				real->share += of / all;
	}
	return of * (draw->n - direct) / draw->n;
}

// ---- who gets it -----------------------------------------------------------------------------

static bool service_choose(struct trace *trace, size_t index, enum trace_why why)
{
	struct trace_service *asked = &trace->service;
	for (size_t i = 0; i < asked->reals.n; i++)
		if (asked->reals.v[i].real == index)
			asked->real = i;
	asked->reals.v[asked->real].why = TRACE_CHOSEN;
	trace->end = TRACE_SERVICE;
	trace->why = why;
	return true;
}

// True: that table has decided it, if only as far as can be told.
static bool service_ask(struct trace *trace, const struct plan_service *service,
			const struct service_draw *draw)
{
	bool netdev = draw->table == PLAN_NETDEV;
	size_t owner = service_pin(trace, service, draw->table);
	if (owner != TRACE_NONE && plan_real_is_direct(&service->reals.v[owner]) == netdev)
		return service_choose(trace, owner, TRACE_BY_PIN);
	if (netdev && owner != TRACE_NONE)
		return false; // its pin is one of the others'
	if (!draw->filled)
		return false;
	if (!service_slot(trace, service, draw))
		return true;
	owner = draw->owners[trace->service.slot];
	if (owner == TRACE_NONE || plan_real_is_direct(&service->reals.v[owner]) != netdev)
		return false;
	return service_choose(trace, owner, trace_slot_why(draw->scheduler, true));
}

// One of several. Those by dr and tun are in the turn only where table netdev draws.
static bool service_may(const struct plan_service *service, const struct trace_real *real,
			enum plan_table table)
{
	return real->share > 0 &&
	       (table == PLAN_NETDEV || !plan_real_is_direct(&service->reals.v[real->real]));
}

static void service_turn(struct trace *trace, const struct plan_service *service, enum plan_table table)
{
	struct trace_service *asked = &trace->service;
	size_t n = 0, only = TRACE_NONE;
	vec_each(&asked->reals, real)
		if (service_may(service, real, table)) {
			n++;
			only = real->real;
		}
	if (n == 1)
		service_choose(trace, only, trace_slot_why(service->scheduler, true));
	if (n < 2)
		return;
	vec_each(&asked->reals, real)
		if (service_may(service, real, table))
			real->why = TRACE_IN_TURN;
	trace->end = TRACE_SERVICE;
	trace->why = trace_slot_why(service->scheduler, false);
}

static void service_pick(struct trace *trace, const struct plan *plan, const struct plan_service *service)
{
	struct service_draw netdev = {0}, inet = {0};
	double left = 1;
	if (trace->service.direct) {
		service_slots(&netdev, trace, plan, service, PLAN_NETDEV);
		left = service_shares(trace, service, &netdev, left);
	}
	if (service->inet) {
		service_slots(&inet, trace, plan, service, PLAN_INET);
		service_shares(trace, service, &inet, left);
	}
	enum plan_table table = PLAN_NETDEV;
	bool asked = trace->service.direct && service_ask(trace, service, &netdev);
	if (!asked && service->inet) {
		table = PLAN_INET;
		asked = service_ask(trace, service, &inet);
	}
	if (asked && trace->service.real == TRACE_NONE)
		service_turn(trace, service, table);
}

// ---- before and after ------------------------------------------------------------------------

static bool service_is_welcomed(const struct trace *trace, const struct plan *plan)
{
	const struct plan_set *wan = plan_find_set(plan, "wan"),
			      *syn = plan_find_set(plan, trace->fam == FAM_4 ? "syn4" : "syn6");
	uint8_t key[PLAN_KEY_SIZE] = {0};
	uint16_t port = htons(trace->flow.dport);
	bool outside = false, listens = false;
	unsigned size = addr_size(&trace->flow.to);
	memcpy(key, trace->flow.to.b, size);
	memcpy(key + size, &port, sizeof(port));
	for (size_t i = 0; wan && i < wan->elems.n; i++)
		outside |= !strncmp((const char *)wan->elems.v[i].key, trace->world.iif, 16);
	for (size_t i = 0; syn && i < syn->elems.n; i++)
		listens |= !memcmp(syn->elems.v[i].key, key, sizeof(key));
	return outside && listens && trace->flow.has_protocol && trace->flow.protocol == IPPROTO_TCP;
}

// By a gateway: back where it came from. Behind syn-proxy it is the kernel's own flow, which begins at the
// listener's link; answers of dr and tun, if they come by here at all, are told by the listener alone.
static void service_answer(struct trace *trace, const struct plan *plan)
{
	const struct addr *vip = &trace->flow.to;
	struct trace_service *asked = &trace->service;
	if (asked->proxied)
		trace->gateway = trace_gateway_in(plan, trace->fam == FAM_4 ? "home4" : "home6", vip->b,
						  addr_size(vip));
	if (trace->origin == TRACE_FROM_GATEWAY)
		asked->answer = trace->gateway;
}

void trace_inbound(struct trace *trace, const struct plan *plan)
{
	struct trace_service *asked = &trace->service;
	bool refused = trace->end == TRACE_REFUSED;
	bool untracked = trace->why == TRACE_CONTROL && trace->origin == TRACE_FROM_HERE;
	if (!plan->active || refused || untracked || !trace_listener(trace, plan))
		return;
	const struct plan_service *service = &plan->services.v[asked->service];
	if (asked->open)
		return;
	for (size_t i = 0; i < service->reals.n; i++)
		if (service->reals.v[i].fam[trace->fam])
			vec_push(&asked->reals, (struct trace_real){.real = i, .speaker = TRACE_NONE});
	if (service->syn_proxy && trace->flow.middle) {
		trace->end = TRACE_HERE;
		trace->why = TRACE_PROXIED;
	} else {
		asked->proxied = service_is_welcomed(trace, plan);
		service_pick(trace, plan, service);
		if (trace->end != TRACE_SERVICE && trace->world.route == TRACE_ROUTE_HERE) {
			trace->end = TRACE_HERE;
			trace->why = TRACE_UNSERVED;
		}
	}
	if (trace->end == TRACE_SERVICE)
		service_answer(trace, plan);
	trace_reals(trace, plan);
}
