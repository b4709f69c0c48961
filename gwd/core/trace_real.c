// SPDX-License-Identifier: GPL-2.0-or-later
// A service's reals in an explanation: why one gets nothing; how one that may get the flow is reached, and what it
// sees as the source: nft/chain_source.c's chain in C.
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "gwd/core/names.h"
#include "gwd/core/trace.h"

static enum trace_member_why real_why_not(const struct trace *trace, const struct plan_service *service,
					  const struct plan_real *real)
{
	if (!real->usable)
		return TRACE_DOWN;
	if (!real->weight)
		return TRACE_DRAIN;
	if (real->full)
		return TRACE_FULL;
	if (real->active[trace->fam])
		return TRACE_WAITS;
	if ((unsigned)real->role + 1 != service->tier[trace->fam])
		return TRACE_TIER;
	return real->state == STATE_DEGRADED ? TRACE_DEGRADED : TRACE_WAITS;
}

// ---- what it sees ----------------------------------------------------------------------------

static size_t real_field(uint8_t *key, size_t at, const void *value, size_t size)
{
	memcpy(key + at, value, size);
	return at + (size + 3) / 4 * 4;
}

static size_t real_service_of(const struct plan *plan, enum fam fam, const char *chain)
{
	char name[PLAN_NAME_SIZE];
	for (size_t i = 0; i < plan->services.n; i++)
		if (!strcmp(name_service(name, "source", fam, &plan->services.v[i]), chain))
			return i;
	return TRACE_NONE;
}

// A range of ports is told by address and real alone.
static bool real_is_spoken_for(const struct trace *trace, const struct plan_service *service,
			       const struct plan_real *real)
{
	bool ranges = false, same = false;
	vec_each(&service->listens, listen)
		ranges |= listen->first != listen->last && addr_equal(&listen->addr, &trace->flow.to);
	vec_each(&service->reals, other)
		same |= other->forward == FORWARD_FULLNAT && !other->port &&
			addr_equal(&other->address, &real->address);
	return ranges && same &&
	       memchr(service->protocols.v, trace->flow.protocol, service->protocols.n) != NULL;
}

// The service by whose `source` a connection to this real speaks, once it is translated.
static size_t real_speaker(const struct trace *trace, const struct plan *plan, const struct plan_real *real)
{
	const struct plan_set *set = plan_find_set(plan, trace->fam == FAM_4 ? "fullnat4" : "fullnat6");
	const struct trace_flow *flow = &trace->flow;
	uint8_t key[PLAN_KEY_SIZE] = {0};
	uint16_t port = htons(real->port ? real->port : flow->dport);
	const struct addr *addr = addr_is_none(&real->address) ? &flow->to : &real->address;
	size_t at = real_field(key, 0, flow->to.b, addr_size(&flow->to));
	at = real_field(key, at, addr->b, addr_size(addr));
	at = real_field(key, at, &flow->protocol, sizeof(flow->protocol));
	real_field(key, at, &port, sizeof(port));
	for (size_t i = 0; set && i < set->elems.n; i++)
		if (!memcmp(set->elems.v[i].key, key, sizeof(key)))
			return real_service_of(plan, trace->fam, set->elems.v[i].chain);
	for (size_t i = 0; i < plan->services.n; i++)
		if (real_is_spoken_for(trace, &plan->services.v[i], real))
			return i;
	return TRACE_NONE;
}

static bool real_is_hairpin(const struct trace *trace, const struct plan *plan, const char *out)
{
	const struct plan_set *set = plan_find_set(plan, "hairpin");
	uint8_t key[PLAN_KEY_SIZE] = {0};
	memcpy(key, trace->world.iif, strnlen(trace->world.iif, 15));
	memcpy(key + 16, out, strnlen(out, 15));
	for (size_t i = 0; set && i < set->elems.n; i++)
		if (!memcmp(set->elems.v[i].key, key, sizeof(key)))
			return true;
	return false;
}

static bool real_leaves_by_link(const struct trace *trace, const struct plan *plan, const char *out)
{
	vec_each(&plan->gateways, gw)
		if (!strcmp(gw->ifname, out) && gw->snat[trace->fam].mode != SNAT_NONE)
			return true;
	return false;
}

static void real_source(struct trace_real *seen, const struct trace *trace, const struct plan *plan,
			const struct plan_real *real)
{
	if (!seen->out[0])
		return; // nothing leaves
	seen->speaker = real_speaker(trace, plan, real);
	if (seen->speaker != TRACE_NONE)
		seen->source = TRACE_SOURCE_FULLNAT;
	else if (real_is_hairpin(trace, plan, seen->out))
		seen->source = TRACE_SOURCE_HAIRPIN;
	else if (real_leaves_by_link(trace, plan, seen->out))
		seen->source = TRACE_SOURCE_LINK;
}

// ---- how it is reached -----------------------------------------------------------------------

static void real_reach(struct trace_real *seen, const struct trace *trace, const struct plan *plan,
		       const struct plan_real *real)
{
	uint32_t mark = trace->flow.mark;
	if (trace->gateway != TRACE_NONE)
		mark = (mark & ~plan->mark_mask) | plan->gateways.v[trace->gateway].mark;
	if (plan_real_is_direct(real)) {
		seen->reached = real->oif != 0;
		memcpy(seen->out, real->ifname, sizeof(seen->out));
		return;
	}
	seen->reached = addr_is_none(&real->address) ||
			trace->world.way(trace->world.arg, &real->address, mark, seen->out);
	real_source(seen, trace, plan, real);
}

// Answers of dr and tun are told by the listener alone, if they come by here at all.
static void real_answer(struct trace *trace, const struct plan *plan)
{
	const struct plan_set *back = plan_find_set(plan, trace->fam == FAM_4 ? "drback4" : "drback6");
	trace->gateway = trace->service.answer = TRACE_NONE;
	for (size_t i = 0; back && i < back->elems.n; i++)
		for (size_t k = 0; k < plan->gateways.n; k++)
			if (!memcmp(back->elems.v[i].key, trace->flow.to.b, addr_size(&trace->flow.to)) &&
			    plan->gateways.v[k].mark == back->elems.v[i].mark)
				trace->service.answer = k;
}

void trace_reals(struct trace *trace, const struct plan *plan)
{
	struct trace_service *asked = &trace->service;
	const struct plan_service *service = &plan->services.v[asked->service];
	bool others = trace->end != TRACE_SERVICE;
	for (size_t i = 0; i < asked->reals.n; i++) {
		struct trace_real *seen = &asked->reals.v[i];
		const struct plan_real *real = &service->reals.v[seen->real];
		if (i == asked->real || seen->why == TRACE_IN_TURN) {
			real_reach(seen, trace, plan, real);
			others |= !plan_real_is_direct(real);
		} else {
			seen->why = seen->share > 0 ? TRACE_OTHER : real_why_not(trace, service, real);
		}
	}
	if (asked->real != TRACE_NONE)
		memcpy(trace->oif, asked->reals.v[asked->real].out, sizeof(trace->oif));
	if (!others)
		real_answer(trace, plan);
}
