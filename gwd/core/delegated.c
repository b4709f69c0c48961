// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/delegated.h"

#include "gwd/core/facts.h"

#define DELEGATED_NEAR_MIN 16 // leading bits that an ISP's addresses have in common at least

static unsigned delegated_common_bits(const struct addr *a, const struct addr *b)
{
	for (unsigned i = 0; i < 16; i++)
		if (a->b[i] != b->b[i])
			return 8 * i + (unsigned)__builtin_clz((unsigned)(a->b[i] ^ b->b[i])) - 24;
	return 128;
}

// How near the nearest of its addresses is; 0: it has none.
static unsigned delegated_nearness(const struct fact_iface *iface, const struct prefix *prefix)
{
	unsigned most = 0;
	vec_each(&iface->addrs, own) {
		unsigned bits = own->usable && own->addr.family == prefix->addr.family
					? delegated_common_bits(&own->addr, &prefix->addr)
					: 0;
		most = bits > most ? bits : most;
	}
	return most;
}

static bool delegated_is_nearest(const struct facts *facts, const struct fact_iface *iface,
				 const struct prefix *prefix)
{
	unsigned own = delegated_nearness(iface, prefix);
	vec_each(&facts->defaults, route) {
		const struct fact_iface *other = facts_iface_by_index(facts, route->oif);
		if (route->fam == FAM_6 && other && other->index != iface->index &&
		    delegated_nearness(other, prefix) >= own)
			return false;
	}
	return own >= DELEGATED_NEAR_MIN;
}

static struct prefix delegated_own(const struct fact_iface *iface)
{
	const struct fact_addr *own = iface->point_to_point ? fact_iface_source(iface, FAM_6, NULL) : NULL;
	struct prefix prefix = {0};
	if (!own || own->len > DELEGATED_LEN_MAX || own->len < DELEGATED_LEN_MIN)
		return prefix;
	prefix = (struct prefix){.addr = own->addr, .len = own->len};
	addr_mask(&prefix.addr, prefix.len);
	return prefix;
}

struct prefix delegated_prefix(const struct facts *facts, const struct fact_iface *iface)
{
	vec_each(&facts->prefixes, fact)
		if (fact->oif == iface->index)
			return fact->prefix;
	vec_each(&facts->prefixes, fact)
		if (!fact->oif && delegated_is_nearest(facts, iface, &fact->prefix))
			return fact->prefix;
	return delegated_own(iface);
}
