// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "gwd/base/addr.h"
#include "gwd/core/plan.h"
#include "gwd/routes_read.h"

static struct nl_msg *route_message(int af, uint8_t type)
{
	struct rtmsg rtm = {.rtm_family = (uint8_t)af,
			    .rtm_table = RT_TABLE_COMPAT,
			    .rtm_protocol = PLAN_PROTOCOL,
			    .rtm_type = type};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWROUTE, 0);
	nlmsg_append(msg, &rtm, sizeof(rtm), NLMSG_ALIGNTO);
	nla_put_u32(msg, RTA_TABLE, 70001);
	nla_put_u32(msg, RTA_PRIORITY, 5);
	return msg;
}

static void put_addr(struct nl_msg *msg, int type, const char *text)
{
	struct addr a;
	cr_assert(addr_parse(text, &a));
	nla_put(msg, type, (int)addr_size(&a), a.b);
}

Test(routes_read, a_route_by_a_gateway)
{
	struct plan_route route;
	uint8_t protocol;
	char text[ADDR_TEXT];
	struct nl_msg *msg = route_message(AF_INET6, RTN_UNICAST);
	nla_put_u32(msg, RTA_OIF, 3);
	put_addr(msg, RTA_GATEWAY, "fe80::1");
	put_addr(msg, RTA_PREFSRC, "2001:db8::2");
	cr_assert(routes_read_route(nlmsg_hdr(msg), &route, &protocol));
	cr_assert(protocol == PLAN_PROTOCOL && route.fam == FAM_6 && route.table == 70001);
	cr_assert(route.metric == 5 && route.oif == 3 && route.type == PLAN_ROUTE_LEADS);
	cr_assert_str_eq(addr_text(&route.via, text), "fe80::1");
	cr_assert_str_eq(addr_text(&route.source, text), "2001:db8::2");
	nlmsg_free(msg);
}

Test(routes_read, an_unreachable_route_has_no_interface_whatever_ipv6_says)
{
	struct plan_route route;
	uint8_t protocol;
	struct nl_msg *msg = route_message(AF_INET6, RTN_UNREACHABLE);
	nla_put_u32(msg, RTA_OIF, 1);
	cr_assert(routes_read_route(nlmsg_hdr(msg), &route, &protocol));
	cr_assert(route.type == PLAN_ROUTE_UNREACHABLE && !route.oif && addr_is_none(&route.via) &&
		  !route.to.len);
	put_addr(msg, RTA_DST, "fd00:10::");
	((struct rtmsg *)nlmsg_data(nlmsg_hdr(msg)))->rtm_dst_len = 64;
	cr_assert(routes_read_route(nlmsg_hdr(msg), &route, &protocol));
	cr_assert(route.type == PLAN_ROUTE_UNREACHABLE && route.to.len == 64 && route.to.addr.b[0] == 0xfd);
	nlmsg_free(msg);
}

Test(routes_read, what_gwd_never_makes_is_none)
{
	struct plan_route route;
	uint8_t protocol;
	struct nl_msg *msg = route_message(AF_INET, RTN_BLACKHOLE);
	cr_assert_not(routes_read_route(nlmsg_hdr(msg), &route, &protocol));
	((struct rtmsg *)nlmsg_data(nlmsg_hdr(msg)))->rtm_type = RTN_UNICAST;
	cr_assert(routes_read_route(nlmsg_hdr(msg), &route, &protocol));
	((struct rtmsg *)nlmsg_data(nlmsg_hdr(msg)))->rtm_dst_len = 8;
	cr_assert_not(routes_read_route(nlmsg_hdr(msg), &route, &protocol));
	nlmsg_hdr(msg)->nlmsg_type = RTM_NEWRULE;
	cr_assert_not(routes_read_route(nlmsg_hdr(msg), &route, &protocol));
	nlmsg_free(msg);
}

static struct nl_msg *rule_message(uint8_t action)
{
	struct fib_rule_hdr header = {.family = AF_INET, .table = RT_TABLE_COMPAT, .action = action};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWRULE, 0);
	nlmsg_append(msg, &header, sizeof(header), NLMSG_ALIGNTO);
	nla_put_u32(msg, FRA_PRIORITY, 10001);
	nla_put_u32(msg, FRA_TABLE, 1001);
	return msg;
}

Test(routes_read, a_rule_by_mark)
{
	struct plan_iprule rule;
	uint8_t protocol;
	struct nl_msg *msg = rule_message(FR_ACT_TO_TBL);
	nla_put_u32(msg, FRA_FWMARK, 0x01000000);
	nla_put_u32(msg, FRA_FWMASK, 0xff000000);
	nla_put_u32(msg, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX); // the kernel says so where there is none
	cr_assert(routes_read_iprule(nlmsg_hdr(msg), &rule, &protocol));
	cr_assert(protocol == 0 && rule.fam == FAM_4 && rule.priority == 10001 && rule.table == 1001);
	cr_assert(rule.mark == 0x01000000 && rule.mask == 0xff000000 && !rule.suppress_default);
	nlmsg_free(msg);
}

Test(routes_read, a_rule_for_all_without_the_default)
{
	struct plan_iprule rule;
	uint8_t protocol;
	struct nl_msg *msg = rule_message(FR_ACT_TO_TBL);
	nla_put_u32(msg, FRA_SUPPRESS_PREFIXLEN, 0);
	nla_put_u8(msg, FRA_PROTOCOL, PLAN_PROTOCOL);
	cr_assert(routes_read_iprule(nlmsg_hdr(msg), &rule, &protocol));
	cr_assert(protocol == PLAN_PROTOCOL && rule.suppress_default && !rule.mask);
	nlmsg_free(msg);
	msg = rule_message(FR_ACT_UNREACHABLE);
	cr_assert_not(routes_read_iprule(nlmsg_hdr(msg), &rule, &protocol));
	nlmsg_free(msg);
}
