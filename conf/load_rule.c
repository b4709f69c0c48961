// SPDX-License-Identifier: GPL-2.0-or-later
// The `rule` sections.
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "conf/load.h"
#include "conf/text.h"
#include "conf/values.h"
#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/core/model.h"

static int parse_protocol(const char *text, void *out, struct err *err)
{
	return value_protocol(text, out, err);
}

static int parse_dscp(const char *text, void *out, struct err *err)
{
	return value_dscp(text, out, err);
}

struct destination {
	struct prefix prefix;
	const char *name; // NULL: the prefix
};

// A name has a dot: one that hasn't is rather a slip of the pen.
static int parse_destination(const char *text, void *out, struct err *err)
{
	struct destination *to = out;
	*to = (struct destination){.name = NULL};
	if (value_is_domain(text) && strchr(text, '.'))
		return value_domain(text, &to->name, err);
	if (value_prefix(text, &to->prefix, err) == 0)
		return 0;
	return strchr(text, '/') || !value_is_domain(text)
		       ? -EINVAL
		       : err_set(err, EINVAL,
				 "neither an address, nor a prefix such as 10.0.0.0/8, nor a name such as "
				 "www.example.net");
}

static bool has_name(const struct model_rule *rule, const char *name)
{
	for (size_t i = 0; i < rule->n_to_names; i++)
		if (!strcasecmp(rule->to_names[i], name))
			return true;
	return false;
}

static void load_destinations(const struct reader *r, struct model_rule *rule)
{
	void *list = NULL;
	size_t n = read_list(r, "to", sizeof(struct destination), parse_destination, &list);
	const struct destination *all = list;
	rule->to = arena_alloc(r->arena, (n + 1) * sizeof(*rule->to));
	rule->to_names = arena_alloc(r->arena, (n + 1) * sizeof(*rule->to_names));
	for (size_t i = 0; i < n; i++) {
		if (!all[i].name)
			rule->to[rule->n_to++] = all[i].prefix;
		else if (!has_name(rule, all[i].name))
			rule->to_names[rule->n_to_names++] = arena_strdup(r->arena, all[i].name);
	}
	rule->n_to = read_merge_prefixes(rule->to, rule->n_to);
}

// Drops what is in the list already.
static size_t unique_bytes(uint8_t *all, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (!kept || !memchr(all, all[i], kept))
			all[kept++] = all[i];
	return kept;
}

static void load_selectors(const struct reader *r, struct model_rule *rule)
{
	void *list = NULL;
	rule->n_from = read_prefixes(r, "from", &rule->from);
	load_destinations(r, rule);
	rule->n_protocols = read_list(r, "protocol", 1, parse_protocol, &list);
	rule->protocols = list;
	rule->n_protocols = unique_bytes(rule->protocols, rule->n_protocols);
	rule->n_ports = read_ports(r, "ports", &rule->ports);
	rule->n_sports = read_ports(r, "sports", &rule->sports);
	list = NULL;
	rule->n_dscp = read_list(r, "dscp", 1, parse_dscp, &list);
	rule->dscp = list;
	rule->n_dscp = unique_bytes(rule->dscp, rule->n_dscp);
	rule->n_interfaces = read_strings(r, "interface", value_interface_pattern, &rule->interfaces);
	read_bool(r, "own", &rule->own);
}

// A mark without a mask is compared in all bits but gwd's own.
static void load_mark(const struct loader *ld, const struct reader *r, struct model_rule *rule)
{
	struct err err;
	uint32_t own = ld->model->globals.mark_mask, mark, mask;
	const struct token *value = tree_value(&r->section, "mark", 0);
	if (!value || value->broken)
		return;
	int rc = value_mark(value->text, &mark, &mask, &err);
	if (!rc && !strchr(value->text, '/') && !(mark & own))
		mask = ~own;
	if (!rc && (mask & own))
		rc = err_set(&err, EINVAL, "overlaps gwd's own bits (mark-mask 0x%08x): use other ones", own);
	else if (!rc && !mask)
		rc = err_set(&err, EINVAL, "mark-mask 0x%08x leaves no bit for it: make that one narrower",
			     own);
	if (rc) {
		read_refuse(r, "mark", value, &err);
		return;
	}
	rule->has_mark = true;
	rule->mark = mark;
	rule->mark_mask = mask;
}

static void load_target(const struct loader *ld, const struct reader *r, struct model_rule *rule)
{
	const struct token *balance = tree_value(&r->section, "balance", 0);
	const struct token *gateway = tree_value(&r->section, "gateway", 0);
	bool bypass = false;
	read_bool(r, "bypass", &bypass);
	read_bool(r, "strict", &rule->strict);
	if (balance && read_reference(r, "balance", balance, "balance", &ld->balances, &rule->balance))
		rule->target = RULE_BALANCE;
	if (gateway && read_reference(r, "gateway", gateway, "gateway", &ld->gateways, &rule->gateway))
		rule->target = RULE_GATEWAY;
	if (bypass)
		rule->target = RULE_BYPASS;
	int targets = (balance != NULL) + (gateway != NULL) + bypass;
	if (targets == 0)
		report_error(r->report, r->section.at, tree_label(r->tree, &r->section),
			     "it leads nowhere: write balance = NAME, gateway = NAME or bypass = yes");
	else if (targets > 1)
		report_error(r->report, r->section.at, tree_label(r->tree, &r->section),
			     "it leads to %s: keep one of balance, gateway and bypass",
			     targets == 3 ? "three things at once" : "two things at once");
	if (bypass && rule->strict)
		report_error(r->report, tree_place(&r->section, "strict"), tree_label(r->tree, &r->section),
			     "strict = yes has no meaning with bypass = yes: leave one of them out");
}

void load_rules(struct loader *ld)
{
	struct model *m = ld->model;
	m->n_rules = load_count(ld, "rule");
	m->rules = arena_alloc(m->arena, m->n_rules * sizeof(*m->rules));
	ld->rules_whole = arena_alloc(m->arena, m->n_rules * sizeof(*ld->rules_whole));
	struct names names = load_names(ld, "rule", NULL);
	for (size_t i = 0; i < m->n_rules; i++) {
		struct reader r = load_section(ld, "rule", i);
		struct model_rule *rule = &m->rules[i];
		rule->name = names.v[i];
		rule->line = (int)r.section.at.line;
		unsigned errors = ld->report->errors;
		load_selectors(&r, rule);
		load_mark(ld, &r, rule);
		load_target(ld, &r, rule);
		ld->rules_whole[i] = ld->report->errors == errors;
	}
}
