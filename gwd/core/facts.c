// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/facts.h"

#include <string.h>

void facts_free(struct facts *facts)
{
	vec_each(&facts->ifaces, iface)
		vec_free(&iface->addrs);
	vec_free(&facts->ifaces);
	vec_free(&facts->defaults);
	vec_free(&facts->prefixes);
	vec_free(&facts->neighs);
	vec_free(&facts->nets);
}

const struct fact_iface *facts_iface(const struct facts *facts, const char *name)
{
	vec_each(&facts->ifaces, iface)
		if (!strcmp(iface->name, name))
			return iface;
	return NULL;
}

const struct fact_iface *facts_iface_by_index(const struct facts *facts, uint32_t index)
{
	vec_each(&facts->ifaces, iface)
		if (iface->index == index)
			return iface;
	return NULL;
}

bool fact_addr_is_near(const struct fact_addr *own, const struct addr *addr)
{
	struct prefix subnet = {.addr = own->addr, .len = own->len};
	addr_mask(&subnet.addr, subnet.len);
	return own->addr.family == addr->family && prefix_contains(&subnet, addr);
}

const struct fact_addr *fact_iface_source(const struct fact_iface *iface, enum fam fam,
					  const struct addr *near)
{
	const struct fact_addr *best = NULL;
	vec_each(&iface->addrs, a)
		if (a->usable && !a->unrouted && !a->ours && a->addr.family == fam_af(fam) &&
		    (!near || fact_addr_is_near(a, near)) && (!best || fam == FAM_6))
			best = a;
	return best;
}

const uint8_t *facts_mac(const struct facts *facts, uint32_t index, const struct addr *addr)
{
	vec_each(&facts->neighs, n)
		if (n->index == index && addr_equal(&n->addr, addr))
			return n->mac;
	return NULL;
}
