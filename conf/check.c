// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "conf/load.h"
#include "conf/text.h"
#include "conf/values.h"
#include "gwd/core/model.h"

// No error: the file may be checked on another host, or the program come later.
void check_program(const struct reader *r, const char *option, const char *program)
{
	if (program && access(program, X_OK) < 0)
		option_warning(r, option, "%s = %s can't be run now: %s", option, program, strerror(errno));
}

// Ids are stable by name, so any id of the mask may come up, however few gateways there are.
static void check_globals(const struct loader *ld)
{
	const struct model_globals *g = &ld->model->globals;
	struct reader r = {ld->tree, ld->report, ld->model->arena, ld->root};
	unsigned ids = model_max_ids(g->mark_mask);
	if (g->table_base < 255 && g->table_base + ids >= 253)
		option_error(
			&r, "table-base",
			"table-base = %u: tables %u to %u would include the kernel's own (253 to 255): use "
			"255 or more",
			g->table_base, g->table_base + 1, g->table_base + ids);
	unsigned rules = model_rule_priorities(g->mark_mask) - 1;
	if (g->rule_priority + rules > 32765)
		option_error(
			&r, "rule-priority",
			"rule-priority = %u: priorities %u to %u would run into the kernel's own (32766): "
			"use 1 to %u",
			g->rule_priority, g->rule_priority, g->rule_priority + rules, 32765 - rules);
	check_program(&r, "notify", g->notify);
}

// ---- balances --------------------------------------------------------------------------------

static bool balance_is_used(const struct model *m, size_t balance)
{
	bool used = balance == m->default_balance;
	for (size_t i = 0; i < m->n_rules; i++)
		used |= m->rules[i].target == RULE_BALANCE && m->rules[i].balance == balance;
	return used;
}

static void check_weights(const struct reader *r, const struct model_balance *b)
{
	unsigned most = 0;
	for (size_t i = 0; i < b->n_uses; i++)
		most = b->uses[i].weight > most ? b->uses[i].weight : most;
	if (b->n_uses && !most)
		report_warning(
			r->report, r->section.at, tree_label(r->tree, &r->section),
			"all of its gateways have weight 0, so it takes no new flow: give one a weight");
}

void check_persistence(const struct reader *r, unsigned persistence_ms)
{
	static const char *const options[] = {"persist-by", "persist-mask", "persist-mask6"};
	const struct token *value = tree_value(&r->section, "persistence", 0);
	bool off = !persistence_ms && (!value || strcmp(value->text, "off") == 0);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (off && tree_given(&r->section, options[i]))
			option_warning(r, options[i],
				       "%s has no effect while persistence is off: write persistence = 5m",
				       options[i]);
}

static void check_balances(const struct loader *ld)
{
	for (size_t i = 0; i < load_count(ld, "balance"); i++) {
		struct reader r = load_section(ld, "balance", i);
		check_weights(&r, &ld->model->balances[i]);
		check_persistence(&r, ld->model->balances[i].persistence_ms);
		if (*r.section.title && !balance_is_used(ld->model, i))
			report_warning(ld->report, r.section.at, tree_label(r.tree, &r.section),
				       "no rule leads to it: write a rule with balance = %s or remove it",
				       r.section.title);
	}
}

void check(const struct loader *ld)
{
	check_globals(ld);
	check_probes(ld);
	check_gateways(ld);
	check_balances(ld);
	check_rules(ld);
	check_loads(ld);
	check_services(ld);
	check_listens(ld);
	check_reals(ld);
	check_fullnat(ld);
	check_vip_interfaces(ld);
}
