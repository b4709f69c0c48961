// SPDX-License-Identifier: GPL-2.0-or-later
// Links of every make, and what may happen to them while gwd runs: VLAN and macvlan, another name, other addresses,
// a modem that looks like the other one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

static const int weights[] = {1, 1, 1};

static struct lab_conn connect_to(struct net *net, const char *to)
{
	return lab_connect(net->lab, &(struct lab_flow){.from = lab_host(net->lab, 1), .to = to});
}

// g1 by this interface, g2 and, for the control flow, g3 as ever.
static struct net *start(struct net *net, const char *interface, const char *more)
{
	net_configure(
		net,
		"gateway g1 { interface = %s address = 100.64.1.1 address6 = 2001:db8:1::1 probes = quick "
		"slow-start = 0s %s }"
		"gateway g2 { interface = wan2 address = 100.64.2.1 address6 = 2001:db8:2::1 probes = quick "
		"slow-start = 0s }"
		"gateway g3 { interface = wan3 address = 100.64.3.1 address6 = 2001:db8:3::1 probes = quick }"
		"balance default { gateways = { g1, g2 } scheduler = rr persistence = off }"
		"rule guard { to = 198.51.100.4 gateway = g3 }",
		interface, more);
	net_gwd(net);
	return net;
}

static void assert_alike(struct net *net)
{
	for (int i = 0; i < 2; i++) {
		struct lab_tally tally = lab_burst_run(
			net->lab, &(struct lab_burst_spec){
					  .flow = {.from = lab_host(net->lab, 1),
						   .to = lab_server_address(i ? AF_INET6 : AF_INET, 1)},
					  .count = 60});
		net_assert_spread(&tally, weights, 2, 1);
	}
}

static void address(struct net *net, const char *interface)
{
	lab_do(lab_router(net->lab),
	       "ip addr replace 100.64.1.2/24 dev %s; ip addr replace 2001:db8:1::2/64 dev %s nodad",
	       interface, interface);
}

// The death of the link is seen, its return too, and neither harms the others.
static void dies_and_returns(struct net *net)
{
	struct lab_stream *call = lab_stream_start_on(
		net->lab,
		&(struct lab_stream_spec){.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.2"}}, 1);
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	cr_assert(lab_stream_wait_isp(call, 2, 2000));
	lab_stream_stop(call);
	lab_fault_repair(net->lab, 1);
	net_wait_state(net, "g1", "up", 10000);
	assert_alike(net);
}

// Not every kernel has them; the stock one does (test/vm/run-net).
Test(links, a_vlan_carries_traffic)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	if (lab_run(lab_router(net->lab), NULL,
		    "ip link add link lan0 name try type vlan id 9 && ip link del try")) {
		lab_destroy(net->lab);
		cr_skip("this kernel has no VLANs");
	}
	lab_do(lab_isp(net->lab, 1),
	       "ip link set cust0 down && ip addr flush dev cust0 && ip link set cust0 name raw0 && "
	       "ip link set raw0 up && ip link add link raw0 name cust0 type vlan id 7 && ip link set cust0 "
	       "up &&"
	       "ip addr add 100.64.1.1/24 brd + dev cust0 && ip addr add 2001:db8:1::1/64 dev cust0 nodad");
	lab_do(lab_router(net->lab),
	       "ip addr flush dev wan1 scope global;"
	       "ip link add link wan1 name wan1.7 type vlan id 7; ip link set wan1.7 up");
	address(net, "wan1.7");
	start(net, "wan1.7", "");
	net_wait_up(net);
	net_guard(net, 3);
	assert_alike(net);
	dies_and_returns(net);
	lab_do(lab_router(net->lab), "ip link del wan1.7");
	net_wait_state(net, "g1", "down", 2000);
	lab_do(lab_router(net->lab),
	       "ip link add link wan1 name wan1.7 type vlan id 7; ip link set wan1.7 up");
	address(net, "wan1.7");
	net_wait_state(net, "g1", "up", 10000);
	assert_alike(net);
	net_finish(net);
}

Test(links, a_macvlan_carries_traffic)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	lab_do(lab_router(net->lab),
	       "ip addr flush dev wan1 scope global;"
	       "ip link add link wan1 name mac1 type macvlan mode bridge; ip link set mac1 up");
	address(net, "mac1");
	start(net, "mac1", "");
	net_wait_up(net);
	net_guard(net, 3);
	assert_alike(net);
	dies_and_returns(net);
	lab_do(lab_router(net->lab), "ip link set wan1 down"); // takes its carrier
	net_wait_state(net, "g1", "down", 2000);
	lab_do(lab_router(net->lab), "ip link set wan1 up");
	address(net, "mac1");
	net_wait_state(net, "g1", "up", 10000);
	assert_alike(net);
	net_finish(net);
}

Test(links, an_interface_may_get_another_name)
{
	struct net *net = start(net_lab(&(struct lab_spec){.isps = 3}), "fiber0", "");
	net_wait_state(net, "g2", "up", 5000);
	net_guard(net, 3);
	cr_assert_str_eq(net_state(net, "g1"), "down");
	for (int i = 0; i < 2; i++) {
		lab_do(lab_router(net->lab),
		       "ip link set wan1 down; ip link set wan1 name fiber0; ip link set fiber0 up");
		address(net, "fiber0");
		net_wait_state(net, "g1", "up", 10000);
		assert_alike(net);
		struct lab_stream *call =
			lab_stream_start_on(net->lab,
					    &(struct lab_stream_spec){.flow = {.from = lab_host(net->lab, 1),
									       .to = "198.51.100.2"}},
					    1);
		lab_do(lab_router(net->lab),
		       "ip link set fiber0 down; ip link set fiber0 name wan1; ip link set wan1 up");
		address(net, "wan1");
		net_wait_state(net, "g1", "down", 2000);
		cr_assert(lab_stream_wait_isp(call, 2, 2000));
		lab_stream_stop(call);
		cr_assert_eq(connect_to(net, "198.51.100.1").isp, 2);
	}
	net_finish(net);
}

struct seen {
	struct net *net;
	const char *source; // of the flows by isp1
};

static bool all_from(void *arg)
{
	const struct seen *seen = arg;
	bool found = false;
	for (int i = 0; i < 8; i++) {
		struct lab_conn conn = connect_to(seen->net, "2001:db8:aaaa::1");
		if (conn.outcome != LAB_ANSWERED || (conn.isp == 1 && strcmp(conn.seen, seen->source) != 0))
			return false;
		found |= conn.isp == 1;
	}
	return found;
}

// What a router advertisement does that brings another prefix and lets the old one go out of use.
Test(links, a_router_advertisement_with_another_prefix_is_followed)
{
	struct net *net = start(net_lab(&(struct lab_spec){.isps = 3}), "wan1", "");
	net_wait_up(net);
	net_guard(net, 3);
	lab_wan_delegate(net->lab, 1, "2001:db8:1:f::/64");
	struct seen seen = {net, "2001:db8:1::2"};
	cr_assert(lab_wait_until(all_from, &seen, 5000));
	struct lab_transfer *idle[2];
	for (int i = 0; i < 2; i++) { // by rr one of the two is on isp1
		idle[i] = lab_transfer_start(
			net->lab, &(struct lab_transfer_spec){
					  .flow = {.from = lab_host(net->lab, 1), .to = "2001:db8:aaaa::1"},
					  .kind = LAB_IDLE});
		cr_assert(lab_transfer_wait_running(idle[i], 2000));
	}
	lab_do(lab_router(net->lab), "ip addr add 2001:db8:1:f::2/64 dev wan1 nodad;"
				     "ip addr change 2001:db8:1::2/64 dev wan1 preferred_lft 0");
	seen.source = "2001:db8:1:f::2";
	cr_assert(lab_wait_until(all_from, &seen, 10000), "the new prefix is not used");
	for (int i = 0; i < 2; i++) { // a flow of the old address ends, as the address is about to go
		bool first = lab_transfer_peek(idle[i]).isp == 1;
		cr_assert(!first || lab_transfer_wait_end(idle[i], 2000), "a flow stays on the old prefix");
		cr_assert_eq(lab_transfer_stop(idle[i]).end, first ? LAB_END_RST : LAB_END_RUNNING);
	}
	lab_do(lab_router(net->lab), "ip addr del 2001:db8:1::2/64 dev wan1");
	cr_assert(lab_wait_until(all_from, &seen, 5000));
	assert_alike(net);
	net_finish(net);
}

// The old one is as good as it was.
Test(links, an_address_that_comes_besides_ends_no_flow)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	start(net, "wan1", "");
	net_wait_up(net);
	net_guard(net, 3);
	struct lab_burst *held[2];
	for (int i = 0; i < 2; i++) {
		held[i] = lab_burst_start(
			net->lab, &(struct lab_burst_spec){
					  .flow = {.from = lab_host(net->lab, 1),
						   .to = lab_server_address(i ? AF_INET6 : AF_INET, 1)},
					  .count = 20,
					  .hold = true});
		lab_burst_wait(held[i]);
	}
	lab_do(lab_router(net->lab),
	       "ip addr add 2001:db8:1::77/64 dev wan1 nodad; ip addr add 100.64.1.77/24 dev wan1");
	for (int i = 0; i < 2; i++) // by then it has seen them
		net_reload(net);
	assert_alike(net); // none has a new source: the watch would see it
	for (int i = 0; i < 2; i++) {
		net_assert_alive(held[i], 20);
		lab_burst_free(held[i]);
	}
	net_finish(net);
}

Test(links, flows_from_an_address_that_vanishes_end_at_once)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	lab_wan_delegate(net->lab, 1, "100.64.1.7/32");
	lab_do(lab_router(net->lab), "ip addr add 100.64.1.7/24 dev wan1");
	start(net, "wan1", "snat = 100.64.1.7");
	net_wait_up(net);
	net_guard(net, 3);
	struct lab_transfer *idle[2];
	for (int i = 0; i < 2; i++) {
		idle[i] = lab_transfer_start(
			net->lab, &(struct lab_transfer_spec){
					  .flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
					  .kind = LAB_IDLE});
		cr_assert(lab_transfer_wait_running(idle[i], 2000));
	}
	lab_do(lab_router(net->lab), "ip addr del 100.64.1.7/24 dev wan1");
	for (int i = 0; i < 2; i++) {
		bool first = lab_transfer_peek(idle[i]).isp == 1;
		cr_assert(!first || lab_transfer_wait_end(idle[i], 2000), "it hangs");
		cr_assert_eq(lab_transfer_stop(idle[i]).end, first ? LAB_END_RST : LAB_END_RUNNING);
	}
	net_finish(net);
}

// Two modems as they come out of the box: 192.168.1.1 on both links. Only the link tells them apart. Each translates
// into an address of its own, so that the internet can tell.
static void twins(int own[3]) // the last byte of the router's address on each
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	for (int isp = 1; isp <= 2; isp++) {
		char prefix[32];
		snprintf(prefix, sizeof(prefix), "192.168.1.%d/32", own[isp]);
		lab_wan_delegate(net->lab, isp, prefix); // a right source there
		lab_do(lab_isp(net->lab, isp),
		       "ip addr add 192.168.1.1/24 dev cust0; ip route del 192.168.1.%d/32;"
		       "nft 'table ip modem { chain c { type nat hook postrouting priority 100; ip saddr "
		       "192.168.1.0/24 snat to 100.64.%d.77\n }\n }'",
		       own[isp], isp);
		lab_do(lab_router(net->lab),
		       "ip addr flush dev wan%d scope global; ip addr add 192.168.1.%d/24 dev wan%d", isp,
		       own[isp], isp);
	}
	net_configure(net,
		      "gateway g1 { interface = wan1 address = 192.168.1.1 address6 = none probes = quick "
		      "slow-start = 0s }"
		      "gateway g2 { interface = wan2 address = 192.168.1.1 address6 = none probes = quick "
		      "slow-start = 0s }"
		      "gateway g3 { interface = wan3 address = 100.64.3.1 probes = quick }"
		      "balance default { gateways = { g1, g2 } scheduler = rr persistence = off }"
		      "rule guard { to = 198.51.100.4 gateway = g3 }");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	struct lab_burst_spec spec = {.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
				      .count = 60};
	struct lab_tally tally = lab_burst_run(net->lab, &spec);
	net_assert_spread(&tally, weights, 2, 1);
	for (int isp = 1; isp <= 2; isp++) { // a death of the one is not seen as the other's
		char name[4] = {'g', (char)('0' + isp), 0}, other[4] = {'g', (char)('3' - isp), 0};
		lab_fault_blackhole(net->lab, isp);
		net_wait_state(net, name, "down", 5000);
		cr_assert_str_eq(net_state(net, other), "up");
		tally = lab_burst_run(net->lab, &spec);
		cr_assert(tally.answered == 60 && tally.isp[3 - isp] == 60);
		lab_fault_repair(net->lab, isp);
		net_wait_state(net, name, "up", 10000);
	}
	tally = lab_burst_run(net->lab, &spec);
	net_assert_spread(&tally, weights, 2, 1);
	net_finish(net);
}

Test(links, two_links_with_the_same_next_hop_and_subnet)
{
	twins((int[]){0, 2, 3});
}

Test(links, and_with_the_same_address_of_our_own)
{
	twins((int[]){0, 2, 2});
}
