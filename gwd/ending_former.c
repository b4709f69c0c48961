// SPDX-License-Identifier: GPL-2.0-or-later
// Listeners that a service had before a reload. Who came by one is connected to its real yet, and ends with it.
#include <stdio.h>
#include <string.h>

#include "gwd/core/diff_service.h"
#include "gwd/core/plan.h"
#include "gwd/ending.h"
#include "gwd/ending_priv.h"

static bool former_same(const struct plan_listen *a, const struct plan_listen *b)
{
	return addr_equal(&a->addr, &b->addr) && a->first == b->first && a->last == b->last;
}

static bool former_has(const struct plan_service *service, const struct plan_listen *listen)
{
	vec_each(&service->listens, one)
		if (former_same(one, listen))
			return true;
	return false;
}

// Whose service is gone for good, or has it again.
static void former_drop(struct ending *ending, const struct plan *plan)
{
	size_t kept = 0;
	vec_each(&ending->former, former) {
		const struct plan_service *service = diff_service(plan, former->service, 0);
		if (service && !former_has(service, &former->listen))
			ending->former.v[kept++] = *former;
	}
	ending->former.n = kept;
}

static void former_add(struct ending *ending, const char *service, const struct plan_listen *listen)
{
	struct ending_former *fresh;
	vec_each(&ending->former, former)
		if (!strcmp(former->service, service) && former_same(&former->listen, listen))
			return;
	vec_add(&ending->former, fresh);
	snprintf(fresh->service, sizeof(fresh->service), "%s", service);
	fresh->listen = *listen;
}

void ending_keep_former(struct ending *ending, const struct plan *old, const struct plan *plan)
{
	former_drop(ending, plan);
	for (size_t i = 0; i < old->services.n; i++) {
		const struct plan_service *was = &old->services.v[i];
		const struct plan_service *service = diff_service(plan, was->name, i);
		for (size_t k = 0; service && k < was->listens.n; k++)
			if (!former_has(service, &was->listens.v[k]))
				former_add(ending, was->name, &was->listens.v[k]);
	}
}

static bool former_meets(const struct plan_service *service, const struct plan_listen *listen)
{
	vec_each(&service->listens, one)
		if (addr_equal(&one->addr, &listen->addr) && one->first <= listen->last &&
		    listen->first <= one->last)
			return true;
	return false;
}

static bool former_leads_to(const struct plan_service *service, const struct plan_real *real)
{
	vec_each(&service->reals, one)
		if (addr_equal(&one->address, &real->address) &&
		    (one->port == real->port || !one->port || !real->port))
			return true;
	return false;
}

// It may be somebody else's where another service leads to the same place now; and what comes to this host, by nobody's
// listener, is the host's own.
bool ending_is_former(const struct ending_former *former, const struct plan *plan,
		      const struct plan_service *service, const struct plan_real *real)
{
	bool others = false;
	if (strcmp(former->service, service->name) != 0)
		return false;
	vec_each(&plan->services, other) {
		if (!former_meets(other, &former->listen))
			continue;
		if (former_leads_to(other, real))
			return false;
		others = true;
	}
	return others || !addr_is_none(&real->address);
}
