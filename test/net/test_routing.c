// SPDX-License-Identifier: GPL-2.0-or-later
// What stays inside, tiers, and what happens without any gateway.
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

static const int weights[] = {1, 1, 1};

Test(routing, inside_destinations_stay_inside)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2, .routes = true});
	static const char *const inside[] = {"10.200.0.2", "10.201.0.1", "fd00:10:200::2", "fd00:10:201::1"};
	char *gateways = net_gateways(net->lab, 2, weights, true);
	net_configure(net, "%s balance default { }", gateways);
	free(gateways);
	lab_server_start(net->lab, lab_inside(net->lab), NULL);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 1);
	for (size_t i = 0; i < 4; i++) {
		struct lab_conn conn = lab_connect(
			net->lab,
			&(struct lab_flow){.from = lab_host(net->lab, 1), .to = inside[i], .port = 80});
		cr_assert_eq(conn.outcome, LAB_ANSWERED, "%s: %s", inside[i], lab_outcome_name(conn.outcome));
		cr_assert_eq(conn.isp, 0);
		cr_assert_str_eq(conn.seen, conn.source, "%s was translated", inside[i]);
	}
	cr_assert_eq(
		lab_ping(net->lab, &(struct lab_flow){.from = lab_host(net->lab, 1), .to = "10.0.0.1"}, 3)
			.lost,
		0);
	net_finish(net);
}

// A modem's page is on its own link, whichever gateway a client is on.
Test(routing, a_links_own_network_is_reached_by_that_link)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	char *gateways = net_gateways(net->lab, 3, weights, false);
	net_configure(net, "%s balance default { gateways = g1 }", gateways);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 1);
	for (size_t i = 0; i < 2; i++) {
		struct lab_flow flow = {.from = lab_host(net->lab, 1),
					.to = lab_wan_nexthop(net->lab, 2, families[i])};
		uint64_t before = lab_isp_packets(net->lab, 2);
		lab_fault_cut(net->lab, 2); // nothing beyond the modem: no way around
		cr_assert_eq(lab_ping(net->lab, &flow, 5).lost, 0, "%s", flow.to);
		cr_assert_geq(lab_isp_packets(net->lab, 2), before + 5);
		lab_fault_repair(net->lab, 2);
	}
	net_finish(net);
}

static bool tables_throw(void *arg)
{
	return net_router_shows(arg, "ip route show table all proto 200", "throw 192.0.2.0/24");
}

static void assert_gets_there(struct net *net, const char *to, uint16_t port)
{
	struct lab_flow flow = {.from = lab_host(net->lab, 1), .to = to, .port = port};
	struct lab_conn conn = lab_ask(net->lab, &flow);
	cr_assert_eq(conn.outcome, LAB_ANSWERED, "%s port %u: %s", to, port, lab_outcome_name(conn.outcome));
	cr_assert_str_eq(conn.seen, conn.source, "by a link, translated");
}

// The operator sends all questions of DNS to a host of another LAN: gwd marks them before they are translated.
// The LAN's packets don't ask main before their gateway's table, so that has to know; also what comes later.
Test(routing, what_is_translated_into_another_lan_gets_there)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	char *gateways = net_gateways(net->lab, 2, weights, false);
	net_configure(net, "%s", gateways);
	free(gateways);
	lab_nft_load(lab_router(net->lab),
		     "table inet own { chain d { type nat hook prerouting priority dstnat;\n"
		     "iifname lan0 udp dport 53 dnat ip to 10.200.0.2\n"
		     "iifname lan0 udp dport 53 dnat ip6 to fd00:10:200::2\n"
		     "iifname lan0 udp dport 54 dnat ip to 192.0.2.1:53\n }\n }");
	lab_server_start(net->lab, lab_inside(net->lab), NULL);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 1);
	cr_assert(net_router_shows(net, "ip rule", "iif lan0"), "main is asked all the same");
	assert_gets_there(net, "198.51.100.1", 53);
	assert_gets_there(net, lab_server_address(AF_INET6, 1), 53);
	lab_do(lab_inside(net->lab), "ip addr add 192.0.2.1/32 dev lo");
	lab_do(lab_router(net->lab), "ip route add 192.0.2.0/24 via 10.200.0.2 dev lan1");
	cr_assert(lab_wait_until(tables_throw, net, 5000), "the tables don't follow main");
	assert_gets_there(net, "198.51.100.1", 54);
	net_finish(net);
}

Test(routing, a_more_specific_route_wins_over_the_balance)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2, .routes = true});
	char *gateways = net_gateways(net->lab, 2, weights, true);
	net_configure(net, "%s", gateways);
	free(gateways);
	lab_do(lab_router(net->lab), "ip route add 203.0.113.0/24 via 10.200.0.2 dev lan1");
	lab_do(lab_inside(net->lab), "ip addr add 203.0.113.1/32 dev lo");
	lab_server_start(net->lab, lab_inside(net->lab), NULL);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 1);
	struct lab_conn conn = lab_connect(
		net->lab, &(struct lab_flow){.from = lab_host(net->lab, 1), .to = "203.0.113.1", .port = 80});
	cr_assert_eq(conn.outcome, LAB_ANSWERED);
	cr_assert_str_eq(conn.seen, conn.source);
	net_finish(net);
}

static int isp_of(struct net *net, int family)
{
	return lab_connect(net->lab, &(struct lab_flow){.from = lab_host(net->lab, 1),
							.to = lab_server_address(family, 1)})
		.isp;
}

static bool goes_out(void *arg)
{
	return isp_of(arg, AF_INET) > 0;
}

static bool stays_in(void *arg)
{
	return isp_of(arg, AF_INET) == 0;
}

// By the set of what is inside, and where somebody has ip rules of his own, by asking the kernel.
Test(routing, routes_that_come_and_go_are_followed)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2, .routes = true});
	char *gateways = net_gateways(net->lab, 2, weights, true);
	net_configure(net, "%s", gateways);
	free(gateways);
	lab_do(lab_inside(net->lab), "ip addr add %s/32 dev lo", lab_server_address(AF_INET, 1));
	lab_server_start(net->lab, lab_inside(net->lab), NULL);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 1);
	for (int asked = 0; asked < 2; asked++) {
		cr_assert(lab_wait_until(goes_out, net, 2000));
		lab_do(lab_router(net->lab), "ip route add %s via 10.200.0.2 dev lan1",
		       lab_server_address(AF_INET, 1));
		cr_assert(lab_wait_until(stays_in, net, 2000));
		lab_do(lab_router(net->lab), "ip route del %s", lab_server_address(AF_INET, 1));
		cr_assert(lab_wait_until(goes_out, net, 2000));
		if (!asked)
			lab_do(lab_router(net->lab), "ip rule add pref 30000 to 192.0.2.9 lookup main");
	}
	net_finish(net);
}

Test(routing, tier_two_serves_when_tier_one_is_gone_and_hands_back)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	char *gateways = net_gateways(net->lab, 3, weights, false);
	net_configure(
		net,
		"%s balance default { use g1 { } use g2 { tier = 2 } use g3 { tier = 3 } persistence = 5m }"
		"rule guard { to = 198.51.100.4 gateway = g3 }",
		gateways);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	cr_assert(isp_of(net, AF_INET) == 1 && isp_of(net, AF_INET6) == 1);
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	cr_assert(isp_of(net, AF_INET) == 2 && isp_of(net, AF_INET6) == 2);
	lab_fault_carrier_off(net->lab, 2);
	net_wait_state(net, "g2", "down", 5000);
	cr_assert(isp_of(net, AF_INET) == 3 && isp_of(net, AF_INET6) == 3);
	lab_fault_repair(net->lab, 1);
	net_wait_state(net, "g1", "up", 10000);
	cr_assert(isp_of(net, AF_INET) == 1 && isp_of(net, AF_INET6) == 1);
	net_finish(net);
}

Test(routing, without_any_gateway_a_flow_is_refused_at_once_and_the_first_one_back_serves)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	char *gateways = net_gateways(net->lab, 2, weights, false);
	struct lab_flow flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"};
	net_configure(net, "%s", gateways);
	free(gateways);
	lab_server_start(net->lab, lab_inside(net->lab), NULL);
	net_gwd(net);
	net_wait_up(net);
	struct lab_stream *inside = lab_stream_start(
		net->lab,
		&(struct lab_stream_spec){.flow = {.from = lab_host(net->lab, 2), .to = "10.200.0.2"}});
	struct lab_stream *kept = lab_stream_start_on(net->lab, &(struct lab_stream_spec){.flow = flow}, 2);
	lab_fault_blackhole(net->lab, 1);
	lab_fault_blackhole(net->lab, 2);
	net_wait_state(net, "g1", "down", 5000);
	net_wait_state(net, "g2", "down", 5000);
	cr_assert_eq(lab_connect(net->lab, &flow).outcome, LAB_REFUSED);
	cr_assert_neq(lab_ask(net->lab, &flow).outcome, LAB_ANSWERED);
	cr_assert(!net_router_shows(net, "nft list counter inet gwd no_gateway", "packets 0"));
	lab_fault_repair(net->lab, 2);
	net_wait_state(net, "g2", "up", 5000);
	cr_assert_eq(isp_of(net, AF_INET), 2);
	cr_assert_eq(isp_of(net, AF_INET6), 2);
	cr_assert(lab_stream_wait_isp(kept, 2, 5000)); // its flow was not flushed while nobody could take it
	cr_assert_eq(lab_stream_stop(kept).parts, 1);
	struct lab_stream_report report = lab_stream_stop(inside);
	cr_assert(report.answered > 0 && report.lost == 0);
	net_finish(net);
}
