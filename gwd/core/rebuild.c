// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/rebuild.h"

#include <assert.h>
#include <string.h>

#include "gwd/core/build.h"
#include "gwd/core/build_direct.h"
#include "gwd/core/build_service.h"
#include "gwd/core/diff.h"
#include "gwd/core/diff_real.h"

static struct plan_set *rebuild_old(const struct plan *applied, const struct plan_set *set)
{
	const struct plan_set *old = plan_find_set(applied, set->name);
	return old ? &applied->sets.v[old - applied->sets.v] : NULL;
}

// Sets that services with syn-proxy share have elements of it for as long as it serves at all.
static bool rebuild_is_seen_elsewhere(const struct plan_service *old, const struct plan_service *now)
{
	for (enum fam fam = FAM_4; now->syn_proxy && fam < FAM_COUNT; fam++)
		if (!old->tier[fam] != !now->tier[fam])
			return true;
	return false;
}

static bool rebuild_fits(const struct plan *applied, const struct rebuild *one)
{
	vec_each(&one->own.sets, set) {
		const struct plan_set *old = rebuild_old(applied, set);
		if (!old || build_set_shape(old) != build_set_shape(set))
			return false;
	}
	vec_each(&one->part.sets, set)
		if (!rebuild_old(applied, set))
			return false;
	return true;
}

bool rebuild_service(struct rebuild *one, const struct plan *applied, const struct build_input *input,
		     size_t at)
{
	const struct plan_service *old = &applied->services.v[at];
	one->at = at;
	build_service(&one->service, input, at);
	if (one->service.reals.n != old->reals.n || rebuild_is_seen_elsewhere(old, &one->service))
		return false;
	for (size_t i = 0; i < old->reals.n; i++) // as plan_build() told them apart
		one->service.reals.v[i].id = old->reals.v[i].id;
	if (build_service_shape(old) != build_service_shape(&one->service))
		return false;
	build_own_sets(&one->own, &one->service, input);
	build_direct_own_sets(&one->own, &one->service, input);
	build_direct_parts(&one->was, old);
	build_direct_parts(&one->part, &one->service);
	build_sort(&one->own);
	build_sort(&one->was);
	build_sort(&one->part);
	return rebuild_fits(applied, one);
}

void rebuild_diff(struct ops *ops, const struct plan *applied, const struct rebuild *one)
{
	vec_each(&one->own.sets, set)
		if (!set->dynamic)
			plan_diff_set(ops, rebuild_old(applied, set), set);
	for (size_t i = 0; i < one->part.sets.n; i++)
		plan_diff_set(ops, &one->was.sets.v[i], &one->part.sets.v[i]);
}

void rebuild_ends(struct ops *ops, const struct plan *applied, const struct rebuild *one)
{
	diff_ends_service(ops, &applied->services.v[one->at], &one->service);
}

static size_t rebuild_place(const struct plan_set *set, const struct plan_elem *elem)
{
	size_t low = 0, high = set->elems.n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (plan_elem_compare(&set->elems.v[middle], elem) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void rebuild_remove(struct plan_set *set, const struct plan_elem *elem)
{
	size_t at = rebuild_place(set, elem);
	assert(at < set->elems.n && !plan_elem_compare(&set->elems.v[at], elem));
	set->elems.n--;
	memmove(&set->elems.v[at], &set->elems.v[at + 1], (set->elems.n - at) * sizeof(*elem));
}

static void rebuild_insert(struct plan_set *set, const struct plan_elem *elem)
{
	size_t at = rebuild_place(set, elem);
	vec_push(&set->elems, *elem);
	memmove(&set->elems.v[at + 1], &set->elems.v[at], (set->elems.n - 1 - at) * sizeof(*elem));
	set->elems.v[at] = *elem;
}

// The shared sets follow by what was done to them.
static void rebuild_take_parts(struct plan *applied, const struct rebuild *one)
{
	struct ops ops = {0};
	for (size_t i = 0; i < one->part.sets.n; i++)
		plan_diff_set(&ops, &one->was.sets.v[i], &one->part.sets.v[i]);
	vec_each(&ops.op, op) {
		if (op->kind == OP_ELEM_DEL)
			rebuild_remove(rebuild_old(applied, op->set), op->elem);
		else
			rebuild_insert(rebuild_old(applied, op->set), op->elem);
	}
	ops_free(&ops);
}

void rebuild_take(struct plan *applied, struct rebuild *one)
{
	struct plan_service service = applied->services.v[one->at];
	applied->services.v[one->at] = one->service;
	one->service = service;
	rebuild_take_parts(applied, one);
	vec_each(&one->own.sets, set) {
		struct plan_set *old = rebuild_old(applied, set), before = *old;
		*old = *set;
		*set = before;
	}
}

void rebuild_free(struct rebuild *one)
{
	plan_free_service(&one->service);
	plan_free(&one->own);
	plan_free(&one->was);
	plan_free(&one->part);
}
