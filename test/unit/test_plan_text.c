// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdio.h>

#include "gwd/base/buf.h"
#include "gwd/core/plan.h"
#include "gwd/core/plan_text.h"

static struct addr addr(const char *text)
{
	struct addr a;
	cr_assert(addr_parse(text, &a), "%s", text);
	return a;
}

static void add_route(struct plan *plan, enum fam fam, const char *via, const char *source)
{
	struct plan_route *route;
	vec_add(&plan->routes, route);
	*route = (struct plan_route){.fam = fam, .table = 1001, .metric = 1, .oif = 7, .ifname = "eth1"};
	if (via)
		route->via = addr(via);
	if (source)
		route->source = addr(source);
}

static void expect(struct plan *plan, const char *text)
{
	struct buf out = {0};
	plan_text_routes(plan, &out);
	cr_assert_str_eq(buf_text(&out), text);
	buf_free(&out);
	plan_free(plan);
}

Test(plan_text, an_empty_plan_is_no_text)
{
	struct plan plan = {0};
	expect(&plan, "");
}

Test(plan_text, routes_are_commands)
{
	struct plan plan = {0};
	add_route(&plan, FAM_4, "192.0.2.1", "192.0.2.7");
	add_route(&plan, FAM_4, NULL, NULL);
	add_route(&plan, FAM_4, "fe80::1", NULL);
	add_route(&plan, FAM_6, "fe80::1", NULL);
	add_route(&plan, FAM_6, NULL, NULL);
	plan.routes.v[4].table = 254;
	vec_push(&plan.routes, (struct plan_route){.fam = FAM_6,
						   .table = 1002,
						   .metric = PLAN_METRIC_LAST,
						   .type = PLAN_ROUTE_UNREACHABLE});
	expect(&plan,
	       "ip -4 route replace default via 192.0.2.1 dev eth1 onlink src 192.0.2.7 table 1001 "
	       "proto 200 metric 1\n"
	       "ip -4 route replace default dev eth1 scope link table 1001 proto 200 metric 1\n"
	       "ip -4 route replace default via inet6 fe80::1 dev eth1 onlink table 1001 proto 200 "
	       "metric 1\n"
	       "ip -6 route replace default via fe80::1 dev eth1 onlink table 1001 proto 200 metric 1\n"
	       "ip -6 route replace default dev eth1 table main proto 200 metric 1\n"
	       "ip -6 route replace unreachable default table 1002 proto 200 metric 4278198272\n");
}

Test(plan_text, rules_are_commands)
{
	struct plan plan = {0};
	vec_push(&plan.iprules,
		 (struct plan_iprule){.priority = 10000, .table = 254, .suppress_default = true});
	vec_push(&plan.iprules, (struct plan_iprule){.fam = FAM_6,
						     .priority = 10001,
						     .mark = 0x01000000,
						     .mask = 0xff000000,
						     .table = 1001});
	vec_push(&plan.iprules, (struct plan_iprule){.priority = 10002, .iif = "lan0", .skip_to = 10003});
	vec_push(&plan.iprules, (struct plan_iprule){.priority = 10003});
	expect(&plan, "ip -4 rule add priority 10000 lookup main suppress_prefixlength 0 protocol 200\n"
		      "ip -6 rule add priority 10001 fwmark 0x01000000/0xff000000 lookup 1001 protocol 200\n"
		      "ip -4 rule add priority 10002 iif lan0 goto 10003 protocol 200\n"
		      "ip -4 rule add priority 10003 nop protocol 200\n");
}

Test(plan_text, a_dot_in_an_interface_name_is_a_slash_for_sysctl)
{
	struct plan plan = {0};
	vec_push(&plan.sysctls, (struct plan_sysctl){.path = "net/ipv4/ip_forward", .value = "1"});
	vec_push(
		&plan.sysctls,
		(struct plan_sysctl){.path = "net/ipv6/conf/eth1.7/accept_ra", .value = "2", .only_if = "1"});
	expect(&plan, "sysctl -w net.ipv4.ip_forward=1\n"
		      "[ \"$(sysctl -n net.ipv6.conf.eth1/7.accept_ra)\" != 1 ] || "
		      "sysctl -w net.ipv6.conf.eth1/7.accept_ra=2\n");
}
