// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "gwd/base/addr.h"
#include "gwd/core/plan.h"
#include "gwd/routes_msg.h"
#include "gwd/routes_read.h"

static struct plan_route route(enum fam fam, const char *via, const char *source)
{
	struct plan_route route = {.fam = fam, .table = 1001, .metric = 1, .oif = 7};
	if (via)
		cr_assert(addr_parse(via, &route.via));
	if (source)
		cr_assert(addr_parse(source, &route.source));
	return route;
}

static struct plan_route nowhere(const char *to, enum plan_route_type type)
{
	struct plan_route route = {.table = 1001, .metric = 1, .type = type};
	cr_assert(prefix_parse(to, &route.to));
	route.fam = addr_fam(&route.to.addr);
	return route;
}

Test(routes_msg, what_is_put_is_read)
{
	const struct plan_route routes[] = {
		route(FAM_4, "192.0.2.1", NULL),
		route(FAM_4, "192.0.2.1", "192.0.2.7"),
		route(FAM_4, NULL, NULL),
		route(FAM_4, "fe80::1", NULL),
		route(FAM_6, "fe80::1", "2001:db8::7"),
		route(FAM_6, NULL, NULL),
		{.fam = FAM_4, .table = 70001, .metric = PLAN_METRIC_LAST, .type = PLAN_ROUTE_UNREACHABLE},
		{.fam = FAM_6, .table = 254, .metric = PLAN_METRIC_LAST, .type = PLAN_ROUTE_UNREACHABLE},
		nowhere("100.64.1.2/32", PLAN_ROUTE_UNREACHABLE),
		nowhere("100.64.1.2/32", PLAN_ROUTE_BLACKHOLE),
		nowhere("2001:db8:1::2/128", PLAN_ROUTE_BLACKHOLE),
		nowhere("10.1.0.0/16", PLAN_ROUTE_THROW),
		nowhere("2001:db8:1::/48", PLAN_ROUTE_THROW),
	};
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		struct plan_route read;
		uint8_t protocol;
		struct nl_msg *msg = routes_msg_route(&routes[i], true, NLM_F_CREATE);
		cr_assert(routes_read_route(nlmsg_hdr(msg), &read, &protocol), "route %zu", i);
		cr_assert(plan_route_equal(&read, &routes[i]), "route %zu", i);
		cr_assert_eq(protocol, PLAN_PROTOCOL);
		nlmsg_free(msg);
	}
}

Test(routes_msg, a_next_hop_need_not_be_in_the_link_s_network)
{
	struct plan_route direct = route(FAM_4, NULL, NULL), by_gateway = route(FAM_4, "192.0.2.1", NULL);
	struct nl_msg *msg = routes_msg_route(&by_gateway, true, NLM_F_CREATE);
	const struct rtmsg *rtm = nlmsg_data(nlmsg_hdr(msg));
	cr_assert(rtm->rtm_flags & RTNH_F_ONLINK);
	cr_assert_eq(rtm->rtm_scope, RT_SCOPE_UNIVERSE);
	nlmsg_free(msg);
	msg = routes_msg_route(&direct, true, NLM_F_CREATE);
	rtm = nlmsg_data(nlmsg_hdr(msg));
	cr_assert_eq(rtm->rtm_flags, 0);
	cr_assert_eq(rtm->rtm_scope, RT_SCOPE_LINK);
	nlmsg_free(msg);
}

Test(routes_msg, a_rule_that_is_put_is_read)
{
	const struct plan_iprule rules[] = {
		{.fam = FAM_4, .priority = 10000, .table = 254, .suppress_default = true},
		{.fam = FAM_6, .priority = 10001, .mark = 0x01000000, .mask = 0xff000000, .table = 1001},
		{.fam = FAM_4, .priority = 10002, .mark = 0, .mask = 0x3f, .table = 70001},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct plan_iprule read;
		uint8_t protocol;
		struct nl_msg *msg = routes_msg_iprule(&rules[i], true, NLM_F_EXCL);
		cr_assert(routes_read_iprule(nlmsg_hdr(msg), &read, &protocol), "rule %zu", i);
		cr_assert_eq(plan_iprule_compare(&read, &rules[i]), 0, "rule %zu", i);
		cr_assert_eq(protocol, PLAN_PROTOCOL);
		nlmsg_free(msg);
	}
}

Test(routes_msg, a_deletion_names_what_is_deleted)
{
	struct plan_route by_gateway = route(FAM_4, "192.0.2.1", NULL);
	struct nl_msg *msg = routes_msg_route(&by_gateway, false, 0);
	cr_assert_eq(nlmsg_hdr(msg)->nlmsg_type, RTM_DELROUTE);
	cr_assert_eq(((const struct rtmsg *)nlmsg_data(nlmsg_hdr(msg)))->rtm_protocol, PLAN_PROTOCOL);
	cr_assert_not_null(nlmsg_find_attr(nlmsg_hdr(msg), sizeof(struct rtmsg), RTA_PRIORITY));
	nlmsg_free(msg);
}
