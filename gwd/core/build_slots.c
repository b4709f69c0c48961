// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/build_slots.h"

#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/core/load.h"
#include "gwd/core/names.h"
#include "gwd/core/plan.h"
#include "gwd/core/slots.h"

static unsigned build_held(const struct build_slots_input *in, const struct plan_member *member)
{
	return in->plan->gateways.v[member->gateway].held[in->fam];
}

static void build_ring(uint16_t *slots, const struct build_slots_input *in)
{
	size_t n = in->group->members.n;
	struct ring_member *members = xcalloc(n, sizeof(*members));
	for (size_t i = 0; i < n; i++) {
		const struct plan_member *member = &in->group->members.v[i];
		members[i] = (struct ring_member){.flows = in->loads ? in->loads[member->gateway].flows : 0,
						  .weight = member->weight,
						  .active = member->active[in->fam],
						  .held = build_held(in, member)};
	}
	ring_fill(slots, in->group->n_slots[in->fam], in->turn, in->group->scheduler, members, n);
	free(members);
}

// The quickest takes all. One that was never measured is the last choice; of equals the first wins.
static void build_quickest(uint16_t *slots, const struct build_slots_input *in)
{
	const struct plan_group *group = in->group;
	double best_ms = 0;
	slots[0] = SLOT_EMPTY;
	for (size_t i = 0; i < group->members.n; i++) {
		const struct plan_member *member = &group->members.v[i];
		double ms = in->loads ? in->loads[member->gateway].latency_ms[in->fam] : -1;
		bool better = ms >= 0 && (best_ms < 0 || ms < best_ms);
		if (!member->active[in->fam] || (slots[0] != SLOT_EMPTY && !better))
			continue;
		slots[0] = (uint16_t)i;
		best_ms = ms;
	}
}

static unsigned build_weight(const struct build_slots_input *in, const struct plan_member *member)
{
	const struct load *load = in->loads ? &in->loads[member->gateway] : NULL;
	if (in->group->scheduler != SCHED_LEAST_LOAD || !member->undrained)
		return member->undrained;
	return load_free_weight(load, &in->model->gateways[member->gateway]);
}

static void build_by_weight(uint16_t *slots, const struct build_slots_input *in)
{
	const struct plan_group *group = in->group;
	size_t n = group->members.n;
	struct slots_member *members = xcalloc(n, sizeof(*members));
	for (size_t i = 0; i < n; i++) {
		const struct plan_member *member = &group->members.v[i];
		members[i] = (struct slots_member){.name = in->plan->gateways.v[member->gateway].name,
						   .weight = build_weight(in, member),
						   .tier = member->tier,
						   .active = member->active[in->fam],
						   .held = build_held(in, member)};
	}
	slots_build(slots, group->n_slots[in->fam], group->scheduler, members, n, group->tier[in->fam]);
	free(members);
}

static void build_schedule(uint16_t *slots, const struct build_slots_input *in)
{
	enum scheduler scheduler = in->group->scheduler;
	if (ring_schedules(scheduler))
		build_ring(slots, in);
	else if (scheduler == SCHED_LOWEST_LATENCY)
		build_quickest(slots, in);
	else
		build_by_weight(slots, in);
}

static void build_destination(char *chain, const struct build_slots_input *in,
			      const struct plan_member *member)
{
	const struct plan_gateway *gw = &in->plan->gateways.v[member->gateway];
	if (in->group->persistence_ms)
		name_give(chain, in->fam, in->group, gw);
	else
		name_gateway_chain(chain, "take", gw);
}

void build_slots(struct plan_set *set, const struct build_slots_input *in)
{
	uint16_t slots[SLOTS_MAX];
	uint32_t n_slots = in->group->n_slots[in->fam];
	build_schedule(slots, in);
	name_slots(set->name, in->fam, in->group);
	set->key[0] = PLAN_T_INDEX;
	set->data = PLAN_T_VERDICT;
	set->size = set->modulus = n_slots;
	for (uint32_t i = 0; i < n_slots; i++) {
		if (slots[i] == SLOT_EMPTY)
			continue;
		struct plan_elem elem = {0};
		memcpy(elem.key, &i, sizeof(i));
		build_destination(elem.chain, in, &in->group->members.v[slots[i]]);
		vec_push(&set->elems, elem);
	}
}
