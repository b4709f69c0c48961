// SPDX-License-Identifier: GPL-2.0-or-later
// Connections that come in by any WAN are answered by the same one: to the router itself, to a LAN host
// behind a port forward, and where two gateways share a segment.
#include <stdlib.h>

#include "test/net/net.h"

static const int weights[] = {1, 1, 1, 1, 1, 1};

struct replies {
	struct net *net;
	int isp;
	uint64_t before;
};

// The last of them may still be on its way when the client has what it wanted.
static bool replies_left(void *arg)
{
	const struct replies *replies = arg;
	return lab_isp_packets(replies->net->lab, replies->isp) > replies->before + 4;
}

static void assert_answered(struct net *net, int isp, int family, uint16_t port)
{
	struct lab_flow flow = {
		.from = lab_internet(net->lab), .to = lab_wan_address(net->lab, isp, family), .port = port};
	uint64_t before[8];
	for (int i = 1; i <= lab_isp_count(net->lab); i++)
		before[i] = lab_isp_packets(net->lab, i);
	struct lab_conn conn = lab_connect(net->lab, &flow);
	cr_assert_eq(conn.outcome, LAB_ANSWERED, "tcp to %s: %s", flow.to, lab_outcome_name(conn.outcome));
	conn = lab_ask(net->lab, &flow);
	cr_assert_eq(conn.outcome, LAB_ANSWERED, "udp to %s: %s", flow.to, lab_outcome_name(conn.outcome));
	struct replies replies = {net, isp, before[isp]};
	cr_assert(lab_wait_until(replies_left, &replies, 2000), "the replies did not leave by isp%d", isp);
}

static void symmetric(const struct lab_spec *spec, int n)
{
	struct net *net = net_lab(spec);
	char *gateways = net_gateways(net->lab, n, weights, false);
	net_configure(net, "%s", gateways);
	free(gateways);
	lab_server_start(net->lab, lab_router(net->lab), (const uint16_t[]){2222, 0});
	lab_server_start(net->lab, lab_host(net->lab, 1), (const uint16_t[]){80, 0});
	lab_nft_load(lab_router(net->lab),
		     "table inet forward { chain d { type nat hook prerouting priority dstnat;"
		     " iifname \"wan*\" tcp dport 8080 dnat ip to 10.0.0.11:80\n"
		     " iifname \"wan*\" udp dport 8080 dnat ip to 10.0.0.11:80\n"
		     " iifname \"wan*\" tcp dport 8080 dnat ip6 to [fd00:10::11]:80\n"
		     " iifname \"wan*\" udp dport 8080 dnat ip6 to [fd00:10::11]:80\n }\n }");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 1);
	for (int isp = 1; isp <= n; isp++) {
		assert_answered(net, isp, AF_INET, 2222);
		assert_answered(net, isp, AF_INET6, 2222);
		assert_answered(net, isp, AF_INET, 8080);
		assert_answered(net, isp, AF_INET6, 8080);
	}
	net_finish(net);
}

Test(inbound, replies_leave_by_the_link_they_came_in_on)
{
	symmetric(&(struct lab_spec){.isps = 3}, 3);
}

Test(inbound, also_under_a_strict_reverse_path_filter)
{
	symmetric(&(struct lab_spec){.isps = 3, .rp_filter = 1}, 3);
}

Test(inbound, also_where_two_gateways_share_a_segment)
{
	symmetric(&(struct lab_spec){.isps = 1, .shared = LAB_SHARED_TWO_SUBNETS}, 3);
}

Test(inbound, a_connection_stays_when_its_link_is_not_the_one_that_dies)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	char *gateways = net_gateways(net->lab, 3, weights, false);
	net_configure(net, "%s", gateways);
	free(gateways);
	lab_server_start(net->lab, lab_router(net->lab), NULL);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	struct lab_stream *in = lab_stream_start(
		net->lab, &(struct lab_stream_spec){.flow = {.from = lab_internet(net->lab),
							     .to = lab_wan_address(net->lab, 2, AF_INET)}});
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	cr_assert(lab_stream_wait_answer(in, 1000));
	cr_assert_eq(lab_stream_stop(in).lost, 0);
	net_finish(net);
}
