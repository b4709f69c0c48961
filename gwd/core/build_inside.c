// SPDX-License-Identifier: GPL-2.0-or-later
// The sets of destinations that don't go out, so that a new flow costs one lookup instead of up to three
// route lookups. Not where main alone does not decide (somebody else's ip rules), nor with more
// routes than are followed one by one: there the packet path asks the kernel (nft/chain_lan.c).
//
// A set follows the routes a few milliseconds behind. A flow that begins in between is taken for what its
// destination was before, as one that began before the change is, and stays so until it ends; no packet goes
// where neither the old nor the new routes would send it.
#include <stdio.h>
#include <string.h>

#include "gwd/core/build.h"
#include "gwd/core/facts.h"
#include "gwd/core/inside.h"
#include "gwd/core/plan.h"

#define BUILD_NEAR_SIZE 256 // all there are

// The first bytes of all that is inside.
static void build_near_set(struct plan *plan, const struct spans *spans)
{
	struct plan_set *set;
	int last = -1;
	vec_add(&plan->sets, set);
	snprintf(set->name, sizeof(set->name), "byte4");
	set->key[0] = PLAN_T_BYTE;
	set->size = BUILD_NEAR_SIZE;
	vec_each(&spans->v, span) { // in order
		for (int byte = span->first[0] > last ? span->first[0] : last + 1; byte <= span->last[0];
		     byte++) {
			struct plan_elem elem = {.key = {(uint8_t)byte}};
			vec_push(&set->elems, elem);
			last = byte;
		}
	}
}

static void build_inside_set(struct plan *plan, const struct facts *facts, enum fam fam,
			     const struct inside_wans *wans)
{
	struct spans spans = {0};
	struct plan_set *set;
	vec_add(&plan->sets, set);
	snprintf(set->name, sizeof(set->name), "inside%c", fam == FAM_4 ? '4' : '6');
	set->key[0] = fam == FAM_4 ? PLAN_T_IPV4 : PLAN_T_IPV6;
	set->interval = true;
	inside_spans(&spans, facts, fam, wans);
	vec_each(&spans.v, span) {
		struct plan_elem elem = {0};
		memcpy(elem.key, span->first, sizeof(span->first));
		memcpy(elem.last, span->last, sizeof(span->last));
		vec_push(&set->elems, elem);
	}
	if (fam == FAM_4)
		build_near_set(plan, &spans);
	vec_free(&spans.v);
}

void build_inside(struct plan *plan, const struct build_input *input)
{
	struct inside_wans wans = {0};
	plan->inside = !input->facts->nets_many && !input->facts->policy_routed;
	if (!plan->inside)
		return;
	vec_each(&plan->gateways, gw) {
		const struct fact_iface *iface = facts_iface(input->facts, gw->ifname);
		if (iface)
			vec_push(&wans.v, iface->index);
	}
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		build_inside_set(plan, input->facts, fam, &wans);
	vec_free(&wans.v);
}
