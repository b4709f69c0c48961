// SPDX-License-Identifier: GPL-2.0-or-later
// What goes by the load of links: it must be possible to measure it.
#include <string.h>

#include "conf/check.h"
#include "conf/load.h"
#include "conf/tree.h"
#include "gwd/core/model.h"

static const char *shares_interface(const struct model *m, size_t gateway)
{
	for (size_t i = 0; i < m->n_gateways; i++)
		if (i != gateway && strcmp(m->gateways[i].interface, m->gateways[gateway].interface) == 0)
			return m->gateways[i].name;
	return NULL;
}

static bool goes_by_bandwidth(const struct model *m, size_t gateway)
{
	bool does = m->gateways[gateway].spill_percent > 0;
	for (size_t i = 0; i < m->n_balances; i++)
		for (size_t j = 0; j < m->balances[i].n_uses; j++)
			does |= m->balances[i].scheduler == SCHED_LEAST_LOAD &&
				m->balances[i].uses[j].gateway == gateway;
	return does;
}

static void check_bandwidth(const struct loader *ld, size_t i)
{
	const struct model_gateway *gw = &ld->model->gateways[i];
	struct reader r = load_section(ld, "gateway", i);
	const char *other = shares_interface(ld->model, i);
	if (gw->spill_percent && !tree_given(&r.section, "bandwidth"))
		report_error(
			r.report, tree_place(&r.section, "spill"), tree_label(r.tree, &r.section),
			"spill is a share of the bandwidth, which is missing: write bandwidth = 100mbit");
	if (!gw->bandwidth_bps)
		return;
	if (other && *gw->interface)
		report_error(
			r.report, tree_place(&r.section, "bandwidth"), tree_label(r.tree, &r.section),
			"bandwidth: gateway %s is on the same interface %s, and how much of the traffic is "
			"whose is not told apart in this version: leave it out",
			other, gw->interface);
	else if (!goes_by_bandwidth(ld->model, i))
		report_warning(
			r.report, tree_place(&r.section, "bandwidth"), tree_label(r.tree, &r.section),
			"bandwidth has no effect without spill or a balance with scheduler = least-load");
}

static void check_least_load(const struct loader *ld, size_t i)
{
	const struct model_balance *b = &ld->model->balances[i];
	struct reader r = load_section(ld, "balance", i);
	for (size_t j = 0; b->scheduler == SCHED_LEAST_LOAD && j < b->n_uses; j++) {
		size_t gateway = b->uses[j].gateway;
		struct reader g = load_section(ld, "gateway", gateway);
		if (!tree_given(&g.section, "bandwidth"))
			report_error(r.report, tree_place(&r.section, "scheduler"),
				     tree_label(r.tree, &r.section),
				     "scheduler = least-load: gateway %s has no bandwidth: write bandwidth = "
				     "100mbit there",
				     ld->model->gateways[gateway].name);
	}
}

void check_loads(const struct loader *ld)
{
	for (size_t i = 0; i < ld->model->n_gateways; i++)
		check_bandwidth(ld, i);
	for (size_t i = 0; i < load_count(ld, "balance"); i++)
		check_least_load(ld, i);
}
