// SPDX-License-Identifier: GPL-2.0-or-later
// What each gateway's own flows speak from, where it is masquerading: the address that the link has now, as an
// element. The kernel's own masquerading costs a new flow more, and forgets a link's flows by itself when the
// interface goes, before anybody could tell their clients; and in IPv6 it chooses the address by the
// destination, which is wrong where two networks share a wire. It stays behind for whatever has no element.
#include <stdio.h>
#include <string.h>

#include "gwd/core/build.h"
#include "gwd/core/link.h"
#include "gwd/core/plan.h"

static void build_speaker(struct plan_set *set, const struct plan_gateway *gw, uint32_t ifindex, enum fam fam)
{
	struct plan_elem elem = {0};
	if (gw->snat[fam].mode != SNAT_MASQUERADE || addr_is_none(&gw->source[fam]))
		return;
	memcpy(elem.key, &gw->mark, sizeof(gw->mark));
	memcpy(elem.key + sizeof(gw->mark), &ifindex, sizeof(ifindex));
	memcpy(elem.last, gw->source[fam].b, addr_size(&gw->source[fam]));
	vec_push(&set->elems, elem);
}

void build_speak(struct plan *plan, const struct link *links)
{
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		struct plan_set *set;
		vec_add(&plan->sets, set);
		snprintf(set->name, sizeof(set->name), "speak%c", fam == FAM_4 ? '4' : '6');
		set->key[0] = PLAN_T_MARK;
		set->key[1] = PLAN_T_IFINDEX;
		set->data = fam == FAM_4 ? PLAN_T_IPV4 : PLAN_T_IPV6;
		set->size = PLAN_IDS_SIZE;
		for (size_t i = 0; i < plan->gateways.n; i++)
			if (links[i].present)
				build_speaker(set, &plan->gateways.v[i], links[i].ifindex, fam);
	}
}
