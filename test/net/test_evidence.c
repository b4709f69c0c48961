// SPDX-License-Identifier: GPL-2.0-or-later
// A gateway that is probed once in ten minutes: its clients' own connections tell when it dies.
#include <stdlib.h>

#include "test/net/net.h"

// In one family only, or the other would still be up.
static struct net *start(int family)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	const char *address = family == AF_INET ? "address6 = none address" : "address6";
	net_configure(net,
		      "probe seldom { interval = 10m fast = 100ms timeout = 300ms }"
		      "gateway g1 { interface = wan1 %s = %s probes = { seldom } }"
		      "gateway g2 { interface = wan2 %s = %s probes = { quick } }"
		      "gateway g3 { interface = wan3 address = %s address6 = %s probes = { quick } }",
		      address, lab_wan_nexthop(net->lab, 1, family), address,
		      lab_wan_nexthop(net->lab, 2, family), lab_wan_nexthop(net->lab, 3, AF_INET),
		      lab_wan_nexthop(net->lab, 3, AF_INET6));
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	return net;
}

// Ten connections on each gateway; those on the dead one get through by another with a retransmission.
static void death(int family)
{
	struct net *net = start(family);
	struct lab_burst_spec spec = {
		.flow = {.from = lab_host(net->lab, 1), .to = lab_server_address(family, 1)},
		.count = 30,
		.clients = 30,
		.timeout_ms = 30000};
	lab_fault_blackhole(net->lab, 1);
	struct lab_burst *pending = lab_burst_start(net->lab, &spec);
	net_wait_state(net, "g1", "down", 20000);
	lab_burst_wait(pending);
	cr_expect_eq(lab_burst_tally(pending).answered, 30);
	cr_expect_eq(lab_burst_tally(pending).isp[1], 0);
	lab_burst_free(pending);
	net_finish(net);
}

Test(evidence, syns_without_replies_find_a_dead_link_long_before_the_next_probe_4)
{
	death(AF_INET);
}

Test(evidence, syns_without_replies_find_a_dead_link_long_before_the_next_probe_6)
{
	death(AF_INET6);
}

static uint64_t probes_of_g1(struct net *net)
{
	return lab_isp_counts(net->lab, 1, AF_INET).icmp_packets;
}

// The gateway is asked, answers, and is left in peace though they go on trying.
Test(evidence, a_dead_far_end_is_worth_a_question_and_no_storm)
{
	struct net *net = start(AF_INET);
	lab_nft_load(lab_internet(net->lab),
		     "table inet t { chain in { type filter hook prerouting priority -300;\n"
		     "tcp dport 443 drop\n"
		     "}\n}\n");
	uint64_t before = probes_of_g1(net);
	struct lab_burst *vain = lab_burst_start(
		net->lab, &(struct lab_burst_spec){
				  .flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1", .port = 443},
				  .count = 60,
				  .clients = 60,
				  .timeout_ms = 9000});
	lab_burst_wait(vain);
	cr_expect_eq(lab_burst_tally(vain).outcome[LAB_TIMEOUT], 60);
	lab_burst_free(vain);
	uint64_t asked = probes_of_g1(net) - before;
	cr_expect(asked >= 1 && asked <= 3, "%llu questions", (unsigned long long)asked);
	cr_expect_str_eq(net_state(net, "g1"), "up");
	net_finish(net);
}
