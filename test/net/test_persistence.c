// SPDX-License-Identifier: GPL-2.0-or-later
// A client keeps its gateway: for how long, by which part of its address, and what renews it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

static const int weights[] = {3, 2, 1};

static struct net *start(const char *balance)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	char *gateways = net_gateways(net->lab, 3, weights, false);
	net_configure(net, "%s balance default { %s } rule guard { to = 198.51.100.4 gateway = g2 }",
		      gateways, balance);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	return net;
}

static struct lab_tally burst(struct net *net, int family, int count, int clients)
{
	return lab_burst_run(net->lab, &(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1),
									 .to = lab_server_address(family, 1)},
								.count = count,
								.clients = clients});
}

static int isp_of(struct net *net, const char *source, const char *to)
{
	struct lab_conn conn = lab_connect(
		net->lab, &(struct lab_flow){.from = lab_host(net->lab, 1), .to = to, .source = source});
	cr_assert_eq(conn.outcome, LAB_ANSWERED, "%s > %s: %s", source, to, lab_outcome_name(conn.outcome));
	return conn.isp;
}

Test(persistence, a_client_keeps_its_gateway_and_clients_are_spread)
{
	struct net *net = start("persistence = 5m");
	for (int i = 0; i < 2; i++) {
		struct lab_tally tally = burst(net, i ? AF_INET6 : AF_INET, 1800, 60);
		cr_assert_eq(tally.answered, 1800);
		cr_assert_eq(tally.split_clients, 0);
		cr_assert(tally.isp[1] > 0 && tally.isp[2] > 0 && tally.isp[3] > 0);
	}
	net_finish(net);
}

Test(persistence, a_mask_makes_one_client_of_a_network)
{
	struct net *net = start("persistence = 5m persist-mask = 24");
	int first = isp_of(net, "10.1.7.1", "198.51.100.1");
	for (int i = 2; i < 30; i++) {
		char source[32];
		snprintf(source, sizeof(source), "10.1.7.%d", i);
		cr_assert_eq(isp_of(net, source, "198.51.100.1"), first);
	}
	struct lab_burst *burst = lab_burst_start(
		net->lab,
		&(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
					 .count = 600,
					 .clients = 600}); // of three networks
	lab_burst_wait(burst);
	const struct lab_conn *conns = lab_burst_conns(burst);
	for (int i = 1; i < 600; i++)
		if (!strncmp(conns[i].source, conns[i - 1].source,
			     strrchr(conns[i].source, '.') - conns[i].source))
			cr_assert_eq(conns[i].isp, conns[i - 1].isp, "%s and %s part", conns[i].source,
				     conns[i - 1].source);
	cr_assert_eq(lab_burst_tally(burst).answered, 600);
	lab_burst_free(burst);
	net_finish(net);
}

Test(persistence, by_source_and_destination_a_client_may_use_several_gateways)
{
	struct net *net = start("persistence = 5m persist-by = source-destination scheduler = rr");
	int seen[4] = {0};
	for (int server = 1; server <= LAB_SERVERS; server++) {
		const char *to = lab_server_address(AF_INET, server);
		int isp = isp_of(net, NULL, to);
		seen[isp]++;
		for (int again = 0; again < 3; again++)
			cr_assert_eq(isp_of(net, NULL, to), isp);
	}
	cr_assert(seen[1] && seen[2] && seen[3]);
	net_finish(net);
}

struct renewal {
	struct net *net;
	int isp, moved;
	int64_t until_ms;
};

// A new flow now and then; true when the time is over or the client moved.
static bool renewed_until(void *arg)
{
	struct renewal *renewal = arg;
	renewal->moved += isp_of(renewal->net, "10.1.0.1", "198.51.100.1") != renewal->isp;
	return renewal->moved || lab_now_ms() > renewal->until_ms;
}

Test(persistence, each_new_flow_renews_it)
{
	struct net *net = start("persistence = 1s scheduler = rr");
	struct renewal renewal = {.net = net, .isp = isp_of(net, "10.1.0.1", "198.51.100.1")};
	renewal.until_ms = lab_now_ms() + 3000; // three times its length
	lab_wait_until(renewed_until, &renewal, 10000);
	cr_assert_eq(renewal.moved, 0);
	net_finish(net);
}

static bool pin_is_gone(void *arg)
{
	return !net_router_shows(arg, "nft list map inet gwd pin4.default", "10.1.0.1");
}

Test(persistence, it_ends_when_no_new_flow_comes)
{
	struct net *net = start("persistence = 1s scheduler = rr");
	int isp = isp_of(net, "10.1.0.1", "198.51.100.1"), moved = 0;
	for (int i = 0; i < 4; i++) { // rr: by chance it may be the same once or twice, not four times
		cr_assert(lab_wait_until(pin_is_gone, net, 5000));
		moved += isp_of(net, "10.1.0.1", "198.51.100.1") != isp;
	}
	cr_assert_gt(moved, 0);
	net_finish(net);
}

Test(persistence, weight_zero_drains_new_clients_go_elsewhere_old_ones_stay)
{
	struct net *net = start("persistence = 5m");
	char *gateways;
	int zero[] = {0, 2, 1};
	int isp = 0;
	char source[32] = "";
	for (int i = 0; isp != 1; i++) { // a client of the first gateway
		cr_assert_lt(i, 50);
		snprintf(source, sizeof(source), "10.1.9.%d", i + 1);
		isp = isp_of(net, source, "198.51.100.1");
	}
	gateways = net_gateways(net->lab, 3, zero, false);
	net_configure(net,
		      "%s balance default { persistence = 5m } rule guard { to = 198.51.100.4 gateway = g2 }",
		      gateways);
	free(gateways);
	net_reload(net);
	cr_assert_str_eq(net_state(net, "g1"), "drain");
	cr_assert_eq(isp_of(net, source, "198.51.100.2"), 1);
	struct lab_tally tally = lab_burst_run(
		net->lab,
		&(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 2), .to = "198.51.100.1"},
					 .count = 300,
					 .clients = 300});
	cr_assert_eq(tally.answered, 300);
	cr_assert_eq(tally.isp[1], 0);
	net_finish(net);
}

// One UDP packet each of more clients than a pin map has room for. They get no further than the router's forward
// hook, so conntrack keeps none of them; the pins are made before.
static void crowd(struct net *net, int family)
{
	lab_nft_load(lab_router(net->lab), "table inet crowd { chain c { type filter hook forward priority "
					   "-300; ip saddr 10.128.0.0/9 drop\n"
					   "ip6 saddr fd00:10:8000::/33 drop\n }\n }");
	lab_do(lab_host(net->lab, 1),
	       "python3 - <<'END'\n"
	       "import socket, struct\n"
	       "six = %d\n"
	       "udp = struct.pack('!HHHH', 40000, 7, 8, 0)\n"
	       "to = '2001:db8:aaaa::1' if six else '198.51.100.1'\n"
	       "af = socket.AF_INET6 if six else socket.AF_INET\n"
	       "s = socket.socket(af, socket.SOCK_RAW, socket.IPPROTO_RAW)\n"
	       "dst = socket.inet_pton(af, to)\n"
	       "for i in range(140000):\n"
	       "    if six:\n"
	       "        src = bytes.fromhex('fd0000108000') + struct.pack('!HQ', 0, i)\n"
	       "        head = struct.pack('!IHBB', 6 << 28, 8, 17, 64) + src + dst\n"
	       "    else:\n"
	       "        src = struct.pack('!I', 0x0a800000 + i)\n"
	       "        head = struct.pack('!BBHHHBBH', 0x45, 0, 28, 0, 0, 64, 17, 0) + src + dst\n"
	       "    s.sendto(head + udp, (to, 0))\n"
	       "END",
	       family == AF_INET6);
}

static bool has_unpinned(void *arg)
{
	return strstr(lab_proc_output(((struct net *)arg)->gwd), "no room for more pins") != NULL;
}

static void full_map(int family)
{
	struct net *net = start("persistence = 5m scheduler = rr");
	const char *pinned = family == AF_INET ? "10.1.0.1" : "fd00:10:1::1";
	int isp = isp_of(net, pinned, lab_server_address(family, 1));
	crowd(net, family);
	struct lab_tally tally = lab_burst_run(
		net->lab, &(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 2),
							    .to = lab_server_address(family, 1)},
						   .count = 300,
						   .clients = 100});
	cr_assert_eq(tally.answered, 300, "%d flows failed", tally.failed);
	cr_assert_gt(tally.split_clients, 0, "they were pinned all the same: the map was not full");
	for (int server = 1; server < 4; server++) // who was there before stays
		cr_assert_eq(isp_of(net, pinned, lab_server_address(family, server)), isp);
	cr_assert(lab_wait_until(has_unpinned, net, 20000), "it is not in the log");
	char *output = NULL;
	net_gwctl(net, &output, "status default");
	cr_assert(strstr(output, "no room for more pins: "), "%s", output);
	free(output);
	net_gwctl(net, &output, "-j doctor");
	cr_assert(strstr(output, "new connections were not pinned"), "%s", output);
	free(output);
	net_gwctl(net, &output, "pins default | grep -c default");
	cr_assert_eq(atoi(output), 131072);
	free(output);
	net_finish(net);
}

Test(persistence, a_full_map_fails_open_and_is_told)
{
	full_map(AF_INET);
}

Test(persistence, a_full_map_of_ipv6_does_too)
{
	full_map(AF_INET6);
}
