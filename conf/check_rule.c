// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "conf/check.h"
#include "conf/cover.h"
#include "conf/load.h"
#include "conf/values.h"
#include "gwd/core/model.h"

static void check_ports(const struct reader *r, const struct model_rule *rule)
{
	const char *option = rule->n_ports ? "ports" : "sports";
	char text[8];
	if (!rule->n_ports && !rule->n_sports)
		return;
	for (size_t i = 0; i < rule->n_protocols; i++)
		if (!protocol_has_ports(rule->protocols[i]))
			report_error(r->report, tree_place(&r->section, option),
				     tree_label(r->tree, &r->section),
				     "%s: protocol %s has no ports: give it a rule of its own", option,
				     protocol_text(rule->protocols[i], text));
}

// Does a list allow flows of this family? An empty one allows all.
static bool allows(const struct prefix *all, size_t n, enum fam fam)
{
	for (size_t i = 0; i < n; i++)
		if (addr_fam(&all[i].addr) == fam)
			return true;
	return !n;
}

static bool rule_allows(const struct model_rule *rule, enum fam fam)
{
	return allows(rule->from, rule->n_from, fam) &&
	       (rule->n_to_names || allows(rule->to, rule->n_to, fam));
}

static void check_families(const struct loader *ld, const struct reader *r, const struct model_rule *rule)
{
	bool on[FAM_COUNT] = {rule_allows(rule, FAM_4), rule_allows(rule, FAM_6)};
	if (!on[FAM_4] && !on[FAM_6])
		report_error(r->report, tree_place(&r->section, "to"), tree_label(r->tree, &r->section),
			     "from and to are of different families, so no flow can match: give each family "
			     "a rule "
			     "of its own");
	if (rule->target != RULE_GATEWAY || on[FAM_4] == on[FAM_6] || !ld->model->n_gateways)
		return;
	enum fam fam = on[FAM_4] ? FAM_4 : FAM_6;
	const struct model_gateway *gw = &ld->model->gateways[rule->gateway];
	if (gw->addr_mode[fam] == ADDR_MODE_NONE)
		report_warning(r->report, tree_place(&r->section, "gateway"),
			       tree_label(r->tree, &r->section),
			       "it matches only %s, which gateway %s does not do: its flows are %s",
			       fam == FAM_4 ? "IPv4" : "IPv6", gw->name,
			       rule->strict ? "refused" : "left to the default balance");
}

static void check_inside(const struct loader *ld, const struct reader *r, const struct model_rule *rule)
{
	const struct model_lan *lan = &ld->model->lan;
	if (rule->own && rule->n_interfaces)
		report_error(
			r->report, tree_place(&r->section, "interface"), tree_label(r->tree, &r->section),
			"interface: the router's own traffic (own = yes) comes in by none: leave one out");
	if (rule->own || !ld->lan_whole)
		return;
	if (cover_outside_interfaces(rule, lan))
		report_warning(r->report, tree_place(&r->section, "interface"),
			       tree_label(r->tree, &r->section),
			       "no flow can reach it: lan has none of its interfaces");
	if (cover_outside_networks(rule, lan))
		report_warning(r->report, tree_place(&r->section, "from"), tree_label(r->tree, &r->section),
			       "no flow can reach it: lan has none of the networks in from");
}

static void check_covered(const struct loader *ld, const struct reader *r, size_t i)
{
	const struct model_rule *rules = ld->model->rules;
	for (size_t j = 0; j < i; j++)
		if (ld->rules_whole[j] && cover_rule(&rules[j], &rules[i])) {
			report_warning(r->report, r->section.at, tree_label(r->tree, &r->section),
				       "no flow can reach it: rule %s before it takes them all",
				       rules[j].name);
			return;
		}
}

void check_rules(const struct loader *ld)
{
	for (size_t i = 0; i < ld->model->n_rules; i++) {
		struct reader r = load_section(ld, "rule", i);
		const struct model_rule *rule = &ld->model->rules[i];
		check_ports(&r, rule);
		check_families(ld, &r, rule);
		check_inside(ld, &r, rule);
		if (ld->rules_whole[i])
			check_covered(ld, &r, i);
	}
}
