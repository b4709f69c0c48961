// SPDX-License-Identifier: GPL-2.0-or-later
// The sets of syn-proxy: which listeners it stands in front of, and whose addresses they are.
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "gwd/core/build.h"
#include "gwd/core/build_service.h"
#include "gwd/core/facts.h"
#include "gwd/core/names.h"
#include "gwd/core/plan.h"

// Where nobody serves the client should be refused, not welcomed.
static void build_syn_listeners(struct plan_set *set, const struct plan *plan, enum fam fam)
{
	vec_each(&plan->services, service) {
		if (!service->syn_proxy || !service->tier[fam])
			continue;
		vec_each(&service->listens, listen) {
			unsigned size = addr_size(&listen->addr);
			uint16_t port = htons(listen->first);
			struct plan_elem elem = {0};
			if (addr_fam(&listen->addr) != fam)
				continue;
			memcpy(elem.key, listen->addr.b, size);
			memcpy(elem.key + size, &port, sizeof(port));
			vec_push(&set->elems, elem);
		}
	}
}

static bool build_has_address(const struct fact_iface *iface, const struct addr *addr)
{
	if (iface)
		vec_each(&iface->addrs, own)
			if (addr_equal(&own->addr, addr))
				return true;
	return false;
}

// Of several gateways on one interface, the one that speaks from that address; else the first.
static const struct plan_gateway *build_home_of(const struct plan *plan, const struct facts *facts,
						const struct addr *addr)
{
	const struct plan_gateway *found = NULL;
	vec_each(&plan->gateways, gw) {
		if (addr_equal(&gw->source[addr_fam(addr)], addr))
			return gw;
		if (!found && build_has_address(facts_iface(facts, gw->ifname), addr))
			found = gw;
	}
	return found;
}

static void build_homes(struct plan_set *set, const struct plan *plan, const struct facts *facts,
			enum fam fam)
{
	vec_each(&plan->services, service) {
		if (!service->syn_proxy)
			continue;
		vec_each(&service->listens, listen) {
			struct plan_elem elem = {0};
			const struct plan_gateway *gw = build_home_of(plan, facts, &listen->addr);
			bool known = false;
			if (addr_fam(&listen->addr) != fam || !gw)
				continue;
			memcpy(elem.key, listen->addr.b, addr_size(&listen->addr));
			name_gateway_chain(elem.chain, "in", gw);
			vec_each(&set->elems, old)
				known |= !memcmp(old->key, elem.key, sizeof(elem.key));
			if (!known)
				vec_push(&set->elems, elem);
		}
	}
}

void build_synproxy(struct plan *plan, const struct build_input *input)
{
	size_t n = 0;
	vec_each(&plan->services, service)
		n += service->syn_proxy ? service->listens.n : 0;
	for (enum fam fam = FAM_4; n && fam < FAM_COUNT; fam++) {
		enum plan_type address = fam == FAM_4 ? PLAN_T_IPV4 : PLAN_T_IPV6;
		struct plan_set syn = {.key = {address, PLAN_T_PORT}};
		struct plan_set home = {.key = {address}, .data = PLAN_T_VERDICT};
		snprintf(syn.name, sizeof(syn.name), fam == FAM_4 ? "syn4" : "syn6");
		snprintf(home.name, sizeof(home.name), fam == FAM_4 ? "home4" : "home6");
		build_syn_listeners(&syn, plan, fam);
		build_homes(&home, plan, input->facts, fam);
		syn.size = home.size = build_room(n);
		vec_push(&plan->sets, syn);
		vec_push(&plan->sets, home);
	}
}
