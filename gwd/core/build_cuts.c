// SPDX-License-Identifier: GPL-2.0-or-later
// The maps that say which rules are possible for a packet, where there are many rules (cut.h).
#include <stdio.h>
#include <string.h>

#include "gwd/core/build.h"
#include "gwd/core/cut.h"
#include "gwd/core/names.h"
#include "gwd/core/plan.h"

static void build_cut(struct plan *plan, bool own, enum fam fam)
{
	struct cut cut = {0};
	struct plan_set *set;
	cut_make(&cut, plan, own, fam);
	if (cut.field == CUT_NONE)
		return;
	vec_add(&plan->sets, set);
	name_cut(set->name, fam, own);
	set->key[0] = cut.field == CUT_PORT ? PLAN_T_PORT : fam == FAM_4 ? PLAN_T_IPV4 : PLAN_T_IPV6;
	set->data = PLAN_T_VERDICT;
	set->interval = true;
	vec_each(&cut.parts, part) {
		struct plan_elem elem = {0};
		memcpy(elem.key, part->first, sizeof(part->first));
		memcpy(elem.last, part->last, plan_type_size(set->key[0]));
		name_cut_list(elem.chain, fam, own, part->list);
		vec_push(&set->elems, elem);
	}
	cut_free(&cut);
}

void build_cuts(struct plan *plan)
{
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		build_cut(plan, false, fam);
		build_cut(plan, true, fam);
	}
}
