// SPDX-License-Identifier: GPL-2.0-or-later
// Which flows go to which balance: every selector, both families, first match, strict and bypass.
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "test/net/net.h"

static const int weights[] = {1, 1, 1};

// Rules lead to gateway g3; everything else goes to g1 (the guard's link).
static struct net *start(const char *rules)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	char *gateways = net_gateways(net->lab, 3, weights, false);
	net_configure(net, "%s balance default { gateways = g1 } balance third { gateways = g3 }\n%s",
		      gateways, rules);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 1);
	return net;
}

static int tcp(struct net *net, struct lab_flow flow)
{
	flow.from = flow.from ? flow.from : lab_host(net->lab, 1);
	return lab_connect(net->lab, &flow).isp;
}

static int udp(struct net *net, struct lab_flow flow)
{
	flow.from = lab_host(net->lab, 1);
	return lab_ask(net->lab, &flow).isp;
}

Test(rules, from)
{
	struct net *net = start("rule r { from = { 10.1.0.0/16, \"fd00:10:1::/48\" } balance = third }");
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "198.51.100.1", .source = "10.1.0.9"}), 3);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "198.51.100.1"}), 1);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "2001:db8:aaaa::1", .source = "fd00:10:1:1::1"}), 3);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "2001:db8:aaaa::1"}), 1);
	net_finish(net);
}

Test(rules, to)
{
	struct net *net = start(
		"rule r { to = { 203.0.113.0/24, 198.51.100.3, \"2001:db8:bbbb::/48\" } gateway = g3 }");
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "203.0.113.2"}), 3);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "198.51.100.3"}), 3);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "198.51.100.2"}), 1);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "2001:db8:bbbb::1"}), 3);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "2001:db8:aaaa::1"}), 1);
	net_finish(net);
}

Test(rules, from_and_to_together)
{
	struct net *net = start("rule r { from = 10.1.0.0/16 to = 203.0.113.0/24 balance = third }");
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "203.0.113.2", .source = "10.1.0.9"}), 3);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "203.0.113.2"}), 1);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "198.51.100.1", .source = "10.1.0.9"}), 1);
	net_finish(net);
}

Test(rules, protocol_and_ports)
{
	struct net *net =
		start("rule voip { protocol = udp ports = { 5060, \"7000-8000\" } balance = third }\n"
		      "rule web  { ports = 443 balance = third }\n"
		      "rule ping { protocol = { icmp, ipv6-icmp } balance = third }");
	cr_assert_eq(udp(net, (struct lab_flow){.to = "198.51.100.1", .port = 5060}), 3);
	cr_assert_eq(udp(net, (struct lab_flow){.to = "198.51.100.1", .port = 7000}), 3);
	cr_assert_eq(udp(net, (struct lab_flow){.to = "198.51.100.1", .port = 9000}), 1);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "198.51.100.1", .port = 5060}), 1);
	cr_assert_eq(udp(net, (struct lab_flow){.to = "2001:db8:aaaa::1", .port = 5060}), 3);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "198.51.100.1", .port = 443}), 3);
	cr_assert_eq(udp(net, (struct lab_flow){.to = "198.51.100.1", .port = 443}), 3);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "198.51.100.1", .port = 80}), 1);
	uint64_t before = lab_isp_counts(net->lab, 3, AF_INET).icmp_packets;
	cr_assert_eq(
		lab_ping(net->lab, &(struct lab_flow){.from = lab_host(net->lab, 1), .to = "203.0.113.1"}, 5)
			.lost,
		0);
	cr_assert_geq(lab_isp_counts(net->lab, 3, AF_INET).icmp_packets - before, 5);
	net_finish(net);
}

Test(rules, source_ports_and_dscp)
{
	struct net *net = start("rule src { protocol = tcp sports = \"40000-40010\" balance = third }\n"
				"rule ef  { dscp = { ef, 10 } balance = third }");
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "198.51.100.1", .source_port = 40005}), 3);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "198.51.100.1", .source_port = 40011}), 1);
	cr_assert_eq(udp(net, (struct lab_flow){.to = "198.51.100.1", .dscp = 46}), 3);
	cr_assert_eq(udp(net, (struct lab_flow){.to = "198.51.100.1", .dscp = 10}), 3);
	cr_assert_eq(udp(net, (struct lab_flow){.to = "198.51.100.1", .dscp = 12}), 1);
	cr_assert_eq(udp(net, (struct lab_flow){.to = "2001:db8:aaaa::1", .dscp = 46}), 3);
	net_finish(net);
}

Test(rules, interface_and_mark)
{
	struct net *net = start("rule seg { interface = \"lan0\" to = 203.0.113.1 balance = third }\n"
				"rule not { interface = \"lan7*\" to = 203.0.113.2 balance = third }\n"
				"rule mrk { mark = 0x10/0xff balance = third }");
	lab_nft_load(lab_router(net->lab),
		     "table inet qos { chain c { type filter hook prerouting priority raw; "
		     "ip daddr 203.0.113.3 meta mark set 0x10\n }\n }");
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "203.0.113.1"}), 3);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "203.0.113.2"}), 1);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "203.0.113.3"}), 3);
	net_finish(net);
}

Test(rules, the_first_match_in_the_file_wins)
{
	struct net *net = start("rule a { to = 203.0.113.1 gateway = g2 }\n"
				"rule b { to = 203.0.113.0/24 balance = third }");
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "203.0.113.1"}), 2);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "203.0.113.2"}), 3);
	net_finish(net);
}

Test(rules, a_gateway_that_is_down_is_replaced_but_not_under_strict)
{
	struct net *net = start("rule loose  { to = 203.0.113.1 gateway = g3 }\n"
				"rule strict { to = 203.0.113.2 gateway = g3 strict = yes }");
	struct lab_flow strict = {.from = lab_host(net->lab, 1), .to = "203.0.113.2"};
	cr_assert_eq(tcp(net, strict), 3);
	lab_fault_blackhole(net->lab, 3);
	net_wait_state(net, "g3", "down", 5000);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "203.0.113.1"}), 1);
	cr_assert_eq(lab_connect(net->lab, &strict).outcome, LAB_REFUSED);
	cr_assert_eq(lab_ask(net->lab, &strict).outcome, LAB_UNREACHABLE);
	lab_fault_repair(net->lab, 3);
	net_wait_state(net, "g3", "up", 10000);
	cr_assert_eq(tcp(net, strict), 3);
	net_finish(net);
}

Test(rules, bypass_leaves_the_flow_to_the_main_table_and_still_translates_it)
{
	struct net *net = start("rule vpn { to = 203.0.113.1 bypass = yes }");
	lab_do(lab_router(net->lab), "ip route add 203.0.113.0/24 via %s",
	       lab_wan_nexthop(net->lab, 2, AF_INET));
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "203.0.113.1"}), 2);
	net_finish(net);
}

// Hundreds of rules are found by a map; the first that matches in file order is still the one.
Test(rules, hundreds_of_them)
{
	struct buf rules = {0};
	for (int i = 0; i < 300; i++)
		buf_printf(&rules, "rule f%d { to = { 20.%d.%d.0/24, 2001:db9:%x::/48 } gateway = g2 }\n", i,
			   i / 256, i % 256, i);
	buf_puts(&rules, "rule a { to = 198.51.100.1 protocol = udp gateway = g2 }\n"
			 "rule b { to = { 198.51.100.0/30, 2001:db8:aaaa::2 } balance = third }\n"
			 "rule c { to = 198.51.100.3 gateway = g2 }\n" // never reached
			 "rule d { ports = 443 gateway = g2 }\n"
			 "rule e { own = yes to = 198.51.100.4 gateway = g2 }\n");
	struct net *net = start(buf_text(&rules));
	buf_free(&rules);
	cr_assert(net_router_shows(net, "nft list map inet gwd cut4.lan", "20.1.43.0/24"), "no map");
	cr_assert_eq(udp(net, (struct lab_flow){.to = "198.51.100.1"}), 2);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "198.51.100.1"}), 3);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "198.51.100.3", .port = 443}), 3);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "198.51.100.4", .port = 443}), 2);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "203.0.113.1", .port = 443}), 2);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "203.0.113.1"}), 1);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "2001:db8:aaaa::2"}), 3);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "2001:db8:aaaa::1", .port = 443}), 2);
	cr_assert_eq(tcp(net, (struct lab_flow){.to = "2001:db8:aaaa::1"}), 1);
	net_finish(net);
}
