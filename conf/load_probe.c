// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "conf/load.h"
#include "conf/text.h"
#include "conf/values.h"
#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/core/model.h"

#define MINUTE_MS 60000u
#define HOUR_MS (60 * MINUTE_MS)
#define EXPECT_LENGTH 1000

// ---- values ----------------------------------------------------------------------------------

static int parse_domain(const char *text, void *out, struct err *err)
{
	return value_domain(text, out, err);
}

struct target {
	struct addr addr; // none: a name
	const char *name;
};

static int parse_target(const char *text, void *out, struct err *err)
{
	struct target *target = out;
	*target = (struct target){.name = NULL};
	return value_is_domain(text) ? value_domain(text, &target->name, err)
				     : value_host(text, &target->addr, err);
}

static int parse_web_host(const char *text, void *out, struct err *err)
{
	struct addr addr;
	if (addr_parse(text, &addr)) {
		*(const char **)out = text;
		return 0;
	}
	return parse_domain(text, out, err);
}

static int parse_path(const char *text, void *out, struct err *err)
{
	for (const char *c = text; *c; c++)
		if (!isgraph((unsigned char)*c))
			return err_set(err, EINVAL,
				       "a path has no blanks and only ASCII: write %%XX for others");
	if (*text != '/')
		return err_set(err, EINVAL, "a path begins with /");
	*(const char **)out = text;
	return 0;
}

static int parse_status(const char *text, void *out, struct err *err)
{
	struct model_ports range;
	if (value_ports(text, &range, err) || range.first < 100 || range.last > 599)
		return err_set(err, EINVAL, "not a status of HTTP: write 204 or 200-399, within 100 to 599");
	*(struct model_status *)out = (struct model_status){range.first, range.last};
	return 0;
}

static int parse_text(const char *text, void *out, struct err *err)
{
	if (!*text || strlen(text) > EXPECT_LENGTH)
		return err_set(err, EINVAL, "write 1 to %d characters of the body", EXPECT_LENGTH);
	*(const char **)out = text;
	return 0;
}

static int parse_expect_addr(const char *text, void *out, struct err *err)
{
	return value_address(text, out, err);
}

static int parse_share(const char *text, void *out, struct err *err)
{
	char digits[8] = "";
	size_t n = strspn(text, "0123456789");
	if (!n || n >= sizeof(digits) || strcmp(text + n, "%") != 0)
		return err_set(err, EINVAL, "not a share: write a whole number and %%, such as 30%%");
	memcpy(digits, text, n);
	return value_number(digits, 1, 100, out, err) ? err_set(err, EINVAL, "out of range: use 1%% to 100%%")
						      : 0;
}

// ---- one probe -------------------------------------------------------------------------------

static void refuse_double(const struct reader *r, const char *target)
{
	report_error(r->report, tree_place(&r->section, "targets"), tree_label(r->tree, &r->section),
		     "targets: %s is listed twice: once is enough", target);
}

static void refuse_double_targets(const struct reader *r, const struct model_probe *probe)
{
	char text[ADDR_TEXT];
	for (size_t i = 1; i < probe->n_targets; i++)
		for (size_t j = 0; j < i; j++)
			if (addr_equal(&probe->targets[i], &probe->targets[j])) {
				refuse_double(r, addr_text(&probe->targets[i], text));
				break;
			}
	for (size_t i = 1; i < probe->n_target_names; i++)
		for (size_t j = 0; j < i; j++)
			if (strcasecmp(probe->target_names[i], probe->target_names[j]) == 0) {
				refuse_double(r, probe->target_names[i]);
				break;
			}
}

static const struct model_probe probe_defaults = {
	.type = PROBE_ICMP,
	.need = 1,
	.interval_ms = 1000,
	.fast_ms = 100,
	.timeout_ms = 300,
	.fall = 3,
	.rise = 3,
	.hold_ms = 5000,
	.window_ms = 30000,
};

static void load_type(const struct reader *r, struct model_probe *probe)
{
	static const char *const types[] = {"icmp", "tcp", "http", "https", "dns", "arp", "exec"};
	static const enum probe_type values[] = {PROBE_ICMP, PROBE_TCP, PROBE_HTTP, PROBE_HTTPS,
						 PROBE_DNS,  PROBE_ARP, PROBE_EXEC};
	size_t type;
	if (read_choice(r, "type", READ_CHOICE(types), &type))
		probe->type = values[type];
}

static void load_targets(const struct reader *r, struct model_probe *probe)
{
	void *list = NULL;
	size_t n = read_list(r, "targets", sizeof(struct target), parse_target, &list);
	const struct target *all = list;
	probe->targets = arena_alloc(r->arena, (n + 1) * sizeof(*probe->targets));
	probe->target_names = arena_alloc(r->arena, (n + 1) * sizeof(*probe->target_names));
	for (size_t i = 0; i < n; i++) {
		if (all[i].name)
			probe->target_names[probe->n_target_names++] = arena_strdup(r->arena, all[i].name);
		else
			probe->targets[probe->n_targets++] = all[i].addr;
	}
	refuse_double_targets(r, probe);
	read_number(r, "need", 1, 100, &probe->need);
}

static void load_times(const struct reader *r, struct model_probe *probe)
{
	read_duration(r, "interval", 10, HOUR_MS, &probe->interval_ms);
	if (probe->fast_ms > probe->interval_ms)
		probe->fast_ms = probe->interval_ms;
	read_duration(r, "fast", 10, HOUR_MS, &probe->fast_ms);
	read_duration(r, "timeout", 1, MINUTE_MS, &probe->timeout_ms);
	read_number(r, "fall", 1, 100, &probe->fall);
	read_number(r, "rise", 1, 100, &probe->rise);
	read_duration(r, "hold", 0, 5 * MINUTE_MS, &probe->hold_ms);
}

static void load_limits(const struct reader *r, struct model_probe *probe)
{
	read_value(r, "loss", parse_share, &probe->loss_percent);
	read_duration(r, "latency", 1, MINUTE_MS, &probe->latency_ms);
	read_duration(r, "jitter", 1, MINUTE_MS, &probe->jitter_ms);
	read_duration(r, "window", 1000, HOUR_MS, &probe->window_ms);
}

static uint16_t default_port(enum probe_type type)
{
	switch (type) {
	case PROBE_HTTP:
		return 80;
	case PROBE_HTTPS:
		return 443;
	case PROBE_DNS:
		return 53;
	case PROBE_ICMP:
	case PROBE_TCP:
	case PROBE_ARP:
	case PROBE_EXEC:
		break;
	}
	return 0;
}

static void load_web(const struct reader *r, struct model_probe *probe)
{
	static const struct model_status fine = {200, 399};
	void *status = NULL;
	probe->path = "/";
	probe->verify = probe->type == PROBE_HTTPS;
	read_value(r, "path", parse_path, &probe->path);
	read_value(r, "host", parse_web_host, &probe->host);
	read_value(r, "expect", parse_text, &probe->expect);
	probe->n_status = read_list(r, "status", sizeof(fine), parse_status, &status);
	if (!probe->n_status) {
		status = arena_alloc(r->arena, sizeof(fine));
		memcpy(status, &fine, sizeof(fine));
		probe->n_status = 1;
	}
	probe->status = status;
	read_bool(r, "verify", &probe->verify);
}

static void load_dns(const struct reader *r, struct model_probe *probe)
{
	static const char *const records[] = {"A", "AAAA", "NS", "CNAME", "SOA", "PTR", "MX", "TXT"};
	static const enum probe_record values[] = {RECORD_A,   RECORD_AAAA, RECORD_NS, RECORD_CNAME,
						   RECORD_SOA, RECORD_PTR,  RECORD_MX, RECORD_TXT};
	static const char *const rcodes[] = {"noerror", "any"};
	size_t choice;
	probe->record = RECORD_A;
	read_value(r, "query", parse_domain, &probe->query);
	if (read_choice(r, "record", READ_CHOICE(records), &choice))
		probe->record = values[choice];
	read_value(r, "expect", parse_expect_addr, &probe->expect_addr);
	if (read_choice(r, "rcode", READ_CHOICE(rcodes), &choice))
		probe->any_rcode = choice == 1;
}

static void load_question(const struct reader *r, struct model_probe *probe)
{
	unsigned port = default_port(probe->type);
	probe->own_port = !tree_given(&r->section, "port");
	read_number(r, "port", 1, UINT16_MAX, &port);
	probe->port = (uint16_t)port;
	switch (probe->type) {
	case PROBE_HTTP:
	case PROBE_HTTPS:
		load_web(r, probe);
		break;
	case PROBE_DNS:
		load_dns(r, probe);
		break;
	case PROBE_EXEC:
		read_value(r, "command", value_program, &probe->command);
		break;
	case PROBE_ICMP:
	case PROBE_TCP:
	case PROBE_ARP:
		break;
	}
	const char **texts[] = {&probe->path, &probe->host, &probe->expect, &probe->query, &probe->command};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (*texts[i])
			*texts[i] = arena_strdup(r->arena, *texts[i]);
}

// ---- all of them -----------------------------------------------------------------------------

static bool needs_default_probe(const struct loader *ld)
{
	for (size_t i = 0; i < load_count(ld, "gateway"); i++) {
		struct reader r = load_section(ld, "gateway", i);
		if (!tree_given(&r.section, "probes"))
			return true;
	}
	return false;
}

static struct model_probe *add_probe(struct loader *ld, const char *name)
{
	struct model_probe *probe = &ld->model->probes[ld->model->n_probes++];
	ld->probes.v[ld->probes.n++] = name;
	*probe = probe_defaults;
	probe->name = name;
	return probe;
}

size_t load_implicit_probe(struct loader *ld, const char *name, enum probe_type type)
{
	for (size_t i = 0; i < ld->probes.n; i++)
		if (strcmp(ld->probes.v[i], name) == 0)
			return i;
	struct model_probe *probe = add_probe(ld, name);
	probe->type = type;
	probe->own_port = true;
	return ld->probes.n - 1;
}

void load_probes(struct loader *ld)
{
	struct model *m = ld->model;
	size_t n = load_count(ld, "probe");
	struct names titles = load_names(ld, "probe", NULL);
	ld->probes.v = arena_alloc(m->arena, (n + LOAD_IMPLICIT_PROBES) * sizeof(*ld->probes.v));
	m->probes = arena_alloc(m->arena, (n + LOAD_IMPLICIT_PROBES) * sizeof(*m->probes));
	for (size_t i = 0; i < n; i++) {
		struct model_probe *probe = add_probe(ld, titles.v[i]);
		struct reader r = load_section(ld, "probe", i);
		probe->line = (int)r.section.at.line;
		load_type(&r, probe);
		load_targets(&r, probe);
		load_times(&r, probe);
		load_limits(&r, probe);
		load_question(&r, probe);
	}
	if (needs_default_probe(ld))
		load_implicit_probe(ld, LOAD_DEFAULT_PROBE, PROBE_ICMP);
}
