// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/netmon_parse.h"

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <string.h>

#include "gwd/core/delegated.h"
#include "gwd/core/facts.h"
#include "gwd/core/plan.h"

#define PARSE_ATTRS 64 // attributes beyond this are of no interest to us

struct parse {
	const void *header; // the family's header, or NULL when it is not this message
	const struct nlattr *attr[PARSE_ATTRS];
};

static void parse_attrs(struct parse *parse, const void *attrs, size_t size)
{
	const struct nlattr *attr = attrs;
	int left = (int)size;
	while (mnl_attr_ok(attr, left)) {
		if (mnl_attr_get_type(attr) < PARSE_ATTRS)
			parse->attr[mnl_attr_get_type(attr)] = attr;
		left -= (int)MNL_ALIGN(attr->nla_len);
		attr = mnl_attr_next(attr);
	}
}

static struct parse parse_message(const struct nlmsghdr *nlh, uint16_t type, size_t header_size)
{
	struct parse parse = {0};
	size_t size = mnl_nlmsg_get_payload_len(nlh), skip = MNL_ALIGN(header_size);
	if (nlh->nlmsg_type != type || size < header_size)
		return parse;
	parse.header = mnl_nlmsg_get_payload(nlh);
	if (size > skip)
		parse_attrs(&parse, mnl_nlmsg_get_payload_offset(nlh, header_size), size - skip);
	return parse;
}

static uint32_t parse_u32(const struct parse *parse, unsigned type, uint32_t otherwise)
{
	const struct nlattr *attr = parse->attr[type];
	return attr && mnl_attr_get_payload_len(attr) >= sizeof(uint32_t) ? mnl_attr_get_u32(attr)
									  : otherwise;
}

static uint8_t parse_u8(const struct parse *parse, unsigned type)
{
	const struct nlattr *attr = parse->attr[type];
	return attr && mnl_attr_get_payload_len(attr) >= sizeof(uint8_t) ? mnl_attr_get_u8(attr) : 0;
}

// The address in that attribute, or none.
static struct addr parse_addr(const struct parse *parse, unsigned type, int af)
{
	const struct nlattr *attr = parse->attr[type];
	unsigned size = af == AF_INET ? 4 : af == AF_INET6 ? 16 : 0;
	if (!attr || !size || mnl_attr_get_payload_len(attr) != size)
		return (struct addr){0};
	return addr_from(af, mnl_attr_get_payload(attr));
}

// An end of a tunnel; all zeros say "any".
static struct addr parse_end(const struct parse *parse, unsigned type, int af)
{
	static const uint8_t zeros[16];
	struct addr addr = parse_addr(parse, type, af);
	return memcmp(addr.b, zeros, sizeof(zeros)) != 0 ? addr : (struct addr){0};
}

void netmon_parse_link(struct facts *out, const struct nlmsghdr *nlh)
{
	struct parse parse = parse_message(nlh, RTM_NEWLINK, sizeof(struct ifinfomsg));
	const struct ifinfomsg *link = parse.header;
	const struct nlattr *name = parse.attr[IFLA_IFNAME];
	struct fact_iface *iface;
	if (!link || link->ifi_family != AF_UNSPEC || !name)
		return;
	vec_add(&out->ifaces, iface);
	iface->index = (uint32_t)link->ifi_index;
	size_t room = mnl_attr_get_payload_len(name);
	room = room < sizeof(iface->name) ? room : sizeof(iface->name) - 1;
	memcpy(iface->name, mnl_attr_get_payload(name), strnlen(mnl_attr_get_payload(name), room));
	iface->up = link->ifi_flags & IFF_UP;
	iface->carrier = link->ifi_flags & IFF_LOWER_UP;
	iface->point_to_point = link->ifi_flags & (IFF_POINTOPOINT | IFF_NOARP);
	iface->mtu = parse_u32(&parse, IFLA_MTU, 0);
	if (link->ifi_type == ARPHRD_TUNNEL || link->ifi_type == ARPHRD_TUNNEL6) {
		int af = link->ifi_type == ARPHRD_TUNNEL ? AF_INET : AF_INET6;
		iface->tunnel_local = parse_end(&parse, IFLA_ADDRESS, af);
		iface->tunnel_remote = parse_end(&parse, IFLA_BROADCAST, af);
	}
}

static bool parse_is_usable(uint32_t flags, uint8_t scope)
{
	if (flags & IFA_F_TENTATIVE && !(flags & IFA_F_OPTIMISTIC))
		return false;
	return scope < RT_SCOPE_LINK && !(flags & (IFA_F_DEPRECATED | IFA_F_DADFAILED));
}

void netmon_parse_addr(struct facts *out, const struct nlmsghdr *nlh)
{
	struct parse parse = parse_message(nlh, RTM_NEWADDR, sizeof(struct ifaddrmsg));
	const struct ifaddrmsg *ifa = parse.header;
	if (!ifa)
		return;
	struct addr local = parse_addr(&parse, IFA_LOCAL, ifa->ifa_family);
	struct addr other = parse_addr(&parse, IFA_ADDRESS, ifa->ifa_family);
	if (addr_is_none(&local)) // IPv6 names it only where there is a peer
		local = other;
	struct fact_addr fact = {.addr = local, .len = ifa->ifa_prefixlen};
	if (!addr_equal(&other, &local))
		fact.peer = other;
	fact.usable = parse_is_usable(parse_u32(&parse, IFA_FLAGS, ifa->ifa_flags), ifa->ifa_scope);
	fact.ours = parse_u8(&parse, IFA_PROTO) == PLAN_PROTOCOL;
	vec_each(&out->ifaces, iface)
		if (iface->index == ifa->ifa_index && !addr_is_none(&local))
			vec_push(&iface->addrs, fact);
}

// The next hop of a route, or of one leg of it: RTA_VIA carries one of the other family.
static struct addr parse_gateway(const struct parse *parse, int af)
{
	const struct nlattr *via = parse->attr[RTA_VIA];
	if (via && mnl_attr_get_payload_len(via) == sizeof(struct rtvia) + 16) {
		const struct rtvia *rtvia = mnl_attr_get_payload(via);
		if (rtvia->rtvia_family == AF_INET6)
			return addr_from(AF_INET6, rtvia->rtvia_addr);
	}
	return parse_addr(parse, RTA_GATEWAY, af);
}

static void parse_legs(struct facts *out, const struct nlattr *multipath, struct fact_route fact)
{
	const char *at = mnl_attr_get_payload(multipath);
	size_t left = mnl_attr_get_payload_len(multipath);
	while (left >= sizeof(struct rtnexthop)) {
		const struct rtnexthop *leg = (const void *)at;
		size_t size = leg->rtnh_len, aligned = RTNH_ALIGN(size);
		struct parse parse = {0};
		if (size < sizeof(*leg) || size > left)
			return;
		parse_attrs(&parse, at + sizeof(*leg), size - sizeof(*leg));
		fact.oif = (uint32_t)leg->rtnh_ifindex;
		fact.via = parse_gateway(&parse, fam_af(fact.fam));
		vec_push(&out->defaults, fact);
		at += aligned;
		left -= aligned < left ? aligned : left;
	}
}

static bool parse_is_ours_to_see(const struct rtmsg *route)
{
	return route->rtm_table == RT_TABLE_MAIN && route->rtm_protocol != PLAN_PROTOCOL &&
	       !(route->rtm_flags & RTM_F_CLONED);
}

// Behind a prefix that somebody has handed out; or the default route for its sources alone.
static bool parse_is_delegated(const struct rtmsg *route)
{
	bool behind =
		!route->rtm_src_len && (route->rtm_type == RTN_UNREACHABLE ||
					route->rtm_type == RTN_BLACKHOLE || route->rtm_type == RTN_PROHIBIT);
	bool alone = !route->rtm_dst_len && route->rtm_type == RTN_UNICAST;
	unsigned len = behind ? route->rtm_dst_len : alone ? route->rtm_src_len : 0;
	return route->rtm_family == AF_INET6 && parse_is_ours_to_see(route) && len >= DELEGATED_LEN_MIN &&
	       len <= DELEGATED_LEN_MAX;
}

static void parse_delegated(struct facts *out, const struct parse *parse)
{
	const struct rtmsg *route = parse->header;
	bool alone = route->rtm_src_len;
	struct fact_prefix fact = {
		.prefix = {.addr = parse_addr(parse, alone ? RTA_SRC : RTA_DST, AF_INET6),
			   .len = alone ? route->rtm_src_len : route->rtm_dst_len},
		.oif = alone ? parse_u32(parse, RTA_OIF, 0) : 0,
	};
	if (addr_is_none(&fact.prefix.addr) || (alone && !fact.oif))
		return;
	addr_mask(&fact.prefix.addr, fact.prefix.len);
	vec_push(&out->prefixes, fact);
}

static bool parse_is_default(const struct rtmsg *route)
{
	return route->rtm_dst_len == 0 && route->rtm_src_len == 0 && route->rtm_type == RTN_UNICAST &&
	       parse_is_ours_to_see(route) && (route->rtm_family == AF_INET || route->rtm_family == AF_INET6);
}

static void parse_default(struct facts *out, const struct parse *from)
{
	const struct parse parse = *from;
	const struct rtmsg *route = parse.header;
	struct fact_route fact = {
		.fam = route->rtm_family == AF_INET ? FAM_4 : FAM_6,
		.oif = parse_u32(&parse, RTA_OIF, 0),
		.via = parse_gateway(&parse, route->rtm_family),
		.source = parse_addr(&parse, RTA_PREFSRC, route->rtm_family),
		.metric = parse_u32(&parse, RTA_PRIORITY, 0),
	};
	if (parse.attr[RTA_MULTIPATH])
		parse_legs(out, parse.attr[RTA_MULTIPATH], fact);
	else if (fact.oif)
		vec_push(&out->defaults, fact);
}

static bool parse_is_net(const struct rtmsg *route)
{
	bool local = route->rtm_table == RT_TABLE_LOCAL, main = route->rtm_table == RT_TABLE_MAIN;
	bool refused = route->rtm_type == RTN_BLACKHOLE || route->rtm_type == RTN_UNREACHABLE ||
		       route->rtm_type == RTN_PROHIBIT;
	if (route->rtm_src_len || route->rtm_tos || route->rtm_flags & RTM_F_CLONED ||
	    route->rtm_protocol == PLAN_PROTOCOL)
		return false;
	if (main && refused)
		return route->rtm_dst_len > 0; // no default is the same as one that refuses
	return local || (main && route->rtm_type == RTN_UNICAST);
}

static uint32_t parse_oif(const struct parse *parse)
{
	const struct nlattr *legs = parse->attr[RTA_MULTIPATH];
	const struct rtnexthop *first = legs ? mnl_attr_get_payload(legs) : NULL;
	if (first && mnl_attr_get_payload_len(legs) >= sizeof(*first))
		return (uint32_t)first->rtnh_ifindex;
	return parse_u32(parse, RTA_OIF, 0);
}

static void parse_net(struct facts *out, const struct parse *parse)
{
	const struct rtmsg *route = parse->header;
	int af = route->rtm_family;
	struct addr to = parse_addr(parse, RTA_DST, af);
	if (addr_is_none(&to)) {
		if (route->rtm_dst_len)
			return;
		to = addr_from(af, (const uint8_t[16]){0});
	}
	if (route->rtm_dst_len > addr_size(&to) * 8)
		return;
	addr_mask(&to, route->rtm_dst_len);
	bool leads = route->rtm_type == RTN_UNICAST || route->rtm_type == RTN_LOCAL;
	vec_push(&out->nets, (struct fact_net){
				     .to = {.addr = to, .len = route->rtm_dst_len},
				     .metric = parse_u32(parse, RTA_PRIORITY, 0),
				     .oif = leads ? parse_oif(parse) : 0,
				     .local = route->rtm_table == RT_TABLE_LOCAL,
			     });
}

void netmon_parse_route(struct facts *out, const struct nlmsghdr *nlh)
{
	// before the attributes are looked at: there may be a million
	const struct rtmsg *route = mnl_nlmsg_get_payload(nlh);
	if (nlh->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*route) ||
	    (route->rtm_family != AF_INET && route->rtm_family != AF_INET6))
		return;
	bool is_default = parse_is_default(route), is_net = parse_is_net(route),
	     is_delegated = parse_is_delegated(route);
	if (is_net && out->nets.n >= FACTS_NETS_MAX) {
		out->nets_many = true;
		is_net = false;
	}
	if (!is_default && !is_net && !is_delegated)
		return;
	struct parse parse = parse_message(nlh, RTM_NEWROUTE, sizeof(*route));
	if (is_default)
		parse_default(out, &parse);
	if (is_net)
		parse_net(out, &parse);
	if (is_delegated)
		parse_delegated(out, &parse);
}

void netmon_parse_stats(struct facts *out, const struct nlmsghdr *nlh)
{
	struct parse parse = parse_message(nlh, RTM_NEWSTATS, sizeof(struct if_stats_msg));
	const struct if_stats_msg *header = parse.header;
	const struct nlattr *attr = parse.attr[IFLA_STATS_LINK_64];
	struct rtnl_link_stats64 stats = {0};
	struct fact_iface *iface;
	if (!header || !attr || mnl_attr_get_payload_len(attr) < 4 * sizeof(uint64_t))
		return;
	memcpy(&stats, mnl_attr_get_payload(attr), 4 * sizeof(uint64_t)); // it is aligned to 4 only
	vec_add(&out->ifaces, iface);
	iface->index = header->ifindex;
	iface->rx_bytes = stats.rx_bytes;
	iface->tx_bytes = stats.tx_bytes;
}

bool netmon_parse_neigh(struct fact_neigh *out, uint16_t *state, const struct nlmsghdr *nlh)
{
	struct parse parse = parse_message(nlh, RTM_NEWNEIGH, sizeof(struct ndmsg));
	const struct ndmsg *neigh = parse.header;
	if (!neigh)
		return false;
	const struct nlattr *mac = parse.attr[NDA_LLADDR];
	*out = (struct fact_neigh){
		.index = (uint32_t)neigh->ndm_ifindex,
		.addr = parse_addr(&parse, NDA_DST, neigh->ndm_family),
	};
	if (mac && mnl_attr_get_payload_len(mac) == sizeof(out->mac))
		memcpy(out->mac, mnl_attr_get_payload(mac), sizeof(out->mac));
	*state = neigh->ndm_state;
	return !addr_is_none(&out->addr);
}

// The kernel's own three: local, main, default.
static bool parse_is_first_rule(uint32_t priority, uint32_t table)
{
	return (priority == 0 && table == RT_TABLE_LOCAL) || (priority == 32766 && table == RT_TABLE_MAIN) ||
	       (priority == 32767 && table == RT_TABLE_DEFAULT);
}

void netmon_parse_rule(struct facts *out, const struct nlmsghdr *nlh)
{
	struct parse parse = parse_message(nlh, RTM_NEWRULE, sizeof(struct fib_rule_hdr));
	const struct fib_rule_hdr *rule = parse.header;
	if (!rule || (rule->family != AF_INET && rule->family != AF_INET6) ||
	    netmon_parse_rule_protocol(nlh) == PLAN_PROTOCOL)
		return;
	if (!parse_is_first_rule(parse_u32(&parse, FRA_PRIORITY, 0),
				 parse_u32(&parse, FRA_TABLE, rule->table)))
		out->policy_routed = true;
}

uint8_t netmon_parse_rule_protocol(const struct nlmsghdr *nlh)
{
	struct parse parse = parse_message(nlh, nlh->nlmsg_type, sizeof(struct fib_rule_hdr));
	const struct nlattr *protocol = parse.attr[FRA_PROTOCOL];
	return protocol && mnl_attr_get_payload_len(protocol) >= 1 ? mnl_attr_get_u8(protocol) : 0;
}
