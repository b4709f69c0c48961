// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/rebuild.h"

#include <string.h>

#include "gwd/core/build.h"
#include "gwd/core/build_service.h"
#include "gwd/core/diff.h"
#include "gwd/core/diff_real.h"

static struct plan_set *rebuild_old(const struct plan *applied, const struct plan_set *set)
{
	const struct plan_set *old = plan_find_set(applied, set->name);
	return old ? &applied->sets.v[old - applied->sets.v] : NULL;
}

// Sets that many services share have elements of it for as long as it serves at all.
static bool rebuild_is_seen_elsewhere(const struct plan_service *old, const struct plan_service *now)
{
	if (old->direct || now->direct)
		return true;
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
	build_sort(&one->own);
	return rebuild_fits(applied, one);
}

void rebuild_diff(struct ops *ops, const struct plan *applied, const struct rebuild *one)
{
	vec_each(&one->own.sets, set)
		if (!set->dynamic)
			plan_diff_set(ops, rebuild_old(applied, set), set);
}

void rebuild_ends(struct ops *ops, const struct plan *applied, const struct rebuild *one)
{
	diff_ends_service(ops, &applied->services.v[one->at], &one->service);
}

void rebuild_take(struct plan *applied, struct rebuild *one)
{
	struct plan_service service = applied->services.v[one->at];
	applied->services.v[one->at] = one->service;
	one->service = service;
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
}
