// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/leaving.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gwd/core/build.h"
#include "gwd/core/facts.h"
#include "gwd/core/plan.h"
#include "gwd/core/tunnel.h"

static const char *const addresses[] = {"draddr4", "draddr6"};
static const char *const devices[] = {"drdev4", "drdev6"};

static int leaving_compare(const void *va, const void *vb)
{
	const uint32_t *a = va, *b = vb;
	return (*a > *b) - (*a < *b);
}

static bool leaving_has(const struct leaving *list, uint32_t id)
{
	return list->ids.n && bsearch(&id, list->ids.v, list->ids.n, sizeof(id), leaving_compare);
}

static void leaving_sort(struct leaving *list)
{
	if (list->ids.n)
		qsort(list->ids.v, list->ids.n, sizeof(*list->ids.v), leaving_compare);
}

static uint32_t leaving_id(const struct plan_elem *elem)
{
	uint32_t id;
	memcpy(&id, elem->key, sizeof(id));
	return id;
}

// Also where somebody has taken the device away.
static bool leaving_by_tunnel(const struct plan *applied, const struct addr *remote)
{
	const struct plan_set *ends =
		plan_find_set(applied, addr_fam(remote) == FAM_4 ? "tunnel4" : "tunnel6");
	for (size_t i = 0; ends && i < ends->elems.n; i++)
		if (!memcmp(ends->elems.v[i].key, remote->b, addr_size(remote)))
			return true;
	return false;
}

void leaving_find(struct leaving *leaving, const struct plan *applied, const struct plan *plan)
{
	struct leaving known = {0};
	vec_each(&plan->services, service)
		vec_each(&service->reals, real)
			vec_push(&known.ids, real->id);
	leaving_sort(&known);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		const struct plan_set *set = plan_find_set(applied, addresses[i]);
		if (!set)
			continue;
		vec_each(&set->elems, elem)
			if (!leaving_has(&known, leaving_id(elem)))
				vec_push(&leaving->ids, leaving_id(elem));
	}
	leaving_sort(leaving);
	vec_free(&known.ids);
}

void leaving_find_tunnels(struct leaving *leaving, const struct plan *applied)
{
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		const struct plan_set *set = plan_find_set(applied, addresses[i]);
		if (!set)
			continue;
		vec_each(&set->elems, elem) {
			struct addr remote = addr_from(i ? AF_INET6 : AF_INET, elem->last);
			if (leaving_has(leaving, leaving_id(elem)) && leaving_by_tunnel(applied, &remote))
				vec_push(&leaving->tunnels,
					 (struct leaving_tunnel){leaving_id(elem), remote});
		}
	}
}

// A tunnel that was made anew has another number.
static uint32_t leaving_device(const struct leaving *leaving, const struct facts *facts,
			       const struct plan_elem *elem)
{
	char name[TUNNEL_NAME_SIZE];
	vec_each(&leaving->tunnels, tunnel) {
		if (tunnel->id != leaving_id(elem))
			continue;
		tunnel_name(name, &tunnel->remote);
		const struct fact_iface *iface = facts_iface(facts, name);
		return iface && iface->up ? iface->index : elem->mark;
	}
	return elem->mark;
}

static struct plan_set *leaving_set(struct plan *plan, const char *name)
{
	const struct plan_set *found = plan_find_set(plan, name);
	return found ? &plan->sets.v[found - plan->sets.v] : NULL;
}

void leaving_keep(const struct leaving *leaving, const struct plan *applied, struct plan *plan,
		  const struct facts *facts)
{
	for (size_t i = 0; leaving->ids.n && i < 2 * ARRAY_SIZE(addresses); i++) {
		bool device = i >= ARRAY_SIZE(addresses);
		const char *name = device ? devices[i - ARRAY_SIZE(addresses)] : addresses[i];
		const struct plan_set *from = plan_find_set(applied, name);
		struct plan_set *to = leaving_set(plan, name);
		for (size_t k = 0; from && to && k < from->elems.n; k++) {
			struct plan_elem elem = from->elems.v[k];
			if (!leaving_has(leaving, leaving_id(&elem)) || to->elems.n >= to->size)
				continue;
			if (device)
				elem.mark = leaving_device(leaving, facts, &elem);
			vec_push(&to->elems, elem);
		}
	}
	if (leaving->ids.n)
		build_sort(plan);
}

void leaving_free(struct leaving *leaving)
{
	vec_free(&leaving->ids);
	vec_free(&leaving->tunnels);
}
