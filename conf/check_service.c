// SPDX-License-Identifier: GPL-2.0-or-later
#include <netinet/in.h>
#include <string.h>

#include "conf/check.h"
#include "conf/load.h"
#include "conf/text.h"
#include "conf/values.h"
#include "gwd/core/model.h"
#include "gwd/core/slots.h"

static const char *fam_text(enum fam fam)
{
	return fam == FAM_4 ? "IPv4" : "IPv6";
}

static bool listens_by(const struct model_service *service, enum fam fam)
{
	for (size_t i = 0; i < service->n_listens; i++)
		if (addr_fam(&service->listens[i].addr) == fam)
			return true;
	return !service->n_listens; // refused ones may have been of any
}

static bool has_forward(const struct model_service *service, enum forward forward)
{
	for (size_t i = 0; i < service->n_reals; i++)
		if (service->reals[i].forward == forward)
			return true;
	return false;
}

static void check_source(const struct reader *r, const struct model_service *service)
{
	char text[ADDR_TEXT];
	if (!tree_given(&r->section, "source"))
		return;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		if (!addr_is_none(&service->source_first[fam]) && !listens_by(service, fam))
			option_error(r, "source", "source = %s: the service has no %s listener: leave it out",
				     addr_text(&service->source_first[fam], text), fam_text(fam));
	if (!has_forward(service, FORWARD_FULLNAT))
		option_warning(r, "source", "source has no effect: nothing here has forward = fullnat");
}

static void check_weights(const struct reader *r, const struct model_service *service)
{
	size_t reals = 0;
	unsigned most = 0;
	for (size_t i = 0; i < service->n_reals; i++) {
		const struct model_real *real = &service->reals[i];
		reals += real->role == ROLE_REAL;
		if (real->role == ROLE_REAL && real->weight > most)
			most = real->weight;
	}
	if (!reals)
		report_error(r->report, r->section.at, tree_label(r->tree, &r->section),
			     "it has no real: write real NAME { address = ADDRESS }");
	else if (!most)
		report_warning(
			r->report, r->section.at, tree_label(r->tree, &r->section),
			"all of its reals have weight 0, so they take no new connection: give one a weight");
}

static void check_probes_of(const struct reader *r)
{
	const struct token *value = tree_value(&r->section, "need", 0);
	unsigned need;
	if (!value || value_number(value->text, 1, LOAD_NEED_MAX, &need, NULL))
		return;
	if (!tree_given(&r->section, "probes"))
		option_error(r, "need",
			     "need: how many of the probes, which are missing: write probes = { NAME, ... }");
	else
		check_need(r, need, 0);
}

// What goes by the segments of TCP.
static void check_tcp_only(const struct reader *r, const struct model_service *service, const char *option,
			   bool on)
{
	bool tcp = service->n_protocols == 1 && service->protocols[0] == IPPROTO_TCP;
	if (on && !tcp)
		option_error(r, option,
			     "%s = yes: only for protocol = tcp: give the others a service of their own",
			     option);
}

// Its listeners are a set of single ports.
static void check_syn_proxy(const struct reader *r, const struct model_service *service)
{
	check_tcp_only(r, service, "syn-proxy", service->syn_proxy);
	for (size_t i = 0; service->syn_proxy && i < service->n_listens; i++)
		if (service->listens[i].first != service->listens[i].last) {
			option_error(
				r, "syn-proxy",
				"syn-proxy = yes: only for single ports: give ranges a service of their own");
			return;
		}
}

// Where answers don't come back this way, or not to conntrack, neither can be done.
static void check_as_it_is(const struct reader *r, const struct model_service *service)
{
	if (!has_forward(service, FORWARD_DR) && !has_forward(service, FORWARD_TUN))
		return;
	if (service->syn_proxy)
		option_error(r, "syn-proxy", "syn-proxy = yes: not where a real has forward = dr or tun");
	if (service->ftp)
		option_error(r, "ftp", "ftp = yes: not where a real has forward = dr or tun");
	if (service->limit_connections || service->limit_rate)
		report_error(r->report, r->section.at, tree_label(r->tree, &r->section),
			     "limit-source: not where a real has forward = dr or tun");
	for (size_t i = 0; i < service->n_reals; i++)
		if (service->reals[i].max_connections && !forward_is_direct(service->reals[i].forward)) {
			report_error(r->report, r->section.at, tree_label(r->tree, &r->section),
				     "max-connections of %s: where others have forward = dr or tun, only "
				     "theirs can be limited",
				     service->reals[i].name);
			return;
		}
}

void check_services(const struct loader *ld)
{
	for (size_t i = 0; i < ld->model->n_services; i++) {
		struct reader r = load_section(ld, "service", i);
		const struct model_service *service = &ld->model->services[i];
		if (service->n_reals > SLOTS_MAX)
			report_error(r.report, r.section.at, tree_label(r.tree, &r.section),
				     "%zu reals: there may be %d at most", service->n_reals, SLOTS_MAX);
		check_source(&r, service);
		check_weights(&r, service);
		check_probes_of(&r);
		check_persistence(&r, service->persistence_ms);
		check_syn_proxy(&r, service);
		check_as_it_is(&r, service);
		check_tcp_only(&r, service, "ftp", service->ftp);
	}
}
