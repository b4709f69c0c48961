// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/routes_msg.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>
#include <stdlib.h>

#include "gwd/core/plan.h"

static struct nl_addr *msg_addr(int af, const void *bytes, size_t size)
{
	struct nl_addr *addr = nl_addr_build(af, bytes, size);
	if (!addr)
		abort(); // out of memory
	return addr;
}

static void msg_put_next_hop(struct rtnl_route *out, const struct plan_route *route)
{
	struct rtnl_nexthop *hop = rtnl_route_nh_alloc();
	if (!hop)
		abort(); // out of memory
	rtnl_route_nh_set_ifindex(hop, (int)route->oif);
	if (!addr_is_none(&route->via)) {
		struct nl_addr *via = msg_addr(route->via.family, route->via.b, addr_size(&route->via));
		if (route->via.family == fam_af(route->fam))
			rtnl_route_nh_set_gateway(hop, via);
		else
			rtnl_route_nh_set_via(hop, via);
		nl_addr_put(via);
		// also where no address of the interface is in the next hop's network
		rtnl_route_set_flags(out, RTNH_F_ONLINK);
	}
	rtnl_route_add_nexthop(out, hop);
}

static struct rtnl_route *msg_nl_route(const struct plan_route *route)
{
	static const uint8_t any[16];
	int af = fam_af(route->fam);
	static const uint8_t types[] = {[PLAN_ROUTE_LEADS] = RTN_UNICAST,
					[PLAN_ROUTE_UNREACHABLE] = RTN_UNREACHABLE,
					[PLAN_ROUTE_BLACKHOLE] = RTN_BLACKHOLE,
					[PLAN_ROUTE_THROW] = RTN_THROW};
	bool leads = route->type == PLAN_ROUTE_LEADS;
	struct rtnl_route *out = rtnl_route_alloc();
	if (!out)
		abort(); // out of memory
	struct nl_addr *dst =
		msg_addr(af, route->to.len ? route->to.addr.b : any, route->fam == FAM_4 ? 4 : 16);
	nl_addr_set_prefixlen(dst, route->to.len);
	rtnl_route_set_family(out, (uint8_t)af);
	rtnl_route_set_dst(out, dst);
	nl_addr_put(dst);
	rtnl_route_set_table(out, route->table);
	rtnl_route_set_protocol(out, PLAN_PROTOCOL);
	rtnl_route_set_priority(out, route->metric);
	rtnl_route_set_type(out, types[route->type]);
	rtnl_route_set_scope(out, route->fam == FAM_4 && leads && addr_is_none(&route->via)
					  ? RT_SCOPE_LINK
					  : RT_SCOPE_UNIVERSE);
	if (!addr_is_none(&route->source)) {
		struct nl_addr *source = msg_addr(af, route->source.b, addr_size(&route->source));
		rtnl_route_set_pref_src(out, source);
		nl_addr_put(source);
	}
	if (leads)
		msg_put_next_hop(out, route);
	return out;
}

struct nl_msg *routes_msg_route(const struct plan_route *route, bool add, int flags)
{
	struct rtnl_route *nl = msg_nl_route(route);
	struct nl_msg *msg = NULL;
	int rc = add ? rtnl_route_build_add_request(nl, flags, &msg)
		     : rtnl_route_build_del_request(nl, flags, &msg);
	rtnl_route_put(nl);
	if (rc < 0 || !msg)
		abort(); // out of memory
	return msg;
}

static struct rtnl_rule *msg_nl_rule(const struct plan_iprule *rule)
{
	struct rtnl_rule *out = rtnl_rule_alloc();
	if (!out)
		abort(); // out of memory
	rtnl_rule_set_family(out, fam_af(rule->fam));
	rtnl_rule_set_action(out, rule->skip_to ? FR_ACT_GOTO : rule->table ? FR_ACT_TO_TBL : FR_ACT_NOP);
	rtnl_rule_set_prio(out, rule->priority);
	if (rule->skip_to)
		rtnl_rule_set_goto(out, rule->skip_to);
	else if (rule->table)
		rtnl_rule_set_table(out, rule->table);
	if (rule->iif[0])
		rtnl_rule_set_iif(out, rule->iif);
	rtnl_rule_set_protocol(out, PLAN_PROTOCOL);
	if (rule->mask) {
		rtnl_rule_set_mark(out, rule->mark);
		rtnl_rule_set_mask(out, rule->mask);
	}
	return out;
}

struct nl_msg *routes_msg_iprule(const struct plan_iprule *rule, bool add, int flags)
{
	struct rtnl_rule *nl = msg_nl_rule(rule);
	struct nl_msg *msg = NULL;
	int rc = add ? rtnl_rule_build_add_request(nl, flags, &msg)
		     : rtnl_rule_build_delete_request(nl, flags, &msg);
	rtnl_rule_put(nl);
	// libnl 3.7 does not know this attribute
	if (rc < 0 || !msg || (rule->suppress_default && nla_put_u32(msg, FRA_SUPPRESS_PREFIXLEN, 0) < 0))
		abort(); // out of memory
	return msg;
}
