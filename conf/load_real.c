// SPDX-License-Identifier: GPL-2.0-or-later
// The `real`, `backup` and `sorry` sections of a service: where its connections go.
#include <netinet/in.h>
#include <string.h>

#include "conf/load.h"
#include "conf/syntax.h"
#include "conf/text.h"
#include "conf/values.h"
#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/core/model.h"

static const char *const load_role_kind[] = {
	[ROLE_REAL] = "real", [ROLE_BACKUP] = "backup", [ROLE_SORRY] = "sorry"};

void load_forward(const struct reader *r, enum forward *out)
{
	static const char *const names[] = {"nat", "fullnat", "local", "dr", "tun"};
	static const enum forward values[] = {FORWARD_NAT, FORWARD_FULLNAT, FORWARD_LOCAL, FORWARD_DR,
					      FORWARD_TUN};
	size_t choice;
	if (read_choice(r, "forward", READ_CHOICE(names), &choice))
		*out = values[choice];
}

// ---- what it is judged by --------------------------------------------------------------------

static bool has_protocol(const struct model_service *service, uint8_t protocol)
{
	return memchr(service->protocols, protocol, service->n_protocols) != NULL;
}

// Without a word about it, a real is asked for what clients ask it for, as far as that is known. A listener on
// this host can be asked on the loopback interface only, where it may not be; the sorry server is the last
// resort, dead or alive.
static void load_default_probe(struct loader *ld, const struct model_service *service,
			       const struct model_real *real, struct load_judges *judges)
{
	if (real->role == ROLE_SORRY || real->forward == FORWARD_LOCAL || addr_is_none(&real->address))
		return;
	bool connects =
		has_protocol(service, IPPROTO_TCP) && service->n_listens && model_real_port(service, real);
	judges->probes[0] = connects ? load_implicit_probe(ld, LOAD_PORT_PROBE, PROBE_TCP)
				     : load_implicit_probe(ld, LOAD_ADDRESS_PROBE, PROBE_ICMP);
	judges->n_probes = 1;
	judges->need = judges->need ? judges->need : 1;
}

// Its own probes, or the service's, which are not the sorry server's.
static void load_real_probes(struct loader *ld, const struct reader *r, const struct load_judges *shared,
			     const struct model_service *service, struct model_real *real)
{
	struct load_judges judges;
	load_judges(ld, r, &judges);
	bool own = tree_given(&r->section, "probes"), own_need = tree_given(&r->section, "need");
	if (!own && (shared->n_probes || shared->none) && real->role != ROLE_SORRY) {
		unsigned need = judges.need;
		judges = *shared;
		judges.need = own_need ? need : shared->need;
	} else if (!own) {
		load_default_probe(ld, service, real, &judges);
	}
	real->probes = judges.probes;
	real->n_probes = judges.n_probes;
	real->need = judges.need;
}

// ---- one real --------------------------------------------------------------------------------

static int parse_host(const char *text, void *out, struct err *err)
{
	return value_host(text, out, err);
}

static void load_limits(const struct reader *r, struct model_real *real)
{
	read_number(r, "max-connections", 1, INT32_MAX, &real->max_connections);
	real->min_connections = (uint32_t)((uint64_t)real->max_connections * 3 / 4);
	if (real->max_connections && !real->min_connections)
		real->min_connections = 1;
	read_number(r, "min-connections", 1, INT32_MAX, &real->min_connections);
}

static void load_real_name(const struct reader *r, const struct model_service *service,
			   struct model_real *real)
{
	struct err err;
	const struct token *title = r->section.stmt->title;
	if (real->role == ROLE_SORRY) {
		real->name = "sorry";
		return;
	}
	real->name = *r->section.title ? arena_strdup(r->arena, r->section.title) : "(no name)";
	if (!title || title->broken)
		return;
	bool taken = false;
	for (size_t i = 0; real->role == ROLE_BACKUP && i < service->n_reals; i++)
		taken |= service->reals[i].role == ROLE_REAL &&
			 strcmp(service->reals[i].name, real->name) == 0;
	if (value_name(title->text, &err))
		report_error(r->report, r->section.at, tree_label(r->tree, &r->section), "%s", err.text);
	else if (strcmp(title->text, "sorry") == 0)
		report_error(r->report, r->section.at, tree_label(r->tree, &r->section),
			     "sorry is the name of the sorry server: use another one");
	else if (taken)
		report_error(r->report, r->section.at, tree_label(r->tree, &r->section),
			     "a real of the service has this name already: use another one");
}

static void load_real(struct loader *ld, const struct reader *r, const struct load_judges *shared,
		      enum forward forward, struct model_service *service, struct model_real *real)
{
	unsigned port = 0;
	real->line = (int)r->section.at.line;
	real->forward = forward;
	real->weight = 1;
	load_real_name(r, service, real);
	load_forward(r, &real->forward);
	read_value(r, "address", parse_host, &real->address);
	read_number(r, "port", 1, UINT16_MAX, &port);
	real->port = (uint16_t)port;
	if (real->role != ROLE_SORRY)
		read_number(r, "weight", 0, LOAD_WEIGHT_MAX, &real->weight);
	if (real->role == ROLE_REAL)
		load_limits(r, real);
	load_real_probes(ld, r, shared, service, real);
}

struct reader load_real_section(const struct reader *service_section, size_t i)
{
	struct reader r = *service_section;
	for (enum real_role role = ROLE_REAL; role <= ROLE_SORRY; role++) {
		size_t n = tree_count(&service_section->section, load_role_kind[role]);
		if (i < n) {
			r.section = tree_section(&service_section->section, load_role_kind[role], i);
			break;
		}
		i -= n;
	}
	return r;
}

void load_reals(struct loader *ld, const struct reader *service_section, struct model_service *service)
{
	const struct section *in = &service_section->section;
	struct load_judges shared;
	enum forward forward = FORWARD_NAT;
	size_t all = 0;
	load_judges(ld, service_section, &shared);
	load_forward(service_section, &forward);
	for (enum real_role role = ROLE_REAL; role <= ROLE_SORRY; role++)
		all += tree_count(in, load_role_kind[role]);
	service->reals = arena_alloc(service_section->arena, all * sizeof(*service->reals));
	for (enum real_role role = ROLE_REAL; role <= ROLE_SORRY; role++)
		for (size_t i = 0; i < tree_count(in, load_role_kind[role]); i++) {
			struct reader r = load_real_section(service_section, service->n_reals);
			struct model_real *real = &service->reals[service->n_reals];
			*real = (struct model_real){.role = role};
			load_real(ld, &r, &shared, forward, service, real);
			service->n_reals++;
		}
}
