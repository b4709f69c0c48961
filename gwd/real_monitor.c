// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/real_monitor.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "gwd/base/alloc.h"
#include "gwd/core/model.h"
#include "gwd/monitor.h"
#include "gwd/reals.h"
#include "probes/checker.h"

struct addr real_monitor_target(const struct model_service *service, const struct model_real *real)
{
	static const uint8_t loopback4[] = {127, 0, 0, 1};
	if (!addr_is_none(&real->address))
		return real->address;
	return service->listens[0].addr.family == AF_INET ? addr_from(AF_INET, loopback4)
							  : addr_from(AF_INET6, &in6addr_loopback);
}

struct model_probe real_monitor_probe(const struct model_probe *probe, const struct model_service *service,
				      const struct model_real *real)
{
	struct model_probe own = *probe;
	bool itself = !probe->n_targets && !probe->n_target_names;
	bool has_port = probe->type != PROBE_ICMP && probe->type != PROBE_ARP && probe->type != PROBE_EXEC;
	uint16_t port = model_real_port(service, real);
	if (has_port && itself && probe->own_port && port)
		own.port = port;
	return own;
}

static void real_monitor_start(struct monitor *monitor, struct reals_real *entry, const struct model *model,
			       const struct model_service *service, const struct model_real *real)
{
	struct model_probe *own = xcalloc(real->n_probes, sizeof(*own));
	const struct model_probe **probes = xcalloc(real->n_probes, sizeof(*probes));
	struct checker_binding binding = {.next_hop = real_monitor_target(service, real)};
	binding.fam = addr_fam(&binding.next_hop);
	for (size_t i = 0; i < real->n_probes; i++) {
		own[i] = real_monitor_probe(&model->probes[real->probes[i]], service, real);
		probes[i] = &own[i];
	}
	if (entry->checker && checker_fam(entry->checker) != binding.fam) {
		checker_free(entry->checker);
		entry->checker = NULL;
	}
	if (entry->checker) {
		checker_configure(entry->checker, probes, real->n_probes, real->need);
		checker_rebind(entry->checker, &binding);
	} else {
		entry->checker =
			monitor_checker(monitor, entry->name, probes, real->n_probes, real->need, &binding);
	}
	free(probes);
	free(own);
}

void real_monitor_update(struct monitor *monitor, struct reals *reals, const struct model *model)
{
	for (size_t i = 0; i < model->n_services; i++) {
		const struct model_service *service = &model->services[i];
		for (size_t k = 0; k < service->n_reals; k++) {
			size_t at = reals_index(reals, i, k);
			struct reals_real *entry = &reals->reals.v[at];
			if (service->reals[k].n_probes) {
				real_monitor_start(monitor, entry, model, service, &service->reals[k]);
			} else {
				checker_free(entry->checker);
				entry->checker = NULL;
			}
			reals->now[at].verdict = entry->checker ? checker_verdict(entry->checker) : NULL;
		}
	}
}

void real_monitor_set_urgent(struct reals *reals, size_t service, bool nothing_usable)
{
	struct reals_service *entry = &reals->services.v[service];
	if (entry->urgent == nothing_usable)
		return;
	entry->urgent = nothing_usable;
	for (size_t i = 0; i < entry->n; i++)
		if (reals->reals.v[entry->first + i].checker)
			checker_set_urgent(reals->reals.v[entry->first + i].checker, nothing_usable);
}
