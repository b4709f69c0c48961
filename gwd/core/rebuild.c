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

// Of a set that there is the declaration stays.
static bool rebuild_fits(const struct plan *applied, const struct rebuild *one)
{
	vec_each(&one->own.sets, set) {
		const struct plan_set *old = rebuild_old(applied, set);
		if (old ? build_set_shape(old) != build_set_shape(set) : !one->chains)
			return false;
	}
	vec_each(&one->part.sets, set)
		if (!rebuild_old(applied, set))
			return false;
	return true;
}

// Where a service draws from another number of slots, it has other chains.
static bool rebuild_chains(struct rebuild *one, const struct plan *applied, const struct build_input *input)
{
	const struct plan_service *old = &applied->services.v[one->at];
	uint64_t was = build_service_shape(old), now = build_service_shape(&one->service);
	if (was == now)
		return true;
	if (!applied->frame || build_service_frame(old) != build_service_frame(&one->service) ||
	    old->direct != one->service.direct || old->syn_proxy != one->service.syn_proxy ||
	    old->ftp != one->service.ftp)
		return false;
	one->chains = true;
	build_own_sets(&one->had, old, input);
	build_direct_own_sets(&one->had, old, input);
	build_sort(&one->had);
	one->shape = now - was;
	vec_each(&one->had.sets, set)
		one->shape -= build_set_shape(set);
	vec_each(&one->own.sets, set)
		one->shape += build_set_shape(set);
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
	build_own_sets(&one->own, &one->service, input);
	build_direct_own_sets(&one->own, &one->service, input);
	if (!rebuild_chains(one, applied, input))
		return false;
	build_direct_parts(&one->was, old);
	build_direct_parts(&one->part, &one->service);
	build_sort(&one->own);
	build_sort(&one->was);
	build_sort(&one->part);
	return rebuild_fits(applied, one);
}

static void rebuild_diff_chains(struct ops *ops, const struct plan *applied, const struct rebuild *one)
{
	uint64_t shape = applied->shape;
	vec_each(&ops->op, op)
		shape = op->kind == OP_SERVICE ? op->shape : shape;
	vec_push(&ops->op, (struct op){.kind = OP_SERVICE,
				       .was = &applied->services.v[one->at],
				       .service = &one->service,
				       .shape = shape + one->shape});
}

void rebuild_diff(struct ops *ops, const struct plan *applied, const struct rebuild *one)
{
	if (one->chains)
		rebuild_diff_chains(ops, applied, one);
	vec_each(&one->own.sets, set) {
		const struct plan_set *old = rebuild_old(applied, set);
		if (!old)
			vec_push(&ops->op, (struct op){.kind = OP_SET_ADD, .set = set});
		else if (!set->dynamic)
			plan_diff_set(ops, old, set);
	}
	for (size_t i = 0; i < one->part.sets.n; i++)
		plan_diff_set(ops, &one->was.sets.v[i], &one->part.sets.v[i]);
	vec_each(&one->had.sets, set)
		if (!plan_find_set(&one->own, set->name))
			vec_push(&ops->op, (struct op){.kind = OP_SET_DEL, .set = set});
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

static void rebuild_drop_set(struct plan *applied, const struct plan_set *gone)
{
	struct plan_set *old = rebuild_old(applied, gone);
	vec_free(&old->elems);
	applied->sets.n--;
	size_t at = (size_t)(old - applied->sets.v);
	memmove(old, old + 1, (applied->sets.n - at) * sizeof(*old));
}

static void rebuild_add_set(struct plan *applied, struct plan_set *set)
{
	size_t at = applied->sets.n;
	while (at && strcmp(applied->sets.v[at - 1].name, set->name) > 0)
		at--;
	vec_push(&applied->sets, *set);
	memmove(&applied->sets.v[at + 1], &applied->sets.v[at],
		(applied->sets.n - 1 - at) * sizeof(applied->sets.v[at]));
	applied->sets.v[at] = *set;
	*set = (struct plan_set){0};
}

static void rebuild_take_sets(struct plan *applied, struct rebuild *one)
{
	vec_each(&one->had.sets, set)
		if (!plan_find_set(&one->own, set->name))
			rebuild_drop_set(applied, set);
	vec_each(&one->own.sets, set) {
		struct plan_set *old = rebuild_old(applied, set);
		if (!old) {
			rebuild_add_set(applied, set);
			continue;
		}
		struct plan_set before = *old;
		*old = *set;
		*set = before;
	}
}

void rebuild_take(struct plan *applied, struct rebuild *one)
{
	struct plan_service service = applied->services.v[one->at];
	applied->services.v[one->at] = one->service;
	applied->shape += one->shape;
	one->service = service;
	rebuild_take_parts(applied, one);
	rebuild_take_sets(applied, one);
}

void rebuild_free(struct rebuild *one)
{
	plan_free_service(&one->service);
	plan_free(&one->own);
	plan_free(&one->had);
	plan_free(&one->was);
	plan_free(&one->part);
}
