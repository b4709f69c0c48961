// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <string.h>

#include "gwd/core/facts.h"
#include "gwd/netmon_parse.h"

static _Alignas(8) char buffer[4096];

static struct addr addr(const char *text)
{
	struct addr a;
	cr_assert(addr_parse(text, &a), "%s", text);
	return a;
}

static struct nlmsghdr *message(uint16_t type)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	nlh->nlmsg_type = type;
	return nlh;
}

static void put_addr(struct nlmsghdr *nlh, uint16_t type, const char *text)
{
	struct addr a = addr(text);
	mnl_attr_put(nlh, type, addr_size(&a), a.b);
}

static struct nlmsghdr *link_message(int index, const char *name, unsigned flags)
{
	struct nlmsghdr *nlh = message(RTM_NEWLINK);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(nlh, sizeof(*link));
	link->ifi_index = index;
	link->ifi_flags = flags;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return nlh;
}

static struct nlmsghdr *addr_message(int af, unsigned index, uint8_t len, uint8_t scope, uint32_t flags)
{
	struct nlmsghdr *nlh = message(RTM_NEWADDR);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = (uint8_t)af;
	ifa->ifa_index = index;
	ifa->ifa_prefixlen = len;
	ifa->ifa_scope = scope;
	mnl_attr_put_u32(nlh, IFA_FLAGS, flags);
	return nlh;
}

static struct rtmsg *route_message(int af)
{
	struct nlmsghdr *nlh = message(RTM_NEWROUTE);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(nlh, sizeof(*route));
	route->rtm_family = (uint8_t)af;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_DHCP;
	route->rtm_type = RTN_UNICAST;
	return route;
}

static struct nlmsghdr *the_message(void)
{
	return (struct nlmsghdr *)buffer;
}

Test(netmon_parse, links)
{
	struct facts facts = {0};
	netmon_parse_link(&facts, link_message(3, "eth0", IFF_UP | IFF_LOWER_UP));
	netmon_parse_link(&facts, link_message(4, "fifteen-letters", IFF_UP | IFF_POINTOPOINT));
	netmon_parse_link(&facts, link_message(5, "gre1", IFF_NOARP | IFF_LOWER_UP));
	cr_assert_eq(facts.ifaces.n, 3);
	const struct fact_iface *eth = facts_iface(&facts, "eth0");
	cr_assert(eth && eth->index == 3 && eth->up && eth->carrier && !eth->point_to_point);
	const struct fact_iface *ppp = facts_iface(&facts, "fifteen-letters");
	cr_assert(ppp && ppp->up && !ppp->carrier && ppp->point_to_point);
	const struct fact_iface *gre = facts_iface(&facts, "gre1");
	cr_assert(gre && !gre->up && gre->carrier && gre->point_to_point);
	facts_free(&facts);
}

Test(netmon_parse, ends_of_tunnels)
{
	static const uint8_t any[4], remote[4] = {10, 0, 0, 11};
	struct facts facts = {0};
	struct nlmsghdr *nlh = link_message(9, "gwd-854ff0ac", IFF_UP | IFF_NOARP);
	((struct ifinfomsg *)mnl_nlmsg_get_payload(nlh))->ifi_type = ARPHRD_TUNNEL;
	mnl_attr_put_u32(nlh, IFLA_MTU, 1480);
	mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(any), any);
	mnl_attr_put(nlh, IFLA_BROADCAST, sizeof(remote), remote);
	netmon_parse_link(&facts, nlh);
	nlh = link_message(10, "eth0", IFF_UP);
	mnl_attr_put(nlh, IFLA_ADDRESS, sizeof(remote),
		     remote); // of a link whose addresses are of four bytes
	netmon_parse_link(&facts, nlh);
	cr_assert_eq(facts.ifaces.n, 2);
	const struct fact_iface *tunnel = &facts.ifaces.v[0], *eth = &facts.ifaces.v[1];
	cr_expect_eq(tunnel->mtu, 1480);
	cr_expect(addr_is_none(&tunnel->tunnel_local) && !memcmp(tunnel->tunnel_remote.b, remote, 4));
	cr_expect(addr_is_none(&eth->tunnel_local) && addr_is_none(&eth->tunnel_remote));
	facts_free(&facts);
}

static struct fact_addr parse_addr(struct nlmsghdr *nlh)
{
	struct facts facts = {0};
	struct fact_iface *iface;
	vec_add(&facts.ifaces, iface);
	iface->index = 3;
	netmon_parse_addr(&facts, nlh);
	cr_assert_eq(iface->addrs.n, 1);
	struct fact_addr out = iface->addrs.v[0];
	facts_free(&facts);
	return out;
}

Test(netmon_parse, a_point_to_point_address_has_a_peer)
{
	struct addr local = addr("10.64.0.1"), peer = addr("10.64.0.2");
	struct nlmsghdr *nlh = addr_message(AF_INET, 3, 32, RT_SCOPE_UNIVERSE, IFA_F_PERMANENT);
	put_addr(nlh, IFA_ADDRESS, "10.64.0.2");
	put_addr(nlh, IFA_LOCAL, "10.64.0.1");
	struct fact_addr fact = parse_addr(nlh);
	cr_assert(addr_equal(&fact.addr, &local) && addr_equal(&fact.peer, &peer) && fact.usable);
	nlh = addr_message(AF_INET, 3, 24, RT_SCOPE_UNIVERSE, IFA_F_PERMANENT);
	put_addr(nlh, IFA_ADDRESS, "10.64.0.1");
	put_addr(nlh, IFA_LOCAL, "10.64.0.1");
	fact = parse_addr(nlh);
	cr_assert(addr_equal(&fact.addr, &local) && addr_is_none(&fact.peer) && fact.len == 24);
}

Test(netmon_parse, which_addresses_are_usable)
{
	static const struct {
		uint8_t scope;
		uint32_t flags;
		bool usable;
	} cases[] = {
		{RT_SCOPE_UNIVERSE, 0, true},
		{RT_SCOPE_UNIVERSE, IFA_F_PERMANENT | IFA_F_NOPREFIXROUTE, true},
		{RT_SCOPE_UNIVERSE, IFA_F_TENTATIVE, false},
		{RT_SCOPE_UNIVERSE, IFA_F_TENTATIVE | IFA_F_OPTIMISTIC, true},
		{RT_SCOPE_UNIVERSE, IFA_F_DEPRECATED, false},
		{RT_SCOPE_UNIVERSE, IFA_F_DADFAILED, false},
		{RT_SCOPE_LINK, 0, false},
		{RT_SCOPE_HOST, 0, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nlmsghdr *nlh = addr_message(AF_INET6, 3, 64, cases[i].scope, cases[i].flags);
		put_addr(nlh, IFA_ADDRESS, "2001:db8::1");
		cr_assert_eq(parse_addr(nlh).usable, cases[i].usable, "case %zu", i);
	}
}

Test(netmon_parse, an_address_of_an_unknown_interface_is_left_out)
{
	struct facts facts = {0};
	struct nlmsghdr *nlh = addr_message(AF_INET, 9, 24, RT_SCOPE_UNIVERSE, 0);
	put_addr(nlh, IFA_LOCAL, "10.0.0.1");
	netmon_parse_addr(&facts, nlh);
	cr_assert_eq(facts.ifaces.n, 0);
}

Test(netmon_parse, a_default_route)
{
	struct facts facts = {0};
	struct addr via = addr("fe80::1"), source = addr("2001:db8::2");
	route_message(AF_INET6)->rtm_protocol = RTPROT_RA;
	put_addr(the_message(), RTA_GATEWAY, "fe80::1");
	put_addr(the_message(), RTA_PREFSRC, "2001:db8::2");
	mnl_attr_put_u32(the_message(), RTA_OIF, 3);
	mnl_attr_put_u32(the_message(), RTA_PRIORITY, 1024);
	netmon_parse_route(&facts, the_message());
	cr_assert_eq(facts.defaults.n, 1);
	const struct fact_route *route = facts.defaults.v;
	cr_assert(route->fam == FAM_6 && route->oif == 3 && route->metric == 1024);
	cr_assert(addr_equal(&route->via, &via) && addr_equal(&route->source, &source));
	facts_free(&facts);
}

Test(netmon_parse, an_ipv4_route_may_have_an_ipv6_next_hop)
{
	struct facts facts = {0};
	struct addr via = addr("fe80::1");
	uint8_t rtvia[18] = {0};
	uint16_t family = AF_INET6;
	memcpy(rtvia, &family, 2);
	memcpy(rtvia + 2, via.b, 16);
	route_message(AF_INET);
	mnl_attr_put(the_message(), RTA_VIA, sizeof(rtvia), rtvia);
	mnl_attr_put_u32(the_message(), RTA_OIF, 3);
	netmon_parse_route(&facts, the_message());
	cr_assert(facts.defaults.n == 1 && facts.defaults.v[0].fam == FAM_4);
	cr_assert(addr_equal(&facts.defaults.v[0].via, &via));
	facts_free(&facts);
}

static void put_leg(struct nlmsghdr *nlh, int index, const char *via)
{
	char *at = mnl_nlmsg_get_payload_tail(nlh);
	struct addr a = addr(via);
	struct rtnexthop leg = {.rtnh_len = sizeof(leg) + 8, .rtnh_ifindex = index};
	struct nlattr attr = {.nla_len = 8, .nla_type = RTA_GATEWAY};
	memcpy(at, &leg, sizeof(leg));
	memcpy(at + sizeof(leg), &attr, sizeof(attr));
	memcpy(at + sizeof(leg) + sizeof(attr), a.b, 4);
	nlh->nlmsg_len += leg.rtnh_len;
}

Test(netmon_parse, a_multipath_route_is_one_fact_for_each_leg)
{
	struct facts facts = {0};
	struct addr second = addr("192.0.2.9");
	route_message(AF_INET);
	mnl_attr_put_u32(the_message(), RTA_PRIORITY, 7);
	struct nlattr *nest = mnl_attr_nest_start(the_message(), RTA_MULTIPATH);
	put_leg(the_message(), 3, "192.0.2.1");
	put_leg(the_message(), 4, "192.0.2.9");
	mnl_attr_nest_end(the_message(), nest);
	netmon_parse_route(&facts, the_message());
	cr_assert_eq(facts.defaults.n, 2);
	cr_assert(facts.defaults.v[0].oif == 3 && facts.defaults.v[1].oif == 4);
	cr_assert(addr_equal(&facts.defaults.v[1].via, &second) && facts.defaults.v[1].metric == 7);
	facts_free(&facts);
}

Test(netmon_parse, an_address_of_ours_is_known_by_its_interface)
{
	struct facts facts = {0};
	struct rtmsg *route = route_message(AF_INET);
	route->rtm_table = RT_TABLE_LOCAL;
	route->rtm_type = RTN_LOCAL;
	route->rtm_dst_len = 32;
	put_addr(the_message(), RTA_DST, "192.0.2.7");
	mnl_attr_put_u32(the_message(), RTA_OIF, 3);
	netmon_parse_route(&facts, the_message());
	cr_assert_eq(facts.nets.n, 1);
	cr_assert(facts.nets.v[0].local && facts.nets.v[0].oif == 3 && facts.nets.v[0].to.len == 32);
	facts_free(&facts);
}

static struct rtmsg *plain_route(void)
{
	struct rtmsg *route = route_message(AF_INET);
	mnl_attr_put_u32(the_message(), RTA_OIF, 3);
	return route;
}

static size_t n_facts(void)
{
	struct facts facts = {0};
	netmon_parse_route(&facts, the_message());
	size_t n = facts.defaults.n;
	facts_free(&facts);
	return n;
}

Test(netmon_parse, what_is_no_fact)
{
	plain_route();
	cr_assert_eq(n_facts(), 1);
	plain_route()->rtm_dst_len = 8;
	cr_assert_eq(n_facts(), 0);
	plain_route()->rtm_protocol = 200; // ours
	cr_assert_eq(n_facts(), 0);
	plain_route()->rtm_table = 100;
	cr_assert_eq(n_facts(), 0);
	plain_route()->rtm_type = RTN_UNREACHABLE;
	cr_assert_eq(n_facts(), 0);
	plain_route()->rtm_flags = RTM_F_CLONED;
	cr_assert_eq(n_facts(), 0);
	plain_route()->rtm_family = AF_MPLS;
	cr_assert_eq(n_facts(), 0);
}

// The first prefix that the message tells of, as text; "none".
static const char *prefix_of(void)
{
	static char text[PREFIX_TEXT];
	struct facts facts = {0};
	netmon_parse_route(&facts, the_message());
	cr_assert(facts.prefixes.n <= 1 && !facts.defaults.n);
	snprintf(text, sizeof(text), "none");
	if (facts.prefixes.n)
		prefix_text(&facts.prefixes.v[0].prefix, text);
	facts_free(&facts);
	return text;
}

static struct rtmsg *route_behind(uint8_t type)
{
	struct rtmsg *route = route_message(AF_INET6);
	route->rtm_type = type;
	route->rtm_dst_len = 56;
	put_addr(the_message(), RTA_DST, "2001:db8:1:8000::");
	return route;
}

Test(netmon_parse, signs_of_a_delegated_prefix)
{
	static const uint8_t types[] = {RTN_UNREACHABLE, RTN_BLACKHOLE, RTN_PROHIBIT};
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		route_behind(types[i]);
		cr_expect_str_eq(prefix_of(), "2001:db8:1:8000::/56");
	}
	route_behind(RTN_UNREACHABLE)->rtm_protocol = 200; // ours
	cr_expect_str_eq(prefix_of(), "none");
	route_behind(RTN_UNREACHABLE)->rtm_dst_len = 65;
	cr_expect_str_eq(prefix_of(), "none");
	route_behind(RTN_UNICAST);
	cr_expect_str_eq(prefix_of(), "none");
	struct rtmsg *route = route_message(AF_INET6);
	route->rtm_src_len = 60;
	put_addr(the_message(), RTA_SRC, "2001:db8:2::");
	cr_expect_str_eq(prefix_of(), "none", "over which link?");
	mnl_attr_put_u32(the_message(), RTA_OIF, 7);
	cr_expect_str_eq(prefix_of(), "2001:db8:2::/60");
}

Test(netmon_parse, counters)
{
	struct facts facts = {0};
	struct rtnl_link_stats64 stats = {.rx_bytes = 1ull << 40, .tx_bytes = 77};
	struct nlmsghdr *nlh = message(RTM_NEWSTATS);
	struct if_stats_msg *header = mnl_nlmsg_put_extra_header(nlh, sizeof(*header));
	header->ifindex = 5;
	mnl_attr_put(nlh, IFLA_STATS_LINK_64, sizeof(stats), &stats);
	netmon_parse_stats(&facts, nlh);
	cr_assert(facts.ifaces.n == 1 && facts.ifaces.v[0].index == 5);
	cr_assert(facts.ifaces.v[0].rx_bytes == 1ull << 40 && facts.ifaces.v[0].tx_bytes == 77);
	facts_free(&facts);
}

Test(netmon_parse, neighbours)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
	struct fact_neigh fact;
	uint16_t state;
	struct nlmsghdr *nlh = message(RTM_NEWNEIGH);
	struct ndmsg *neigh = mnl_nlmsg_put_extra_header(nlh, sizeof(*neigh));
	neigh->ndm_family = AF_INET;
	neigh->ndm_ifindex = 3;
	neigh->ndm_state = NUD_STALE;
	cr_assert_not(netmon_parse_neigh(&fact, &state, nlh)); // of whom?
	put_addr(nlh, NDA_DST, "192.0.2.1");
	cr_assert(netmon_parse_neigh(&fact, &state, nlh));
	cr_assert(state == NUD_STALE && fact.index == 3 && !fact.mac[0]);
	mnl_attr_put(nlh, NDA_LLADDR, sizeof(mac), mac);
	cr_assert(netmon_parse_neigh(&fact, &state, nlh));
	cr_assert_arr_eq(fact.mac, mac, sizeof(mac));
}

Test(netmon_parse, who_made_a_rule)
{
	struct nlmsghdr *nlh = message(RTM_DELRULE);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct fib_rule_hdr));
	cr_assert_eq(netmon_parse_rule_protocol(nlh), 0);
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, 200);
	cr_assert_eq(netmon_parse_rule_protocol(nlh), 200);
}

static void parse_everything(const struct nlmsghdr *nlh)
{
	struct facts facts = {0};
	struct fact_neigh neigh;
	uint16_t state;
	netmon_parse_link(&facts, nlh);
	netmon_parse_addr(&facts, nlh);
	netmon_parse_route(&facts, nlh);
	netmon_parse_stats(&facts, nlh);
	netmon_parse_neigh(&neigh, &state, nlh);
	netmon_parse_rule_protocol(nlh);
	facts_free(&facts);
}

// Every message cut at every length, and with every byte broken: the sanitizers watch.
Test(netmon_parse, broken_messages_do_no_harm)
{
	route_message(AF_INET);
	struct nlattr *nest = mnl_attr_nest_start(the_message(), RTA_MULTIPATH);
	put_leg(the_message(), 3, "192.0.2.1");
	put_leg(the_message(), 4, "192.0.2.9");
	mnl_attr_nest_end(the_message(), nest);
	static const uint16_t types[] = {RTM_NEWLINK,  RTM_NEWADDR,  RTM_NEWROUTE,
					 RTM_NEWSTATS, RTM_NEWNEIGH, RTM_NEWRULE};
	uint32_t size = the_message()->nlmsg_len;
	for (size_t t = 0; t < ARRAY_SIZE(types); t++) {
		for (uint32_t cut = sizeof(struct nlmsghdr); cut <= size; cut++) {
			char *copy = malloc(cut); // so that a byte too far is seen
			memcpy(copy, buffer, cut);
			struct nlmsghdr *nlh = (struct nlmsghdr *)copy;
			nlh->nlmsg_len = cut;
			nlh->nlmsg_type = types[t];
			parse_everything(nlh);
			for (unsigned i = sizeof(*nlh); i < cut; i++) {
				char was = copy[i];
				copy[i] = (char)(i * 37 + cut);
				parse_everything(nlh);
				copy[i] = was;
			}
			free(copy);
		}
	}
}
