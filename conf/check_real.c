// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "conf/check.h"
#include "conf/load.h"
#include "conf/text.h"
#include "gwd/base/alloc.h"
#include "gwd/core/model.h"

// ---- where it is -----------------------------------------------------------------------------

// Not one that was refused, and for which another stands now.
static bool forward_is_known(const struct reader *r, const struct reader *service,
			     const struct model_real *real)
{
	const struct reader *at = tree_given(&r->section, "forward") ? r : service;
	const struct token *value = tree_value(&at->section, "forward", 0);
	return !value || strcmp(value->text, forward_name(real->forward)) == 0;
}

static void check_place(const struct reader *r, const struct model_real *real)
{
	bool local = real->forward == FORWARD_LOCAL, given = tree_given(&r->section, "address");
	if (local && given)
		option_error(r, "address",
			     "address: forward = local is a listener on this host, which has none: leave it "
			     "out, or "
			     "write another forward");
	else if (!local && !given)
		report_error(r->report, r->section.at, tree_label(r->tree, &r->section),
			     "address is missing: write address = ADDRESS, or forward = local for a listener "
			     "on this "
			     "host");
}

static void check_family(const struct reader *r, const struct model_service *service,
			 const struct model_real *real)
{
	char text[ADDR_TEXT];
	bool reachable = addr_is_none(&real->address) || !service->n_listens, own = false;
	for (size_t i = 0; i < service->n_listens; i++) {
		reachable |= service->listens[i].addr.family == real->address.family;
		own |= addr_equal(&service->listens[i].addr, &real->address);
	}
	if (reachable && !own)
		return;
	addr_text(&real->address, text);
	if (!reachable)
		option_error(r, "address",
			     "address = %s: the service has no %s listener, so it would get nothing", text,
			     addr_fam(&real->address) == FAM_4 ? "IPv4" : "IPv6");
	if (own)
		option_error(r, "address",
			     "address = %s: the service listens there itself: write forward = local for a "
			     "listener on "
			     "this host",
			     text);
}

static void check_port(const struct reader *r, const struct model_real *real)
{
	bool as_it_is = forward_is_direct(real->forward);
	if (as_it_is && real->port)
		option_error(r, "port", "port: forward = %s leaves packets as they are: leave it out",
			     forward_name(real->forward));
}

// ---- two of them -----------------------------------------------------------------------------

static bool listens_at(const struct model_service *service, uint16_t port)
{
	for (size_t i = 0; i < service->n_listens; i++)
		if (service->listens[i].first <= port && port <= service->listens[i].last)
			return true;
	return false;
}

// Would some connection be the same at both? A port that is not known is whichever a client asks for.
static bool same_port(const struct model_service *service, const struct model_real *a,
		      const struct model_real *b)
{
	uint16_t one = model_real_port(service, a), two = model_real_port(service, b);
	if (one && two)
		return one == two;
	return one == two || listens_at(service, one ? one : two);
}

static int address_compare(const void *va, const void *vb)
{
	return addr_compare(va, vb);
}

// Said of them all at once: each compared with all before takes longer than the rest of the checks.
static bool any_share_address(const struct model_service *service)
{
	bool share = false;
	struct addr *all = xcalloc(service->n_reals, sizeof(*all));
	for (size_t i = 0; i < service->n_reals; i++)
		all[i] = service->reals[i].address;
	qsort(all, service->n_reals, sizeof(*all), address_compare);
	for (size_t i = 1; i < service->n_reals; i++)
		share |= addr_equal(&all[i - 1], &all[i]);
	free(all);
	return share;
}

static void check_double(const struct reader *r, const struct model_service *service, size_t i)
{
	const struct model_real *real = &service->reals[i];
	bool local = real->forward == FORWARD_LOCAL;
	if (!service->n_listens || (addr_is_none(&real->address) && !local))
		return;
	for (size_t k = 0; k < i; k++) {
		const struct model_real *other = &service->reals[k];
		if (!addr_equal(&real->address, &other->address) || !same_port(service, real, other) ||
		    local != (other->forward == FORWARD_LOCAL))
			continue;
		option_error(r, "address",
			     "address: %s is %s already, at the same port: use another address or port",
			     other->name, local ? "on this host" : "there");
		return;
	}
}

// ---- how much it takes, and whether it is well ------------------------------------------------

static void check_limits(const struct reader *r, const struct model_real *real)
{
	if (!tree_given(&r->section, "min-connections"))
		return;
	if (!tree_given(&r->section, "max-connections"))
		option_error(
			r, "min-connections",
			"min-connections: it is below max-connections that a full real takes new ones again: "
			"write that, too");
	else if (real->max_connections && real->min_connections > real->max_connections)
		option_error(r, "min-connections", "min-connections = %u: more than max-connections = %u",
			     real->min_connections, real->max_connections);
}

// A real is judged by targets of its own family.
static bool check_target_family(const struct reader *at, const struct model_probe *probe,
				const struct model_service *service, const struct model_real *real)
{
	const struct addr *of = addr_is_none(&real->address) ? &service->listens[0].addr : &real->address;
	bool six = addr_fam(of) == FAM_6, found = !probe->n_targets || probe->n_target_names;
	for (size_t i = 0; i < probe->n_targets; i++)
		found |= probe->targets[i].family == of->family;
	if (!found)
		option_error(at, "probes",
			     "probes: %s has no %s target, and %s is %s: use another probe there",
			     probe->name, six ? "IPv6" : "IPv4", real->name, six ? "IPv6" : "IPv4");
	return found;
}

// A port that the probe leaves out the real must have. False: it has none.
static bool check_asked(const struct reader *at, const struct model_probe *probe,
			const struct model_service *service, const struct model_real *real)
{
	bool itself = !probe->n_targets && !probe->n_target_names;
	if (!check_target_family(at, probe, service, real))
		return false;
	if (probe->type != PROBE_TCP || probe->port || (itself && model_real_port(service, real)))
		return true;
	option_error(
		at, "probes",
		"probes: %s has no port, and %s none that is always the same: write port = 80 in the probe",
		probe->name, real->name);
	return false;
}

static void check_probes_asked(const struct loader *ld, const struct reader *at,
			       const struct model_service *service, const struct model_real *real, bool *told)
{
	for (size_t i = 0; !*told && service->n_listens && i < real->n_probes; i++)
		*told = !check_asked(at, &ld->model->probes[real->probes[i]], service, real);
}

// Of the service's probes, one real that they don't fit is told.
static void check_real_probes(const struct loader *ld, const struct reader *r,
			      const struct reader *service_section, const struct model_service *service,
			      const struct model_real *real, bool *service_told)
{
	bool own = tree_given(&r->section, "probes"), own_told = false;
	if (addr_is_none(&real->address) && real->forward != FORWARD_LOCAL)
		return; // refused
	check_probes_asked(ld, own ? r : service_section, service, real, own ? &own_told : service_told);
	if (!tree_given(&r->section, "need"))
		return;
	if (!real->n_probes && !own)
		option_error(r, "need",
			     "need: how many of the probes, which are missing: write probes = { NAME, ... }");
	else
		check_need(r, real->need, real->n_probes);
}

struct common {         // to all reals of a service
	bool told;      // of one that the service's probes don't fit
	bool addresses; // two have the same
};

static void check_one(const struct loader *ld, const struct reader *service_section,
		      const struct model_service *service, size_t i, struct common *common)
{
	const struct model_real *real = &service->reals[i];
	struct reader r = load_real_section(service_section, i);
	if (forward_is_known(&r, service_section, real))
		check_place(&r, real);
	check_family(&r, service, real);
	check_port(&r, real);
	if (common->addresses)
		check_double(&r, service, i);
	check_limits(&r, real);
	check_real_probes(ld, &r, service_section, service, real, &common->told);
}

void check_reals(const struct loader *ld)
{
	for (size_t i = 0; i < ld->model->n_services; i++) {
		struct reader r = load_section(ld, "service", i);
		const struct model_service *service = &ld->model->services[i];
		struct common common = {.addresses = any_share_address(service)};
		for (size_t k = 0; k < service->n_reals; k++)
			check_one(ld, &r, service, k, &common);
	}
}
