// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/status_service.h"

#include <stdio.h>
#include <string.h>

#include "gwd/reals.h"
#include "gwd/status.h"

// ---- the picture -----------------------------------------------------------------------------

static const struct plan_service *find_service(const struct plan *plan, const char *name, size_t at)
{
	if (at < plan->services.n && !strcmp(plan->services.v[at].name, name))
		return &plan->services.v[at];
	vec_each(&plan->services, service)
		if (!strcmp(service->name, name))
			return service;
	return NULL;
}

static const struct plan_real *find_real(const struct plan_service *service, const char *name)
{
	for (size_t i = 0; service && i < service->reals.n; i++)
		if (!strcmp(service->reals.v[i].name, name))
			return &service->reals.v[i];
	return NULL;
}

static void build_real(struct status_service *service, const struct status_input *in, size_t at, size_t k)
{
	struct status_real *real;
	vec_add(&service->reals, real);
	real->conf = &service->conf->reals[k];
	real->planned = find_real(service->planned, real->conf->name);
	real->verdict = in->reals->now[at].verdict;
	real->since_ms = in->reals->reals.v[at].since_ms;
	real->flows = in->real_flows[at];
	snprintf(real->name, sizeof(real->name), "%s/%s", service->conf->name, real->conf->name);
	service->flows = service->flows < 0 || real->flows < 0 ? -1 : service->flows + real->flows;
}

void status_build_services(struct status *status, const struct status_input *in)
{
	for (size_t i = 0; i < in->model->n_services; i++) {
		struct status_service *service;
		vec_add(&status->services, service);
		service->conf = &in->model->services[i];
		service->planned = find_service(in->applied, service->conf->name, i);
		service->serving = service->planned ? plan_serving(service->planned) : SERVING_NOTHING;
		service->since_ms = in->reals->services.v[i].since_ms;
		service->pins = in->sticks[i];
		for (size_t k = 0; k < service->conf->n_reals; k++)
			build_real(service, in, reals_index(in->reals, i, k), k);
	}
}

bool status_has_service(const struct status *status, const char *name)
{
	vec_each(&status->services, service) {
		if (!strcmp(service->conf->name, name))
			return true;
		vec_each(&service->reals, real)
			if (!strcmp(real->name, name))
				return true;
	}
	return false;
}

// ---- in words --------------------------------------------------------------------------------

enum state status_service_state(const struct status_service *service)
{
	switch (service->serving) {
	case SERVING_NOTHING:
		return service->planned ? STATE_DOWN : STATE_UNKNOWN;
	case SERVING_REALS:
		return STATE_UP;
	case SERVING_BACKUP:
	case SERVING_SORRY:
		break;
	}
	return STATE_DEGRADED;
}

enum state status_real_state(const struct status_real *real)
{
	return real->planned ? real->planned->state : STATE_UNKNOWN;
}

unsigned status_real_weight(const struct status_real *real)
{
	return real->planned ? real->planned->weight : real->conf->weight;
}

const char *status_real_reason(const struct status_real *real)
{
	return real->planned ? real->planned->reason : "not in the kernel";
}

const char *status_real_use(const struct status_real *real)
{
	const struct plan_real *planned = real->planned;
	if (!planned || !planned->usable)
		return "no";
	if (!planned->weight)
		return "drain";
	if (planned->full)
		return "full";
	return planned->active[FAM_4] || planned->active[FAM_6] ? "yes" : "standby";
}
