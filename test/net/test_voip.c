// SPDX-License-Identifier: GPL-2.0-or-later
// A call is several flows: SIP, and RTP on ports that are agreed upon. They may move together, but never apart:
// persistence holds them on one link, in a failover and a failback too.
#include <stdlib.h>
#include <string.h>

#include "test/lab/lab_server.h"
#include "test/net/net.h"

enum { CLIENTS = 150, FLOWS = 4, CALLS = 6 };
static const uint16_t ports[FLOWS] = {5060, 10000, 10001, 20000};

static struct net *start(void)
{
	static const uint16_t rtp[] = {10000, 10001, 20000, 0};
	struct net *net = net_lab(&(struct lab_spec){.isps = 4});
	lab_server_start(net->lab, lab_internet(net->lab), rtp);
	net_configure(net,
		      "gateway g1 { interface = wan1 address = 100.64.1.1 probes = quick slow-start = 2s }"
		      "gateway g2 { interface = wan2 address = 100.64.2.1 probes = quick slow-start = 2s }"
		      "gateway g3 { interface = wan3 address = 100.64.3.1 probes = quick slow-start = 2s }"
		      "gateway g4 { interface = wan4 address = 100.64.4.1 probes = quick }"
		      "balance phones { gateways = { g1, g2, g3 } scheduler = rr persistence = 5m }"
		      "balance default { gateways = { g1, g2, g3 } scheduler = rr persistence = off }"
		      "rule guard { to = 198.51.100.4 gateway = g4 }"
		      "rule voip { protocol = udp ports = { 5060, \"10000-20000\" } balance = phones }");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 4);
	return net;
}

// One call of each client, SIP first; says which link has each client's.
static void ring_all(struct net *net, int isp[CLIENTS])
{
	for (int k = 0; k < FLOWS; k++) {
		struct lab_burst *burst = lab_burst_start(
			net->lab, &(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1),
								    .to = "198.51.100.1",
								    .port = ports[k]},
							   .count = CLIENTS,
							   .clients = CLIENTS,
							   .udp = true});
		lab_burst_wait(burst);
		for (int i = 0; i < CLIENTS; i++) {
			const struct lab_conn *conn = &lab_burst_conns(burst)[i];
			cr_assert_eq(conn->outcome, LAB_ANSWERED, "port %d: %s", ports[k],
				     lab_outcome_name(conn->outcome));
			if (!k)
				isp[conn->client] = conn->isp;
			cr_assert_eq(conn->isp, isp[conn->client],
				     "client %d: SIP on isp%d, port %d on isp%d", conn->client,
				     isp[conn->client], ports[k], conn->isp);
		}
		lab_burst_free(burst);
	}
}

struct call {
	struct lab_stream *flow[FLOWS];
};

static struct call call(struct net *net, int client)
{
	struct call call;
	char source[64];
	lab_client_address(AF_INET, 2, client, source);
	for (int k = 0; k < FLOWS; k++)
		call.flow[k] = lab_stream_start(
			net->lab, &(struct lab_stream_spec){.flow = {.from = lab_host(net->lab, 2),
								     .to = "198.51.100.2",
								     .port = ports[k],
								     .source = source},
							    .rate_hz = 100});
	return call;
}

// The link that has all flows of the call now.
static int link_of(const struct call *call)
{
	int isp = 0;
	for (int k = 0; k < FLOWS; k++) {
		cr_assert(lab_stream_wait_answer(call->flow[k], 2000), "port %d is stuck", ports[k]);
		int own = lab_stream_peek(call->flow[k]).isp;
		isp = k ? isp : own;
		cr_assert_eq(own, isp, "SIP on isp%d, port %d on isp%d", isp, ports[k], own);
	}
	return isp;
}

Test(voip, a_call_is_never_split)
{
	struct net *net = start();
	int before[CLIENTS], now[CLIENTS], used[5] = {0};
	struct call calls[CALLS];
	int links[CALLS];
	ring_all(net, before);
	for (int i = 0; i < CLIENTS; i++)
		used[before[i]]++;
	cr_assert(used[1] == 50 && used[2] == 50 && used[3] == 50);
	for (int i = 0; i < CALLS; i++)
		calls[i] = call(net, i);
	for (int i = 0; i < CALLS; i++)
		links[i] = link_of(&calls[i]);
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	ring_all(net, now); // those of g1 move, whole; the others stay
	for (int i = 0; i < CLIENTS; i++)
		cr_assert(before[i] == 1 ? now[i] != 1 : now[i] == before[i]);
	for (int i = 0; i < CALLS; i++) {
		int link = link_of(&calls[i]);
		cr_assert(links[i] == 1 ? link != 1 : link == links[i]);
		links[i] = link;
	}
	lab_fault_repair(net->lab, 1);
	net_wait_state(net, "g1", "up", 10000);
	ring_all(net, before); // back and ramped up: who has a pin stays
	cr_assert_arr_eq(before, now, sizeof(now));
	for (int i = 0; i < CALLS; i++) {
		cr_assert_eq(link_of(&calls[i]), links[i]);
		for (int k = 0; k < FLOWS; k++) {
			struct lab_stream_report report = lab_stream_stop(calls[i].flow[k]);
			cr_assert_leq(report.parts, 2, "a flow moved to and fro");
		}
	}
	net_finish(net);
}
