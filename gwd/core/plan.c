// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/plan.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/words.h"
#include "gwd/core/names.h"

static void plan_free_rule(struct plan_rule *rule)
{
	vec_free(&rule->from);
	vec_free(&rule->to);
	vec_free(&rule->protocols);
	vec_free(&rule->ports);
	vec_free(&rule->sports);
	vec_free(&rule->dscp);
}

void plan_free_service(struct plan_service *service)
{
	vec_each(&service->reals, real) {
		word_drop(real->reason);
		word_drop(real->manual);
	}
	vec_free(&service->listens);
	vec_free(&service->protocols);
	vec_free(&service->reals);
}

static void plan_give_back(struct plan *plan)
{
	memset(&plan->services, 0, sizeof(plan->services));
	vec_each(&plan->sets, set)
		if (set->own)
			memset(&set->elems, 0, sizeof(set->elems));
}

void plan_keep(struct plan *plan, struct plan *lender)
{
	lender->lent = plan->lent;
	plan->lent = false;
}

void plan_free(struct plan *plan)
{
	if (plan->lent)
		plan_give_back(plan);
	vec_each(&plan->groups, group)
		vec_free(&group->members);
	vec_each(&plan->rules, rule)
		plan_free_rule(rule);
	vec_each(&plan->services, service)
		plan_free_service(service);
	vec_each(&plan->sets, set)
		vec_free(&set->elems);
	vec_free(&plan->services);
	vec_free(&plan->gateways);
	vec_free(&plan->groups);
	vec_free(&plan->rules);
	vec_free(&plan->routes);
	vec_free(&plan->iprules);
	vec_free(&plan->sysctls);
	vec_free(&plan->vips);
	vec_free(&plan->tunnels);
	vec_free(&plan->sets);
	*plan = (struct plan){0};
}

const struct plan_set *plan_find_set(const struct plan *plan, const char *name)
{
	size_t low = 0, high = plan->sets.n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(plan->sets.v[middle].name, name);
		if (!order)
			return &plan->sets.v[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool plan_service_picks_apart(const struct plan_service *service)
{
	return service->gated || service->persistence_ms > 0;
}

bool plan_real_is_direct(const struct plan_real *real)
{
	return forward_is_direct(real->forward);
}

bool plan_real_has_places(const struct plan_real *real, enum fam fam)
{
	return real->max_connections && real->fam[fam] && plan_real_is_direct(real);
}

bool plan_set_has_addr(const struct plan_set *set, const struct addr *addr)
{
	unsigned size = addr_size(addr);
	for (size_t i = 0; set && i < set->elems.n; i++)
		if (memcmp(addr->b, set->elems.v[i].key, size) >= 0 &&
		    memcmp(addr->b, set->elems.v[i].last, size) <= 0)
			return true;
	return false;
}

bool plan_draw_has_state(enum scheduler scheduler)
{
	return scheduler != SCHED_SH && scheduler != SCHED_DH && scheduler != SCHED_MH &&
	       scheduler != SCHED_FO;
}

unsigned plan_type_size(enum plan_type type)
{
	switch (type) {
	case PLAN_T_NONE:
	case PLAN_T_VERDICT:
		return 0;
	case PLAN_T_MARK:
	case PLAN_T_INDEX:
	case PLAN_T_IPV4:
	case PLAN_T_IFINDEX:
		return 4;
	case PLAN_T_IPV6:
	case PLAN_T_IFNAME:
		return 16;
	case PLAN_T_ETHER:
		return 6;
	case PLAN_T_PROTO:
	case PLAN_T_BYTE:
		return 1;
	case PLAN_T_PORT:
	case PLAN_T_FRAGMENT:
		return 2;
	}
	return 0;
}

unsigned plan_set_key_size(const struct plan_set *set)
{
	unsigned size = 0;
	if (set->key[1] == PLAN_T_NONE) // a single field is not padded
		return plan_type_size(set->key[0]);
	for (unsigned i = 0; i < ARRAY_SIZE(set->key); i++)
		size += (plan_type_size(set->key[i]) + 3) / 4 * 4;
	assert(size <= PLAN_KEY_SIZE);
	return size;
}

int plan_elem_compare(const struct plan_elem *a, const struct plan_elem *b)
{
	int order = memcmp(a->key, b->key, sizeof(a->key));
	return order ? order : memcmp(a->last, b->last, sizeof(a->last));
}

int plan_route_compare(const struct plan_route *a, const struct plan_route *b)
{
	if (a->fam != b->fam)
		return a->fam < b->fam ? -1 : 1;
	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	if (a->to.len != b->to.len)
		return a->to.len < b->to.len ? -1 : 1;
	int order = a->to.len ? addr_compare(&a->to.addr, &b->to.addr) : 0;
	if (order)
		return order;
	if (a->metric != b->metric)
		return a->metric < b->metric ? -1 : 1;
	return 0;
}

bool plan_route_equal(const struct plan_route *a, const struct plan_route *b)
{
	return !plan_route_compare(a, b) && a->type == b->type && a->oif == b->oif &&
	       addr_equal(&a->via, &b->via) && addr_equal(&a->source, &b->source);
}

const char *plan_route_type_text(enum plan_route_type type)
{
	static const char *const texts[] = {[PLAN_ROUTE_LEADS] = "",
					    [PLAN_ROUTE_UNREACHABLE] = "unreachable",
					    [PLAN_ROUTE_BLACKHOLE] = "blackhole",
					    [PLAN_ROUTE_THROW] = "throw"};
	return texts[type];
}

bool plan_route_is_guard(const struct plan_route *route)
{
	return route->type == PLAN_ROUTE_UNREACHABLE && route->to.len && route->table == PLAN_TABLE_MAIN &&
	       route->metric == PLAN_METRIC_LAST;
}

int plan_iprule_compare(const struct plan_iprule *a, const struct plan_iprule *b)
{
	const uint32_t left[] = {a->fam,   a->priority,         a->mark,   a->mask,
				 a->table, a->suppress_default, a->skip_to};
	const uint32_t right[] = {b->fam,   b->priority,         b->mark,   b->mask,
				  b->table, b->suppress_default, b->skip_to};
	for (unsigned i = 0; i < ARRAY_SIZE(left); i++)
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	return strcmp(a->iif, b->iif);
}

uint32_t plan_control_mark(const struct plan *plan)
{
	return plan->mark_mask;
}

// ---- services ------------------------------------------------------------------------------

static bool plan_serves(const struct plan_service *service, enum fam fam)
{
	bool serves = false;
	vec_each(&service->reals, real)
		serves |= real->fam[fam];
	return serves;
}

const struct plan_real *plan_find_real(const struct plan *plan, const char *name)
{
	vec_each(&plan->services, service) {
		size_t n = strlen(service->name);
		if (strncmp(service->name, name, n) != 0 || name[n] != '/')
			continue;
		vec_each(&service->reals, real)
			if (!strcmp(real->name, name + n + 1))
				return real;
	}
	return NULL;
}

enum serving plan_serving(const struct plan_service *service)
{
	enum serving worst = SERVING_NOTHING;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		if (!plan_serves(service, fam))
			continue;
		if (!service->tier[fam])
			return SERVING_NOTHING;
		if (service->tier[fam] > worst)
			worst = (enum serving)service->tier[fam];
	}
	return worst;
}

const char *plan_serving_reason(const struct plan_service *service, char text[PLAN_SERVICE_REASON])
{
	unsigned n = 0, usable = 0, full = 0;
	vec_each(&service->reals, real) {
		bool counts = real->role == ROLE_REAL;
		n += counts;
		usable += counts && real->usable;
		full += counts && real->usable && real->full;
	}
	int at = snprintf(text, PLAN_SERVICE_REASON, "%u of %u reals usable", usable, n);
	if (full)
		snprintf(text + at, (size_t)(PLAN_SERVICE_REASON - at), ", %u full", full);
	return text;
}

const char *serving_name(enum serving serving)
{
	static const char *const names[] = {
		[SERVING_NOTHING] = "nothing",
		[SERVING_REALS] = "reals",
		[SERVING_BACKUP] = "backup",
		[SERVING_SORRY] = "sorry",
	};
	return names[serving];
}
