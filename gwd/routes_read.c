// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/routes_read.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

#include "gwd/core/plan.h"

static struct nla_policy read_route_policy[RTA_MAX + 1] = {
	[RTA_OIF] = {.type = NLA_U32},
	[RTA_PRIORITY] = {.type = NLA_U32},
	[RTA_TABLE] = {.type = NLA_U32},
	[RTA_VIA] = {.minlen = sizeof(struct rtvia)},
};

static struct nla_policy read_rule_policy[FRA_MAX + 1] = {
	[FRA_PRIORITY] = {.type = NLA_U32},
	[FRA_FWMARK] = {.type = NLA_U32},
	[FRA_FWMASK] = {.type = NLA_U32},
	[FRA_TABLE] = {.type = NLA_U32},
	[FRA_GOTO] = {.type = NLA_U32},
	[FRA_IIFNAME] = {.type = NLA_STRING},
	[FRA_SUPPRESS_PREFIXLEN] = {.type = NLA_U32},
	[FRA_PROTOCOL] = {.type = NLA_U8},
};

static uint32_t read_u32(struct nlattr *attr, uint32_t otherwise)
{
	return attr ? nla_get_u32(attr) : otherwise;
}

static struct addr read_addr(struct nlattr *attr, int af)
{
	struct addr sized = {.family = (uint8_t)af};
	if (!attr || nla_len(attr) != (int)addr_size(&sized))
		return (struct addr){0};
	return addr_from(af, nla_data(attr));
}

static struct addr read_gateway(struct nlattr **attrs, int af)
{
	const struct rtvia *via = attrs[RTA_VIA] ? nla_data(attrs[RTA_VIA]) : NULL;
	if (via && via->rtvia_family == AF_INET6 && nla_len(attrs[RTA_VIA]) == (int)sizeof(*via) + 16)
		return addr_from(AF_INET6, via->rtvia_addr);
	return read_addr(attrs[RTA_GATEWAY], af);
}

// A default route, what sends back to the next ip rule, or what goes nowhere.
static enum plan_route_type read_type(uint8_t type)
{
	switch (type) {
	case RTN_UNREACHABLE:
		return PLAN_ROUTE_UNREACHABLE;
	case RTN_BLACKHOLE:
		return PLAN_ROUTE_BLACKHOLE;
	case RTN_THROW:
		return PLAN_ROUTE_THROW;
	default:
		return PLAN_ROUTE_LEADS;
	}
}

static bool read_is_of_a_kind(const struct rtmsg *rtm)
{
	if (rtm->rtm_type == RTN_THROW || rtm->rtm_type == RTN_BLACKHOLE)
		return rtm->rtm_dst_len > 0;
	return rtm->rtm_type == RTN_UNREACHABLE || (!rtm->rtm_dst_len && rtm->rtm_type == RTN_UNICAST);
}

bool routes_read_route(const struct nlmsghdr *nlh, struct plan_route *out, uint8_t *protocol)
{
	struct nlattr *attrs[RTA_MAX + 1];
	const struct rtmsg *rtm = nlmsg_data(nlh);
	// libnl's parser wants to write nowhere, but its argument is not const
	if (nlh->nlmsg_type != RTM_NEWROUTE || nlmsg_parse((struct nlmsghdr *)(uintptr_t)nlh, sizeof(*rtm),
							   attrs, RTA_MAX, read_route_policy) < 0)
		return false;
	if (rtm->rtm_src_len || attrs[RTA_MULTIPATH] ||
	    (rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6) || !read_is_of_a_kind(rtm))
		return false;
	*protocol = rtm->rtm_protocol;
	*out = (struct plan_route){
		.fam = rtm->rtm_family == AF_INET ? FAM_4 : FAM_6,
		.table = read_u32(attrs[RTA_TABLE], rtm->rtm_table),
		.metric = read_u32(attrs[RTA_PRIORITY], 0),
		.type = read_type(rtm->rtm_type),
	};
	if (rtm->rtm_dst_len)
		out->to = (struct prefix){read_addr(attrs[RTA_DST], rtm->rtm_family), rtm->rtm_dst_len};
	if (out->to.len && (addr_is_none(&out->to.addr) || out->to.len > 8 * addr_size(&out->to.addr)))
		return false;
	if (out->type != PLAN_ROUTE_LEADS) // IPv6 shows "dev lo" for it
		return true;
	out->oif = read_u32(attrs[RTA_OIF], 0);
	out->via = read_gateway(attrs, rtm->rtm_family);
	out->source = read_addr(attrs[RTA_PREFSRC], rtm->rtm_family);
	return true;
}

bool routes_read_iprule(const struct nlmsghdr *nlh, struct plan_iprule *out, uint8_t *protocol)
{
	struct nlattr *attrs[FRA_MAX + 1];
	const struct fib_rule_hdr *rule = nlmsg_data(nlh);
	if (nlh->nlmsg_type != RTM_NEWRULE || nlmsg_parse((struct nlmsghdr *)(uintptr_t)nlh, sizeof(*rule),
							  attrs, FRA_MAX, read_rule_policy) < 0)
		return false;
	if ((rule->family != AF_INET && rule->family != AF_INET6) ||
	    (rule->action != FR_ACT_TO_TBL && rule->action != FR_ACT_GOTO && rule->action != FR_ACT_NOP))
		return false;
	*protocol = attrs[FRA_PROTOCOL] ? nla_get_u8(attrs[FRA_PROTOCOL]) : 0;
	*out = (struct plan_iprule){
		.fam = rule->family == AF_INET ? FAM_4 : FAM_6,
		.priority = read_u32(attrs[FRA_PRIORITY], 0),
		.mark = read_u32(attrs[FRA_FWMARK], 0),
		.mask = read_u32(attrs[FRA_FWMASK], 0),
		.suppress_default = read_u32(attrs[FRA_SUPPRESS_PREFIXLEN], UINT32_MAX) == 0,
		.skip_to = read_u32(attrs[FRA_GOTO], 0),
	};
	if (rule->action == FR_ACT_TO_TBL)
		out->table = read_u32(attrs[FRA_TABLE], rule->table);
	if (attrs[FRA_IIFNAME])
		snprintf(out->iif, sizeof(out->iif), "%s", nla_get_string(attrs[FRA_IIFNAME]));
	return true;
}
