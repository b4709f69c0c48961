// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/model.h"

#include <string.h>

#include "gwd/base/alloc.h"

#define MODEL_IDS_MAX 254 // room enough for links, and tables and ip rules stay a short range under any mask

void model_free(struct model *model)
{
	if (model)
		arena_free(model->arena); // the model itself lives in it
}

int model_find_gateway(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->n_gateways; i++)
		if (strcmp(model->gateways[i].name, name) == 0)
			return (int)i;
	return -1;
}

uint16_t model_real_port(const struct model_service *service, const struct model_real *real)
{
	uint16_t only = service->listens[0].first;
	for (size_t i = 0; i < service->n_listens; i++)
		if (service->listens[i].first != only || service->listens[i].last != only)
			only = 0;
	return real->port ? real->port : only;
}

bool model_find_real(const struct model *model, const char *name, size_t *service, size_t *real)
{
	for (size_t i = 0; i < model->n_services; i++) {
		const struct model_service *in = &model->services[i];
		size_t n = strlen(in->name);
		if (strncmp(in->name, name, n) != 0 || name[n] != '/')
			continue;
		for (size_t k = 0; k < in->n_reals; k++)
			if (!strcmp(in->reals[k].name, name + n + 1)) {
				*service = i;
				*real = k;
				return true;
			}
	}
	return false;
}

bool model_interface_matches(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);
	if (len && pattern[len - 1] == '*')
		return strncmp(pattern, name, len - 1) == 0;
	return strcmp(pattern, name) == 0;
}

unsigned model_max_ids(uint32_t mark_mask)
{
	unsigned bits = (unsigned)__builtin_popcount(mark_mask);
	if (bits < 2)
		return 0;
	return bits >= 8 ? MODEL_IDS_MAX : (1u << bits) - 2;
}

const char *probe_type_name(enum probe_type type)
{
	switch (type) {
	case PROBE_ICMP:
		return "icmp";
	case PROBE_TCP:
		return "tcp";
	case PROBE_HTTP:
		return "http";
	case PROBE_HTTPS:
		return "https";
	case PROBE_DNS:
		return "dns";
	case PROBE_ARP:
		return "arp";
	case PROBE_EXEC:
		return "exec";
	}
	__builtin_unreachable();
}

unsigned model_rule_priorities(uint32_t mark_mask)
{
	return model_max_ids(mark_mask) +
	       5; // three before the gateways', where they begin, and where they end
}

const char *scheduler_name(enum scheduler scheduler)
{
	switch (scheduler) {
	case SCHED_RR:
		return "rr";
	case SCHED_WRR:
		return "wrr";
	case SCHED_RANDOM:
		return "random";
	case SCHED_SH:
		return "sh";
	case SCHED_DH:
		return "dh";
	case SCHED_MH:
		return "mh";
	case SCHED_FO:
		return "fo";
	case SCHED_LC:
		return "lc";
	case SCHED_WLC:
		return "wlc";
	case SCHED_SED:
		return "sed";
	case SCHED_NQ:
		return "nq";
	case SCHED_LEAST_LOAD:
		return "least-load";
	case SCHED_LOWEST_LATENCY:
		return "lowest-latency";
	}
	__builtin_unreachable();
}

bool forward_is_direct(enum forward forward)
{
	return forward == FORWARD_DR || forward == FORWARD_TUN;
}

const char *role_name(enum real_role role)
{
	switch (role) {
	case ROLE_REAL:
		return "real";
	case ROLE_BACKUP:
		return "backup";
	case ROLE_SORRY:
		return "sorry";
	}
	__builtin_unreachable();
}

const char *forward_name(enum forward forward)
{
	switch (forward) {
	case FORWARD_NAT:
		return "nat";
	case FORWARD_FULLNAT:
		return "fullnat";
	case FORWARD_DR:
		return "dr";
	case FORWARD_TUN:
		return "tun";
	case FORWARD_LOCAL:
		return "local";
	}
	__builtin_unreachable();
}
