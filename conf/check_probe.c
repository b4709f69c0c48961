// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "conf/check.h"
#include "conf/load.h"
#include "conf/nearest.h"
#include "conf/text.h"
#include "conf/values.h"
#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"
#include "gwd/core/model.h"

#define JUDGED_LEAST 5 // answers that a figure must rest on, see probes/quality.h

// ---- what belongs to which type --------------------------------------------------------------

#define BIT(type) (1u << (type))
#define WEB (BIT(PROBE_HTTP) | BIT(PROBE_HTTPS))

static const struct {
	const char *option;
	unsigned types;
	const char *example; // of those that can't be left out; NULL: they can
	unsigned needed;     // by these types
} own_options[] = {
	{"port", WEB | BIT(PROBE_TCP) | BIT(PROBE_DNS), "port = 80", BIT(PROBE_TCP)},
	{"path", WEB, NULL, 0},
	{"host", WEB, NULL, 0},
	{"status", WEB, NULL, 0},
	{"expect", WEB | BIT(PROBE_DNS), NULL, 0},
	{"verify", BIT(PROBE_HTTPS), NULL, 0},
	{"query", BIT(PROBE_DNS), "query = \"example.net\"", BIT(PROBE_DNS)},
	{"record", BIT(PROBE_DNS), NULL, 0},
	{"rcode", BIT(PROBE_DNS), NULL, 0},
	{"command", BIT(PROBE_EXEC), "command = \"/etc/gwd/check\"", BIT(PROBE_EXEC)},
};

static void list_types(unsigned types, struct buf *out)
{
	const char *names[PROBE_EXEC + 1];
	size_t n = 0;
	for (enum probe_type type = PROBE_ICMP; type <= PROBE_EXEC; type++)
		if (types & BIT(type))
			names[n++] = probe_type_name(type);
	nearest_list(out, names, n);
}

static bool type_is_known(const struct reader *r, const struct model_probe *p)
{
	const struct token *value = tree_value(&r->section, "type", 0);
	return !value || strcmp(value->text, probe_type_name(p->type)) == 0;
}

// A real has a port of its own; whether it is known, see check_real.c.
static void check_options(const struct reader *r, const struct model_probe *p, bool reals_only)
{
	const char *type = probe_type_name(p->type);
	for (size_t i = 0; i < ARRAY_SIZE(own_options); i++) {
		const char *option = own_options[i].option;
		bool given = tree_given(&r->section, option);
		bool optional = reals_only && strcmp(option, "port") == 0;
		if (!given && !optional && (own_options[i].needed & BIT(p->type)))
			report_error(r->report, r->section.at, tree_label(r->tree, &r->section),
				     "%s is missing, which type = %s needs: write %s", option, type,
				     own_options[i].example);
		if (!given || (own_options[i].types & BIT(p->type)))
			continue;
		struct buf list = {0};
		list_types(own_options[i].types, &list);
		option_error(r, option, "%s: only for type %s, and this one is %s: leave it out", option,
			     buf_text(&list), type);
		buf_free(&list);
	}
}

// ---- numbers that depend on numbers ------------------------------------------------------------

static void check_targets_needed(const struct reader *r, const struct model_probe *p)
{
	size_t count[FAM_COUNT] = {0};
	if (p->n_targets + p->n_target_names != tree_values(&r->section, "targets"))
		return; // some were refused
	for (size_t i = 0; i < p->n_targets; i++)
		count[addr_fam(&p->targets[i])]++;
	if (!tree_given(&r->section, "targets") && p->need > 1)
		option_error(r, "need", "need = %u: without targets there is one, the next hop or the real",
			     p->need);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		bool meant = count[fam] || !p->n_targets; // a name may have addresses of one family only
		count[fam] += p->n_target_names;
		if (meant && count[fam] && p->need > count[fam])
			option_error(r, "need",
				     "need = %u: there %s only %zu %s target%s (each family is judged by "
				     "itself), so it would never be up",
				     p->need, count[fam] == 1 ? "is" : "are", count[fam],
				     fam == FAM_4 ? "IPv4" : "IPv6", count[fam] == 1 ? "" : "s");
	}
}

// Whom ARP asks is on the link; a name would be looked up beyond it.
static void check_names(const struct reader *r, const struct model_probe *p)
{
	if (p->type == PROBE_ARP && p->n_target_names)
		option_error(r, "targets",
			     "targets: type arp asks addresses on the link: write the address of %s",
			     p->target_names[0]);
}

static void check_times(const struct reader *r, const struct model_probe *p)
{
	char a[DURATION_TEXT], b[DURATION_TEXT];
	if (p->fast_ms > p->interval_ms)
		option_error(r, "fast",
			     "fast = %s: longer than interval = %s, but it is the pace after a first miss",
			     duration_text(p->fast_ms, a), duration_text(p->interval_ms, b));
	else if (p->timeout_ms > p->interval_ms && tree_given(&r->section, "timeout"))
		option_warning(
			r, "timeout",
			"timeout = %s: longer than interval = %s, so several requests are under way at "
			"once and a dead link is noticed late",
			duration_text(p->timeout_ms, a), duration_text(p->interval_ms, b));
}

static void check_limits(const struct reader *r, const struct model_probe *p)
{
	char a[DURATION_TEXT], b[DURATION_TEXT];
	bool limits = p->loss_percent || p->latency_ms || p->jitter_ms;
	if (limits && p->window_ms < (uint64_t)p->interval_ms * JUDGED_LEAST)
		option_error(
			r, "window",
			"window = %s: at one request each %s it holds fewer than the %d that loss, latency "
			"and jitter are judged by",
			duration_text(p->window_ms, a), duration_text(p->interval_ms, b), JUDGED_LEAST);
	if (p->latency_ms >= p->timeout_ms)
		option_warning(
			r, "latency",
			"latency = %s: what takes longer than timeout = %s is no answer, so this is never "
			"exceeded",
			duration_text(p->latency_ms, a), duration_text(p->timeout_ms, b));
}

static void check_expect(const struct reader *r, const struct model_probe *p)
{
	if (p->type != PROBE_DNS || addr_is_none(&p->expect_addr))
		return;
	bool v4 = addr_fam(&p->expect_addr) == FAM_4;
	if (p->record != (v4 ? RECORD_A : RECORD_AAAA))
		option_error(r, "expect", "expect: an %s address needs record = %s", v4 ? "IPv4" : "IPv6",
			     v4 ? "A" : "AAAA");
	if (p->any_rcode)
		option_error(r, "rcode",
			     "rcode = any: an error has no address, so it can't be what expect asks for");
}

struct check_users {
	bool *gateways, *reals; // for each probe: one of these names it
};

static void check_mark(bool *used, const size_t *probes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		used[probes[i]] = true;
}

static struct check_users check_find_users(const struct model *m)
{
	struct check_users users = {
		.gateways = arena_alloc(m->arena, m->n_probes * sizeof(bool)),
		.reals = arena_alloc(m->arena, m->n_probes * sizeof(bool)),
	};
	for (size_t i = 0; i < m->n_gateways; i++)
		check_mark(users.gateways, m->gateways[i].probes, m->gateways[i].n_probes);
	for (size_t i = 0; i < m->n_services; i++)
		for (size_t k = 0; k < m->services[i].n_reals; k++)
			check_mark(users.reals, m->services[i].reals[k].probes,
				   m->services[i].reals[k].n_probes);
	return users;
}

void check_probes(const struct loader *ld)
{
	struct check_users users = check_find_users(ld->model);
	for (size_t i = 0; i < load_count(ld, "probe"); i++) {
		struct reader r = load_section(ld, "probe", i);
		const struct model_probe *p = &ld->model->probes[i];
		if (type_is_known(&r, p))
			check_options(&r, p, users.reals[i] && !users.gateways[i]);
		check_targets_needed(&r, p);
		check_names(&r, p);
		check_times(&r, p);
		check_limits(&r, p);
		check_expect(&r, p);
		check_program(&r, "command", p->command);
		if (*r.section.title && !users.gateways[i] && !users.reals[i])
			report_warning(ld->report, r.section.at, tree_label(r.tree, &r.section),
				       "nobody uses it: name it in the probes of a gateway or service, or "
				       "remove it");
	}
}
