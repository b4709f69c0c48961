// SPDX-License-Identifier: GPL-2.0-or-later
// The `service` sections: where they listen and how they choose. Their reals are in load_real.c.
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "conf/load.h"
#include "conf/text.h"
#include "conf/values.h"
#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/core/model.h"

#define HOUR_MS 3600000u

// ---- where it listens ------------------------------------------------------------------------

// One by one, as each keeps its line.
static void load_listens(const struct reader *r, struct model_service *service)
{
	size_t given = tree_values(&r->section, "listen");
	load_require(r, "listen", "listen = { \"ADDRESS:PORT\", ... }");
	service->listens = arena_alloc(r->arena, (given + 1) * sizeof(*service->listens));
	for (size_t i = 0; i < given; i++) {
		struct err err;
		struct model_listen *listen = &service->listens[service->n_listens];
		const struct token *value = tree_value(&r->section, "listen", i);
		if (!value || value->broken)
			continue;
		if (value_listen(value->text, listen, &err)) {
			read_refuse(r, "listen", value, &err);
			continue;
		}
		listen->line = (int)value->at.line;
		service->n_listens++;
	}
}

struct place load_listen_place(const struct reader *r, size_t i)
{
	struct model_listen listen;
	const struct token *value;
	for (size_t k = 0; (value = tree_value(&r->section, "listen", k)); k++)
		if (!value->broken && value_listen(value->text, &listen, NULL) == 0 && i-- == 0)
			return value->at;
	return r->section.at;
}

static int parse_protocol(const char *text, void *out, struct err *err)
{
	uint8_t protocol;
	if (value_protocol(text, &protocol, NULL) ||
	    (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_SCTP))
		return err_set(err, EINVAL, "a service is of tcp, udp or sctp");
	*(uint8_t *)out = protocol;
	return 0;
}

static void load_protocols(const struct reader *r, struct model_service *service)
{
	void *list = NULL;
	size_t n = read_list(r, "protocol", 1, parse_protocol, &list), kept = 0;
	service->protocols = list ? list : arena_alloc(r->arena, 1);
	for (size_t i = 0; i < n; i++)
		if (!kept || !memchr(service->protocols, service->protocols[i], kept))
			service->protocols[kept++] = service->protocols[i];
	if (!kept)
		service->protocols[kept++] = IPPROTO_TCP;
	service->n_protocols = kept;
}

// ---- what it speaks from ---------------------------------------------------------------------

static void load_source(const struct reader *r, struct model_service *service)
{
	for (size_t i = 0; i < tree_values(&r->section, "source"); i++) {
		struct err err;
		struct model_snat range;
		const struct token *value = tree_value(&r->section, "source", i);
		if (!value || value->broken)
			continue;
		int rc = value_source(value->text, &range, &err);
		enum fam fam = rc ? FAM_4 : addr_fam(&range.first);
		if (!rc && !addr_is_none(&service->source_first[fam]))
			rc = err_set(&err, EINVAL,
				     "a second one of %s: write one address or one range of a family",
				     fam == FAM_4 ? "IPv4" : "IPv6");
		if (rc) {
			read_refuse(r, "source", value, &err);
			continue;
		}
		service->source_first[fam] = range.first;
		service->source_last[fam] = range.last;
	}
}

// ---- how it chooses --------------------------------------------------------------------------

static void load_choice(const struct reader *r, struct model_service *service)
{
	static const char *const schedulers[] = {"rr", "wrr", "random", "lc", "wlc", "sed",
						 "nq", "sh",  "dh",     "mh", "fo"};
	static const enum scheduler values[] = {SCHED_RR,  SCHED_WRR, SCHED_RANDOM, SCHED_LC,
						SCHED_WLC, SCHED_SED, SCHED_NQ,     SCHED_SH,
						SCHED_DH,  SCHED_MH,  SCHED_FO};
	size_t choice;
	if (read_choice(r, "scheduler", READ_CHOICE(schedulers), &choice))
		service->scheduler = values[choice];
	read_value(r, "persistence", value_persistence, &service->persistence_ms);
	read_number(r, "persist-mask", 1, 32, &service->persist_mask[FAM_4]);
	read_number(r, "persist-mask6", 1, 128, &service->persist_mask[FAM_6]);
}

static int parse_rate(const char *text, void *out, struct err *err)
{
	return value_per_second(text, out, err);
}

static void load_limit_source(const struct reader *r, struct model_service *service)
{
	for (size_t i = 0; i < tree_count(&r->section, "limit-source");
	     i++) { // a second one is an error already
		struct reader l = *r;
		l.section = tree_section(&r->section, "limit-source", i);
		if (!tree_given(&l.section, "connections") && !tree_given(&l.section, "rate"))
			report_error(r->report, l.section.at, tree_label(l.tree, &l.section),
				     "it limits nothing: write connections = 100, rate = 50/s or both");
		read_number(&l, "connections", 1, INT32_MAX, &service->limit_connections);
		read_value(&l, "rate", parse_rate, &service->limit_rate);
	}
}

static int parse_interface(const char *text, void *out, struct err *err)
{
	int rc = value_interface(text, err);
	if (!rc)
		*(const char **)out = text;
	return rc;
}

static void load_extras(const struct reader *r, struct model_service *service)
{
	static const char *const removals[] = {"keep", "cut"};
	size_t choice;
	read_duration(r, "slow-start", 0, HOUR_MS, &service->slow_start_ms);
	read_bool(r, "syn-proxy", &service->syn_proxy);
	read_bool(r, "ftp", &service->ftp);
	if (read_value(r, "vip-interface", parse_interface, &service->vip_interface))
		service->vip_interface = arena_strdup(r->arena, service->vip_interface);
	if (read_choice(r, "on-removal", READ_CHOICE(removals), &choice))
		service->cut = choice == 1;
}

void load_services(struct loader *ld)
{
	struct model *m = ld->model;
	struct names names = load_names(ld, "service", NULL);
	m->n_services = names.n;
	m->services = arena_alloc(m->arena, m->n_services * sizeof(*m->services));
	for (size_t i = 0; i < m->n_services; i++) {
		struct reader r = load_section(ld, "service", i);
		struct model_service *service = &m->services[i];
		*service = (struct model_service){
			.name = names.v[i],
			.line = (int)r.section.at.line,
			.scheduler = SCHED_WLC,
			.persist_mask = {32, 128},
		};
		load_listens(&r, service);
		load_protocols(&r, service);
		load_source(&r, service);
		load_choice(&r, service);
		load_limit_source(&r, service);
		load_extras(&r, service);
		load_reals(ld, &r, service);
	}
}
