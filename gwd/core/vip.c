// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/vip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/core/build.h"
#include "gwd/core/facts.h"

int vip_compare(const struct plan_vip *a, const struct plan_vip *b)
{
	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	return addr_compare(&a->addr, &b->addr);
}

static int vip_order(const void *a, const void *b)
{
	return vip_compare(a, b);
}

static void vip_add(struct plan *plan, const struct fact_iface *iface, const struct addr *addr)
{
	struct plan_vip vip = {.index = iface->index, .addr = *addr};
	memcpy(vip.ifname, iface->name, sizeof(vip.ifname));
	vec_each(&plan->vips, old)
		if (!vip_compare(old, &vip))
			return;
	vec_push(&plan->vips, vip);
}

static bool vip_is_somebody_elses(const struct fact_iface *iface, const struct addr *addr)
{
	vec_each(&iface->addrs, own)
		if (!own->ours && addr_equal(&own->addr, addr))
			return true;
	return false;
}

static void vip_sort(struct plan *plan)
{
	if (plan->vips.n)
		qsort(plan->vips.v, plan->vips.n, sizeof(*plan->vips.v), vip_order);
}

void vip_build(struct plan *plan, const struct build_input *input)
{
	for (size_t i = 0; i < input->model->n_services; i++) {
		const struct model_service *service = &input->model->services[i];
		const struct fact_iface *iface =
			service->vip_interface ? facts_iface(input->facts, service->vip_interface) : NULL;
		for (size_t k = 0; iface && k < service->n_listens; k++)
			if (!vip_is_somebody_elses(iface, &service->listens[k].addr))
				vip_add(plan, iface, &service->listens[k].addr);
	}
	vip_sort(plan);
}

void vip_in_force(struct plan *applied, const struct facts *facts)
{
	applied->vips.n = 0;
	vec_each(&facts->ifaces, iface)
		vec_each(&iface->addrs, own)
			if (own->ours)
				vip_add(applied, iface, &own->addr);
	vip_sort(applied);
}
