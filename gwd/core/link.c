// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/link.h"

#include <stdio.h>

#include "gwd/core/delegated.h"
#include "gwd/core/facts.h"
#include "gwd/core/model.h"

static const char *const link_fam_name[FAM_COUNT] = {"IPv4", "IPv6"};

// The kernel's own default route over this interface: the one it would use itself.
static const struct fact_route *link_kernel_default(const struct facts *facts, uint32_t oif, enum fam fam)
{
	const struct fact_route *best = NULL;
	vec_each(&facts->defaults, route)
		if (route->fam == fam && route->oif == oif && (!best || route->metric < best->metric))
			best = route;
	return best;
}

// The address that stands in the next hop's subnet, where there are several; otherwise any.
static const struct fact_addr *link_source(const struct fact_iface *iface, enum fam fam,
					   const struct addr *via)
{
	const struct fact_addr *near = fact_iface_source(iface, fam, via);
	return near ? near : fact_iface_source(iface, fam, NULL);
}

// One alone (/32, /128) beside one with its network floats between two routers, as VRRP has it: when it goes from here,
// the other one has it, with all that is translated to it.
static bool link_has_address(const struct fact_iface *iface, const struct addr *addr, bool near)
{
	vec_each(&iface->addrs, own)
		if (addr_equal(&own->addr, addr))
			return !near || own->len < 8 * addr_size(addr);
	return false;
}

// Next hop and source of `address = auto`. False: the kernel has no way out here for this family.
static bool link_auto(struct link_path *path, const struct fact_iface *iface, const struct facts *facts,
		      enum fam fam)
{
	const struct fact_route *route = link_kernel_default(facts, iface->index, fam);
	if (route) {
		path->via = route->via;
		if (!addr_is_none(&route->source))
			path->source = route->source;
		return true;
	}
	return iface->point_to_point && !addr_is_none(&path->source);
}

static void link_next_hop(struct link_path *path, const struct model_gateway *gw,
			  const struct fact_iface *iface, const struct facts *facts, enum fam fam)
{
	const struct fact_addr *own = link_source(iface, fam, &gw->address[fam]);
	if (own)
		path->source = own->addr;
	path->snat_near = own && gw->snat[fam].mode == SNAT_ADDRESS &&
			  !addr_equal(&own->addr, &gw->snat[fam].first) &&
			  fact_addr_is_near(own, &gw->snat[fam].first);
	path->snat_here = link_has_address(iface, &gw->snat[fam].first, path->snat_near);
	if (gw->addr_mode[fam] == ADDR_MODE_STATIC) {
		path->wanted = path->routable = true;
		path->via = gw->address[fam];
	} else if (gw->addr_mode[fam] == ADDR_MODE_AUTO) {
		path->wanted = path->routable = link_auto(path, iface, facts, fam);
	}
	path->target = path->via;
	if (addr_is_none(&path->target) && own)
		path->target = own->peer;
}

static void link_path_resolve(struct link *link, const struct model_gateway *gw,
			      const struct fact_iface *iface, const struct facts *facts, enum fam fam)
{
	struct link_path *path = &link->path[fam];
	const char *ifname = gw->interface, *name = link_fam_name[fam];
	path->prefix = gw->snat[fam].prefix;
	if (gw->addr_mode[fam] == ADDR_MODE_NONE) {
		snprintf(path->missing, sizeof(path->missing), "%s is not used here", name);
		return;
	}
	path->wanted = gw->addr_mode[fam] == ADDR_MODE_STATIC;
	if (!iface) {
		snprintf(path->missing, sizeof(path->missing), "interface %s does not exist", ifname);
		return;
	}
	if (!iface->up) {
		snprintf(path->missing, sizeof(path->missing), "interface %s is down", ifname);
		return;
	}
	link_next_hop(path, gw, iface, facts, fam);
	if (gw->snat[fam].mode == SNAT_PREFIX && !path->prefix.len)
		path->prefix = delegated_prefix(facts, iface);
	if (!path->routable)
		snprintf(path->missing, sizeof(path->missing), "no %s default route on %s", name, ifname);
	else if (!iface->carrier)
		snprintf(path->missing, sizeof(path->missing), "no carrier on %s", ifname);
	else if (gw->snat[fam].mode == SNAT_MASQUERADE && addr_is_none(&path->source))
		snprintf(path->missing, sizeof(path->missing), "no %s address on %s", name, ifname);
	else if (gw->snat[fam].mode == SNAT_PREFIX && !path->prefix.len)
		snprintf(path->missing, sizeof(path->missing), "no prefix is delegated over %s", ifname);
	else
		path->ready = true;
}

void link_resolve(struct link *link, const struct model_gateway *gw, const struct facts *facts)
{
	const struct fact_iface *iface = facts_iface(facts, gw->interface);
	*link = (struct link){.present = iface != NULL, .ifindex = iface ? iface->index : 0};
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		link_path_resolve(link, gw, iface, facts, fam);
}
