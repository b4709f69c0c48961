// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/leaving.h"

#include <stdlib.h>
#include <string.h>

#include "gwd/core/build.h"
#include "gwd/core/plan.h"

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

// Their tunnels go with the last real that needs them.
static bool leaving_by_tunnel(const struct plan *applied, const struct plan_elem *elem)
{
	vec_each(&applied->tunnels, tunnel)
		if (!memcmp(tunnel->remote.b, elem->last, addr_size(&tunnel->remote)))
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
			if (!leaving_has(&known, leaving_id(elem)) && !leaving_by_tunnel(applied, elem))
				vec_push(&leaving->ids, leaving_id(elem));
	}
	leaving_sort(leaving);
	vec_free(&known.ids);
}

static void leaving_keep_elems(const struct leaving *leaving, const struct plan *applied, struct plan *plan,
			       const char *name)
{
	const struct plan_set *from = plan_find_set(applied, name), *found = plan_find_set(plan, name);
	if (!from || !found)
		return;
	struct plan_set *to = &plan->sets.v[found - plan->sets.v];
	vec_each(&from->elems, elem)
		if (leaving_has(leaving, leaving_id(elem)) && to->elems.n < to->size)
			vec_push(&to->elems, *elem);
}

void leaving_keep(const struct leaving *leaving, const struct plan *applied, struct plan *plan)
{
	if (!leaving->ids.n)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		leaving_keep_elems(leaving, applied, plan, addresses[i]);
		leaving_keep_elems(leaving, applied, plan, devices[i]);
	}
	build_sort(plan);
}
