// SPDX-License-Identifier: GPL-2.0-or-later
// The fast path, where the kernel has flowtables and the operator leaves it on: the devices between
// which established flows are forwarded without meeting a chain, and the gateways whose flows may be.
//
// Devices are those that exist now, by index: one that is deleted and made again under its old name
// is another device, and has to be put into the flowtable again.
#include <stdio.h>
#include <string.h>

#include "gwd/core/build.h"
#include "gwd/core/facts.h"
#include "gwd/core/model.h"
#include "gwd/core/plan.h"

static bool fastpath_has_device(const struct plan *plan, const struct model_lan *lan, const char *ifname)
{
	if (!strcmp(ifname, "lo"))
		return false;
	for (size_t i = 0; i < lan->n_interfaces; i++)
		if (model_interface_matches(lan->interfaces[i], ifname))
			return true;
	vec_each(&plan->gateways, gw)
		if (!strcmp(gw->ifname, ifname))
			return true;
	return false;
}

void build_fastpath(struct plan *plan, const struct build_input *input)
{
	if (!input->flowtable || !input->model->globals.fastpath)
		return;
	struct plan_set devices = {.name = "fast", .key = {PLAN_T_INDEX}, .flowtable = true};
	vec_each(&input->facts->ifaces, iface) {
		struct plan_elem elem = {0};
		if (!fastpath_has_device(plan, &input->model->lan, iface->name))
			continue;
		memcpy(elem.key, &iface->index, sizeof(iface->index));
		memcpy(elem.last, iface->name, sizeof(elem.last));
		vec_push(&devices.elems, elem);
	}
	vec_push(&plan->sets, devices);

	struct plan_set marks = {.name = "fastmark", .key = {PLAN_T_MARK}, .size = PLAN_IDS_SIZE};
	vec_each(&plan->gateways, gw) {
		struct plan_elem elem = {0};
		if (!gw->usable[FAM_4] && !gw->usable[FAM_6])
			continue;
		memcpy(elem.key, &gw->mark, sizeof(gw->mark));
		vec_push(&marks.elems, elem);
	}
	vec_push(&plan->sets, marks);
}
