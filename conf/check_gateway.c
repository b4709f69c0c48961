// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "conf/check.h"
#include "conf/load.h"
#include "gwd/core/model.h"

static const char *const address_option[FAM_COUNT] = {"address", "address6"};
static const char *const snat_option[FAM_COUNT] = {"snat", "snat6"};

// What a pair of gateways on one interface has wrong in one family; reported at the second.
static void check_pair(const struct loader *ld, const struct reader *r, size_t first, size_t second,
		       enum fam fam)
{
	const struct model_gateway *a = &ld->model->gateways[first], *b = &ld->model->gateways[second];
	struct place at = tree_place(&r->section, address_option[fam]);
	bool same = a->addr_mode[fam] == b->addr_mode[fam] && strcmp(a->interface, b->interface) == 0;
	char text[ADDR_TEXT];
	if (!same || !*a->interface)
		return;
	if (a->addr_mode[fam] == ADDR_MODE_AUTO)
		report_error(
			r->report, at, tree_label(r->tree, &r->section),
			"%s = auto, and so has gateway %s on the same interface %s: write the next hop's "
			"address in both",
			address_option[fam], a->name, a->interface);
	else if (a->addr_mode[fam] == ADDR_MODE_STATIC && addr_equal(&a->address[fam], &b->address[fam]))
		report_error(
			r->report, at, tree_label(r->tree, &r->section),
			"%s = %s is the next hop of gateway %s too, on the same interface %s: remove one",
			address_option[fam], addr_text(&a->address[fam], text), a->name, a->interface);
}

static bool family_is_on(const struct model_gateway *gw, enum fam fam)
{
	return gw->addr_mode[fam] != ADDR_MODE_NONE;
}

static void check_families(const struct reader *r, const struct model_gateway *gw)
{
	if (!family_is_on(gw, FAM_4) && !family_is_on(gw, FAM_6))
		report_error(r->report, tree_place(&r->section, "address6"), tree_label(r->tree, &r->section),
			     "address and address6 are both none: it needs one of them");
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		if (!family_is_on(gw, fam) && tree_given(&r->section, snat_option[fam]))
			report_warning(r->report, tree_place(&r->section, snat_option[fam]),
				       tree_label(r->tree, &r->section), "%s has no effect: %s is none",
				       snat_option[fam], address_option[fam]);
}

static void check_lan(const struct loader *ld, const struct reader *r, const struct model_gateway *gw)
{
	const struct model_lan *lan = &ld->model->lan;
	for (size_t i = 0; i < lan->n_interfaces; i++)
		if (*gw->interface && model_interface_matches(lan->interfaces[i], gw->interface)) {
			report_error(r->report, tree_place(&r->section, "interface"),
				     tree_label(r->tree, &r->section),
				     "interface = %s is inside too: lan has \"%s\" among its interfaces",
				     gw->interface, lan->interfaces[i]);
			return;
		}
}

static void check_slow_start(const struct reader *r, const struct model_gateway *gw)
{
	if (gw->failback == FAILBACK_RESET && gw->slow_start_ms)
		report_error(
			r->report, tree_place(&r->section, "slow-start"), tree_label(r->tree, &r->section),
			"slow-start would keep the flows away that failback = reset ends so that they come "
			"back: remove one of the two");
}

void check_need(const struct reader *r, unsigned need, size_t otherwise)
{
	size_t n = tree_given(&r->section, "probes") ? tree_values(&r->section, "probes") : otherwise;
	if (need > n)
		option_error(r, "need", "need = %u: it has only %zu probe%s, so it would never be up", need,
			     n, n == 1 ? "" : "s");
}

void check_gateways(const struct loader *ld)
{
	const struct model *m = ld->model;
	unsigned most = model_max_ids(m->globals.mark_mask);
	for (size_t i = 0; i < m->n_gateways; i++) {
		struct reader r = load_section(ld, "gateway", i);
		check_families(&r, &m->gateways[i]);
		check_lan(ld, &r, &m->gateways[i]);
		check_need(&r, m->gateways[i].need, m->gateways[i].n_probes);
		check_slow_start(&r, &m->gateways[i]);
		for (size_t j = 0; j < i; j++)
			for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
				check_pair(ld, &r, j, i, fam);
		if (i == most)
			report_error(
				r.report, r.section.at, tree_label(r.tree, &r.section),
				"one more than mark-mask 0x%08x has room for, %u: widen the mask or remove "
				"gateways",
				m->globals.mark_mask, most);
	}
}
