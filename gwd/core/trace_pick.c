// SPDX-License-Identifier: GPL-2.0-or-later
// Whom a group gives a flow to: nft/chain_group.c's chains in C, over the plan's own slots and the kernel's pins.
#include <assert.h>
#include <string.h>

#include "gwd/base/jhash.h"
#include "gwd/core/names.h"
#include "gwd/core/ring.h"
#include "gwd/core/slots.h"
#include "gwd/core/trace.h"

// ---- the pin -------------------------------------------------------------------------------

static const struct plan_member *pick_member(const struct plan *plan, const struct plan_group *group,
					     uint32_t mark)
{
	vec_each(&group->members, member)
		if (plan->gateways.v[member->gateway].mark == mark)
			return member;
	return NULL;
}

static unsigned pick_pin_key(uint8_t key[PLAN_KEY_SIZE], const struct trace *trace,
			     const struct plan_group *group)
{
	struct addr client = trace->flow.from;
	unsigned size = addr_size(&client);
	addr_mask(&client, group->persist_mask[trace->fam]);
	memcpy(key, client.b, size);
	if (group->persist_by == PERSIST_SOURCE)
		return size;
	memcpy(key + size, trace->flow.to.b, size);
	return 2 * size;
}

static size_t pick_gateway_of_mark(const struct plan *plan, uint32_t mark)
{
	for (size_t i = 0; i < plan->gateways.n; i++)
		if (plan->gateways.v[i].mark == mark)
			return i;
	return TRACE_NONE;
}

static void pick_pin(struct trace_group *asked, const struct trace *trace, const struct plan *plan)
{
	const struct plan_group *group = &plan->groups.v[asked->group];
	uint8_t key[PLAN_KEY_SIZE] = {0};
	char map[PLAN_NAME_SIZE];
	uint32_t mark;
	if (!group->persistence_ms)
		return;
	unsigned size = pick_pin_key(key, trace, group);
	asked->pin = TRACE_PIN_NONE;
	if (!trace->world.pin(trace->world.arg, PLAN_INET, name_pins(map, trace->fam, group), key, size,
			      &mark, &asked->pin_left_ms))
		return;
	const struct plan_member *member = pick_member(plan, group, mark);
	asked->pin = member && member->live[trace->fam] ? TRACE_PIN_LIVE : TRACE_PIN_VOID;
	asked->pin_gateway = pick_gateway_of_mark(plan, mark);
}

// ---- the slot ------------------------------------------------------------------------------

static size_t pick_owner(const struct plan *plan, const struct plan_group *group, enum fam fam,
			 const struct plan_elem *elem)
{
	char chain[PLAN_NAME_SIZE];
	for (size_t i = 0; i < group->members.n; i++) {
		const struct plan_gateway *gw = &plan->gateways.v[group->members.v[i].gateway];
		if (group->persistence_ms)
			name_give(chain, fam, group, gw);
		else
			name_gateway_chain(chain, "take", gw);
		if (!strcmp(chain, elem->chain))
			return i;
	}
	return TRACE_NONE;
}

// The owner of each slot, an index into the group's members; TRACE_NONE: nobody. Returns how many have one.
static uint32_t pick_owners(size_t owners[SLOTS_MAX], const struct plan *plan, const struct plan_group *group,
			    enum fam fam)
{
	char name[PLAN_NAME_SIZE];
	uint32_t n = 0;
	const struct plan_set *set = plan_find_set(plan, name_slots(name, fam, group));
	for (uint32_t i = 0; i < SLOTS_MAX; i++)
		owners[i] = TRACE_NONE;
	for (size_t i = 0; set && i < set->elems.n; i++) {
		uint32_t slot;
		memcpy(&slot, set->elems.v[i].key, sizeof(slot));
		assert(slot < SLOTS_MAX);
		owners[slot] = pick_owner(plan, group, fam, &set->elems.v[i]);
		n += owners[slot] != TRACE_NONE;
	}
	return n;
}

// By the address alone, or with the source port, padded as the kernel's registers are.
bool trace_hash(const struct trace_flow *flow, enum scheduler scheduler, uint32_t n_slots, uint32_t *slot)
{
	const struct addr *addr = scheduler == SCHED_DH ? &flow->to : &flow->from;
	uint8_t key[20] = {0};
	uint32_t size = addr_size(addr);
	if (scheduler != SCHED_SH && scheduler != SCHED_DH && scheduler != SCHED_MH)
		return false;
	memcpy(key, addr->b, size);
	if (scheduler == SCHED_MH) {
		key[size] = (uint8_t)(flow->sport >> 8);
		key[size + 1] = (uint8_t)flow->sport;
		size += 4;
	}
	*slot = jhash_mod(key, size, n_slots, PLAN_HASH_SEED);
	return scheduler != SCHED_MH || flow->has_sport;
}

// Behind a void pin a chain of its own counts.
static void pick_counts(struct trace_group *asked, const struct trace *trace, const struct plan_group *group)
{
	char chain[PLAN_NAME_SIZE];
	uint64_t taken;
	if (asked->pin == TRACE_PIN_VOID ||
	    !trace->world.taken(trace->world.arg, name_group(chain, "group", trace->fam, group), &taken))
		return;
	asked->slot = (uint32_t)(taken % asked->n_slots);
	asked->has_slot = true;
}

// The slot that this flow draws, where that can be told.
static void pick_slot(struct trace_group *asked, const struct trace *trace, const struct plan *plan)
{
	const struct plan_group *group = &plan->groups.v[asked->group];
	asked->n_slots = group->n_slots[trace->fam];
	asked->has_slot = asked->n_slots == 1;
	if (trace_hash(&trace->flow, group->scheduler, asked->n_slots, &asked->slot))
		asked->has_slot = true;
	else if (ring_schedules(group->scheduler))
		pick_counts(asked, trace, group);
}

enum trace_why trace_slot_why(enum scheduler scheduler, bool certain)
{
	switch (scheduler) {
	case SCHED_LC:
	case SCHED_WLC:
	case SCHED_SED:
	case SCHED_NQ:
		return certain ? TRACE_BY_COUNTS : TRACE_NEXT;
	case SCHED_RANDOM:
		return certain ? TRACE_BY_SLOT : TRACE_AT_RANDOM;
	case SCHED_RR:
	case SCHED_WRR:
	case SCHED_SH:
	case SCHED_DH:
	case SCHED_MH:
	case SCHED_FO:
	case SCHED_LEAST_LOAD:
	case SCHED_LOWEST_LATENCY:
		break;
	}
	return certain ? TRACE_BY_SLOT : TRACE_NEXT;
}

// ---- the members ---------------------------------------------------------------------------

static enum trace_member_why pick_why_not(const struct plan_group *group, enum fam fam,
					  const struct plan_member *member, const struct plan_gateway *gw)
{
	if (!gw->usable[fam])
		return TRACE_DOWN;
	if (!member->weight)
		return TRACE_DRAIN;
	if (member->active[fam])
		return TRACE_WAITS;
	if (gw->full)
		return TRACE_FULL;
	if (gw->degraded[fam])
		return TRACE_DEGRADED;
	return group->tier[fam] && member->tier != group->tier[fam] ? TRACE_TIER : TRACE_WAITS;
}

static void pick_members_of(struct trace_group *asked, const struct plan *plan, enum fam fam,
			    const size_t owners[SLOTS_MAX])
{
	const struct plan_group *group = &plan->groups.v[asked->group];
	for (size_t i = 0; i < group->members.n; i++) {
		const struct plan_member *member = &group->members.v[i];
		struct trace_member seen = {
			.gateway = member->gateway, .tier = member->tier, .weight = member->weight};
		for (uint32_t slot = 0; slot < group->n_slots[fam]; slot++)
			seen.slots += owners[slot] == i;
		seen.why = seen.slots ? TRACE_OTHER
				      : pick_why_not(group, fam, member, &plan->gateways.v[member->gateway]);
		vec_push(&asked->members, seen);
	}
}

static bool pick_choose(struct trace *trace, struct trace_group *asked, size_t gateway, enum trace_why why)
{
	trace->end = TRACE_TAKEN;
	trace->why = why;
	trace->gateway = gateway;
	vec_each(&asked->members, member)
		if (member->gateway == gateway)
			member->why = TRACE_CHOSEN;
	return true;
}

// One of several: all who have slots are in the turn. One alone is certain.
static bool pick_turn(struct trace *trace, struct trace_group *asked, const struct plan_group *group)
{
	size_t n = 0, only = TRACE_NONE;
	vec_each(&asked->members, member) {
		n += member->slots > 0;
		if (member->slots)
			only = member->gateway;
	}
	if (n == 1)
		return pick_choose(trace, asked, only, trace_slot_why(group->scheduler, true));
	vec_each(&asked->members, member)
		if (member->slots)
			member->why = TRACE_IN_TURN;
	trace->end = TRACE_TURN;
	trace->why = trace_slot_why(group->scheduler, false);
	return n > 0;
}

bool trace_pick(struct trace *trace, const struct plan *plan, size_t index)
{
	const struct plan_group *group = &plan->groups.v[index];
	struct trace_group *asked;
	size_t owners[SLOTS_MAX];
	vec_add(&trace->groups, asked);
	*asked = (struct trace_group){.group = index, .pin_gateway = TRACE_NONE};
	pick_pin(asked, trace, plan);
	uint32_t filled = pick_owners(owners, plan, group, trace->fam);
	pick_members_of(asked, plan, trace->fam, owners);
	if (asked->pin == TRACE_PIN_LIVE)
		return pick_choose(trace, asked, asked->pin_gateway, TRACE_BY_PIN);
	pick_slot(asked, trace, plan);
	if (!filled)
		return false;
	if (!asked->has_slot)
		return pick_turn(trace, asked, group);
	size_t owner = owners[asked->slot];
	return owner != TRACE_NONE && pick_choose(trace, asked, group->members.v[owner].gateway,
						  trace_slot_why(group->scheduler, true));
}
