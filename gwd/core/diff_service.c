// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/diff_service.h"

#include <string.h>

#include "gwd/core/build.h"
#include "gwd/core/diff.h"
#include "gwd/core/plan.h"

const struct plan_service *diff_service(const struct plan *plan, const char *name, size_t at)
{
	size_t n = plan->services.n;
	for (size_t i = 0; i < n; i++) {
		const struct plan_service *service = &plan->services.v[(at + i) % n];
		if (!strcmp(service->name, name))
			return service;
	}
	return NULL;
}

// nft has one number for these, so that they are read back as one.
static enum plan_type diff_read_type(enum plan_type type)
{
	return type == PLAN_T_FRAGMENT || type == PLAN_T_BYTE ? PLAN_T_INDEX : type;
}

// An earlier gwd may have left one by that name that is found by something else.
static bool diff_same_key(const struct plan_set *old, const struct plan_set *set)
{
	for (size_t i = 0; i < ARRAY_SIZE(set->key); i++)
		if (diff_read_type(old->key[i]) != diff_read_type(set->key[i]))
			return false;
	return true;
}

bool diff_is_renewed(const struct plan_set *old, const struct plan_set *set)
{
	if (set->flowtable || set->ingress) // no sets
		return false;
	return !diff_same_key(old, set) || (old->size != set->size && !set->dynamic);
}

// The rules of a set that is renewed have to go.
bool diff_is_services(const struct plan *from, const struct plan *to)
{
	if (!from->frame || from->frame != to->frame)
		return false;
	vec_each(&from->sets, old) {
		const struct plan_set *set = old->own ? plan_find_set(to, old->name) : NULL;
		if (set && diff_is_renewed(old, set))
			return false;
	}
	return true;
}

static void diff_one(struct ops *ops, const struct plan_service *was, const struct plan_service *service,
		     uint64_t shape)
{
	vec_push(&ops->op, (struct op){.kind = OP_SERVICE, .was = was, .service = service, .shape = shape});
}

// Each is looked for where the one before it was found, so that one who is new or gone costs no more than itself.
void diff_services(struct ops *ops, const struct plan *from, const struct plan *to)
{
	size_t at = 0;
	vec_each(&to->services, service) {
		const struct plan_service *was = diff_service(from, service->name, at);
		if (!was || build_service_shape(was) != build_service_shape(service))
			diff_one(ops, was, service, to->shape);
		at = was ? (size_t)(was - from->services.v) + 1 : at;
	}
	at = 0;
	vec_each(&from->services, was) {
		const struct plan_service *service = diff_service(to, was->name, at);
		if (!service)
			diff_one(ops, was, NULL, to->shape);
		at = service ? (size_t)(service - to->services.v) + 1 : at;
	}
}

void diff_gone_sets(struct ops *ops, const struct plan *from, const struct plan *to)
{
	vec_each(&from->sets, set)
		if (!plan_find_set(to, set->name))
			vec_push(&ops->op, (struct op){.kind = OP_SET_DEL, .set = set});
}
