// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "conf/syntax.h"
#include "conf/text.h"
#include "conf/values.h"
#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/core/model.h"

struct reader load_section(const struct loader *ld, const char *kind, size_t i)
{
	return (struct reader){
		.tree = ld->tree,
		.report = ld->report,
		.arena = ld->model->arena,
		.section = tree_section(&ld->root, kind, i),
	};
}

size_t load_count(const struct loader *ld, const char *kind)
{
	return tree_count(&ld->root, kind);
}

// ---- global options and lan ------------------------------------------------------------------

static int parse_mark_mask(const char *text, void *out, struct err *err)
{
	return value_mark_mask(text, out, err);
}

static int parse_control(const char *text, void *out, struct err *err)
{
	size_t most = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
	if (text[0] != '/')
		return err_set(err, EINVAL, "not the full path of a socket: begin with /");
	if (strlen(text) > most)
		return err_set(err, EINVAL, "a socket's path has %zu characters at most", most);
	*(const char **)out = text;
	return 0;
}

// "" is fine: then root alone has access.
static int parse_group(const char *text, void *out, struct err *err)
{
	if (strlen(text) > 32 || strpbrk(text, ": \t/,"))
		return err_set(err, EINVAL, "not the name of a group");
	*(const char **)out = text;
	return 0;
}

static int parse_http(const char *text, void *out, struct err *err)
{
	struct model_globals *g = out;
	return value_socket(text, &g->http, &g->http_port, err);
}

static void load_globals(const struct loader *ld)
{
	static const char *const fastpath[] = {"off", "auto"}, *const on_exit[] = {"keep", "remove"};
	struct reader r = {ld->tree, ld->report, ld->model->arena, ld->root};
	struct model_globals *g = &ld->model->globals;
	size_t choice;
	*g = (struct model_globals){
		.mark_mask = 0xff000000,
		.table_base = 1000,
		.rule_priority = 10000,
		.fastpath = true,
		.control = "/run/gwd/control.sock",
		.control_group = "gwd",
	};
	read_value(&r, "mark-mask", parse_mark_mask, &g->mark_mask);
	read_number(&r, "table-base", 0, UINT32_MAX - 1000, &g->table_base);
	read_number(&r, "rule-priority", 1, 32765, &g->rule_priority);
	if (read_choice(&r, "fastpath", READ_CHOICE(fastpath), &choice))
		g->fastpath = choice;
	if (read_choice(&r, "on-exit", READ_CHOICE(on_exit), &choice))
		g->remove_on_exit = choice;
	read_value(&r, "control", parse_control, &g->control);
	read_value(&r, "control-group", parse_group, &g->control_group);
	read_value(&r, "notify", value_program, &g->notify);
	read_value(&r, "http", parse_http, g);
	g->control = arena_strdup(r.arena, g->control);
	g->control_group = arena_strdup(r.arena, g->control_group);
	if (g->notify)
		g->notify = arena_strdup(r.arena, g->notify);
}

void load_require(const struct reader *r, const char *option, const char *example)
{
	if (!tree_given(&r->section, option))
		report_error(r->report, r->section.at, tree_label(r->tree, &r->section),
			     "%s is missing: write %s", option, example);
}

static void load_lan(struct loader *ld)
{
	struct model_lan *lan = &ld->model->lan;
	unsigned errors = ld->report->errors;
	for (size_t i = 0; i < load_count(ld, "lan"); i++) { // more than one is an error already
		struct reader r = load_section(ld, "lan", i);
		load_require(&r, "interfaces",
			     "interfaces = { NAME, ... }, where the flows to balance come from");
		lan->n_interfaces = read_strings(&r, "interfaces", value_interface_pattern, &lan->interfaces);
		lan->n_networks = read_prefixes(&r, "networks", &lan->networks);
		lan->line = (int)r.section.at.line;
	}
	if (!load_count(ld, "lan") && !load_count(ld, "service") && !ld->tree->lost)
		report_error(ld->report, ld->root.at, "lan",
			     "this section is missing: write lan { interfaces = { NAME, ... } }");
	ld->lan_whole = ld->report->errors == errors;
}

// ---- names -----------------------------------------------------------------------------------

struct names load_names(const struct loader *ld, const char *kind, const char *extra)
{
	size_t n = load_count(ld, kind);
	struct names names = {.v = arena_alloc(ld->model->arena, (n + 1) * sizeof(*names.v)), .n = n};
	for (size_t i = 0; i < n; i++) {
		struct err err;
		struct section s = tree_section(&ld->root, kind, i);
		names.v[i] = *s.title ? arena_strdup(ld->model->arena, s.title) : "(no name)";
		if (s.stmt->title && !s.stmt->title->broken && value_name(s.title, &err))
			report_error(ld->report, s.at, tree_label(ld->tree, &s), "%s", err.text);
		if (extra && strcmp(s.title, extra) == 0)
			extra = NULL;
	}
	if (extra)
		names.v[names.n++] = extra;
	return names;
}

// ---- gateways --------------------------------------------------------------------------------

static int parse_interface(const char *text, void *out, struct err *err)
{
	int rc = value_interface(text, err);
	if (!rc)
		*(const char **)out = text;
	return rc;
}

static int parse_next_hop(const char *text, enum fam fam, struct model_gateway *gw, struct err *err)
{
	bool is_auto = strcmp(text, "auto") == 0;
	if (is_auto || strcmp(text, "none") == 0) {
		gw->addr_mode[fam] = is_auto ? ADDR_MODE_AUTO : ADDR_MODE_NONE;
		return 0;
	}
	struct addr a;
	if (value_host(text, &a, err))
		return err_set(err, EINVAL, "use auto, none or the address of the next hop");
	if (addr_fam(&a) != fam)
		return err_set(err, EINVAL, "an %s address: write it as %s", fam == FAM_4 ? "IPv6" : "IPv4",
			       fam == FAM_4 ? "address6" : "address");
	gw->addr_mode[fam] = ADDR_MODE_STATIC;
	gw->address[fam] = a;
	return 0;
}

static int parse_address(const char *text, void *out, struct err *err)
{
	return parse_next_hop(text, FAM_4, out, err);
}

static int parse_address6(const char *text, void *out, struct err *err)
{
	return parse_next_hop(text, FAM_6, out, err);
}

static int parse_snat(const char *text, void *out, struct err *err)
{
	return value_snat(text, FAM_4, out, err);
}

static int parse_snat6(const char *text, void *out, struct err *err)
{
	return value_snat(text, FAM_6, out, err);
}

// What is not probed is taken to be up.
static bool load_no_probes(const struct loader *ld, const struct reader *r, size_t given)
{
	if (given != 1 || strcmp(tree_value(&r->section, "probes", 0)->text, "none") != 0)
		return false;
	for (size_t i = 0; i < ld->probes.n; i++)
		if (strcmp(ld->probes.v[i], "none") == 0)
			return false;
	return true;
}

void load_judges(const struct loader *ld, const struct reader *r, struct load_judges *out)
{
	size_t given = tree_values(&r->section, "probes");
	*out = (struct load_judges){.probes = arena_alloc(r->arena, (given + 1) * sizeof(*out->probes))};
	out->none = load_no_probes(ld, r, given);
	if (out->none && tree_given(&r->section, "need"))
		report_error(r->report, tree_place(&r->section, "need"), tree_label(r->tree, &r->section),
			     "need has no meaning with probes = none: leave one of them out");
	if (out->none)
		return;
	for (size_t i = 0; i < given; i++) {
		const struct token *value = tree_value(&r->section, "probes", i);
		size_t probe;
		if (!read_reference(r, "probes", value, "probe", &ld->probes, &probe))
			continue;
		for (size_t j = 0; j < out->n_probes; j++)
			if (out->probes[j] == probe)
				report_error(r->report, value->at, tree_label(r->tree, &r->section),
					     "probes: %s is listed twice: once is enough",
					     ld->probes.v[probe]);
		out->probes[out->n_probes++] = probe;
	}
	out->need = (unsigned)out->n_probes;
	read_number(r, "need", 1, LOAD_NEED_MAX, &out->need);
}

static void load_gateway_probes(const struct loader *ld, const struct reader *r, struct model_gateway *gw)
{
	struct load_judges judges;
	load_judges(ld, r, &judges);
	if (judges.none)
		report_error(
			r->report, tree_place(&r->section, "probes"), tree_label(r->tree, &r->section),
			"probes = none: only for services and reals: without probes its failure would go "
			"unnoticed");
	for (size_t i = 0; !judges.n_probes && i < ld->probes.n; i++)
		if (strcmp(ld->probes.v[i], LOAD_DEFAULT_PROBE) == 0)
			judges.probes[judges.n_probes++] = i;
	gw->probes = judges.probes;
	gw->n_probes = judges.n_probes;
	gw->need = judges.need ? judges.need : (unsigned)judges.n_probes;
}

static int parse_bandwidth(const char *text, void *out, struct err *err)
{
	return value_rate(text, out, err);
}

static int parse_percent(const char *text, void *out, struct err *err)
{
	return value_percent(text, out, err);
}

static void load_gateway_limits(const struct reader *r, struct model_gateway *gw)
{
	read_number(r, "max-flows", 1, INT32_MAX, &gw->max_flows);
	read_value(r, "bandwidth", parse_bandwidth, &gw->bandwidth_bps);
	read_value(r, "spill", parse_percent, &gw->spill_percent);
}

static void load_gateway(const struct loader *ld, const struct reader *r, struct model_gateway *gw)
{
	static const char *const failbacks[] = {"stay", "reset"};
	size_t choice;
	*gw = (struct model_gateway){.line = (int)r->section.at.line, .interface = "", .weight = 1};
	load_require(r, "interface", "interface = NAME");
	read_value(r, "interface", parse_interface, &gw->interface);
	gw->interface = arena_strdup(r->arena, gw->interface);
	read_value(r, "address", parse_address, gw);
	read_value(r, "address6", parse_address6, gw);
	read_value(r, "snat", parse_snat, &gw->snat[FAM_4]);
	read_value(r, "snat6", parse_snat6, &gw->snat[FAM_6]);
	read_number(r, "weight", 0, LOAD_WEIGHT_MAX, &gw->weight);
	load_gateway_probes(ld, r, gw);
	load_gateway_limits(r, gw);
	if (read_choice(r, "failback", READ_CHOICE(failbacks), &choice))
		gw->failback = choice == 0 ? FAILBACK_STAY : FAILBACK_RESET;
	gw->slow_start_ms = gw->failback == FAILBACK_RESET ? 0 : LOAD_SLOW_START_MS; // reset wants all back
	read_duration(r, "slow-start", 0, LOAD_SLOW_START_MAX_MS, &gw->slow_start_ms);
}

// Whose is a default route on an interface that several gateways share? Nobody can tell; so where a
// gateway there has the next hop of one family written down, it doesn't take the other from the kernel.
static void settle_shared(const struct loader *ld, size_t i)
{
	struct model_gateway *gw = &ld->model->gateways[i];
	struct reader r = load_section(ld, "gateway", i);
	bool shared = false;
	for (size_t j = 0; j < ld->model->n_gateways; j++)
		shared |= i != j && strcmp(gw->interface, ld->model->gateways[j].interface) == 0;
	bool given[FAM_COUNT] = {tree_given(&r.section, "address"), tree_given(&r.section, "address6")};
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		if (shared && !given[fam] && gw->addr_mode[!fam] == ADDR_MODE_STATIC)
			gw->addr_mode[fam] = ADDR_MODE_NONE;
}

static void load_gateways(struct loader *ld)
{
	struct model *m = ld->model;
	ld->gateways = load_names(ld, "gateway", NULL);
	m->n_gateways = ld->gateways.n;
	m->gateways = arena_alloc(m->arena, m->n_gateways * sizeof(*m->gateways));
	for (size_t i = 0; i < m->n_gateways; i++) {
		struct reader r = load_section(ld, "gateway", i);
		load_gateway(ld, &r, &m->gateways[i]);
		m->gateways[i].name = ld->gateways.v[i];
	}
	for (size_t i = 0; i < m->n_gateways; i++)
		settle_shared(ld, i);
	if (!m->n_gateways && !load_count(ld, "service") && !ld->tree->lost)
		report_error(ld->report, ld->root.at, "gateway",
			     "there is none: write gateway NAME { interface = NAME }");
}

struct model *load(struct loader *ld, const struct tree *tree, const char *path, struct report *report)
{
	struct arena *arena = arena_new();
	struct model *m = arena_alloc(arena, sizeof(*m));
	m->arena = arena;
	m->path = arena_strdup(arena, path);
	*ld = (struct loader){.tree = tree, .report = report, .model = m, .root = tree_root(tree)};
	load_globals(ld);
	load_lan(ld);
	load_probes(ld);
	load_gateways(ld);
	ld->balances = load_names(ld, "balance", LOAD_DEFAULT_BALANCE);
	load_balances(ld);
	load_rules(ld);
	load_services(ld);
	return m;
}
