// SPDX-License-Identifier: GPL-2.0-or-later
// Gateways that have enough: max-flows, spill; and least-load.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/net/held.h"
#include "test/net/net.h"

static struct net *start(const char *g1, const char *g2, const char *more)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	net_configure(
		net,
		"gateway g1 { interface = wan1 address = 100.64.1.1 address6 = none weight = 10 probes = { "
		"quick } %s }\n"
		"gateway g2 { interface = wan2 address = 100.64.2.1 address6 = none weight = 1 probes = { "
		"quick } %s }\n"
		"%s",
		g1, g2, more);
	net_gwd(net);
	net_wait_up(net);
	return net;
}

static struct lab_burst *flows(struct net *net, const char *to, int count, int clients)
{
	return held_all(net->lab, &(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1), .to = to},
							   .count = count,
							   .clients = clients,
							   .at_once = 1});
}

static int share_of_g1(struct net *net, const char *to, int count)
{
	struct lab_burst *held = flows(net, to, count, 20);
	int share = lab_burst_tally(held).isp[1];
	lab_burst_free(held);
	return share;
}

static bool status_shows(struct net *net, const char *text)
{
	char *output = NULL;
	net_gwctl(net, &output, "-j status");
	bool shows = strstr(output, text) != NULL;
	free(output);
	return shows;
}

static void wait_for(struct net *net, const char *text, bool shown)
{
	for (int i = 0; i < 200; i++) {
		if (status_shows(net, text) == shown)
			return;
		usleep(50000);
	}
	cr_assert(false, "status %s \"%s\":\n%s", shown ? "never shows" : "still shows", text,
		  lab_proc_output(net->gwd));
}

static void end_soon(struct net *net)
{
	lab_run(lab_router(net->lab), NULL,
		"cd /proc/sys/net/netfilter && for s in time_wait fin_wait close close_wait last_ack; do "
		"echo 1 > nf_conntrack_tcp_timeout_$s; done");
}

Test(load, a_full_gateway_is_left_alone_until_it_has_room)
{
	struct net *net = start("max-flows = 50", "", "balance default { persistence = off }");
	end_soon(net);
	struct lab_burst *held = flows(net, "198.51.100.1", 120, 20);
	int first = lab_burst_tally(held).isp[1];
	// its probes count (see test_counting.c); and on a busy machine a few milliseconds' worth of flows come before
	// gwd has read that it is full
	cr_assert(first >= 44 && first <= 70, "%d of 50", first);
	wait_for(net, "max-flows reached", true);
	cr_assert_eq(share_of_g1(net, "198.51.100.2", 20), 0);
	lab_burst_free(held);
	wait_for(net, "max-flows reached", false);
	cr_assert_geq(share_of_g1(net, "198.51.100.3", 22), 18);
	net_finish(net);
}

Test(load, pinned_clients_spill_strict_ones_stay_and_nobody_is_refused)
{
	struct net *net = start("max-flows = 40", "max-flows = 40",
				"balance default { persistence = 5m scheduler = fo }\n"
				"rule s { to = 198.51.100.3 gateway = g1 strict = yes }\n"
				"rule r { to = 198.51.100.4 gateway = g1 }");
	struct lab_burst *held = flows(net, "198.51.100.1", 30, 1); // one client, pinned to g1
	cr_assert_eq(lab_burst_tally(held).isp[1], 30);
	struct lab_burst *more = flows(net, "198.51.100.2", 20, 1);
	struct lab_tally tally = lab_burst_tally(more);
	cr_assert(tally.isp[1] <= 18 && tally.isp[2] >= 2, "%d and %d", tally.isp[1], tally.isp[2]);
	cr_assert_eq(share_of_g1(net, "198.51.100.3", 5), 5); // strict
	cr_assert_eq(share_of_g1(net, "198.51.100.4", 5), 0); // not strict
	lab_burst_poke(held);                                 // what was there goes on
	lab_burst_wait(held);
	cr_assert_eq(lab_burst_tally(held).answered, 30);
	struct lab_burst *all = flows(net, "198.51.100.2", 60, 30); // both are full now
	lab_burst_free(held);
	lab_burst_free(more);
	lab_burst_free(all);
	net_finish(net);
}

// 1,000 small packets a second, each way.
static struct lab_stream *load(struct net *net)
{
	return lab_stream_start(net->lab, &(struct lab_stream_spec){.flow = {.from = lab_host(net->lab, 2),
									     .to = "198.51.100.4"},
								    .rate_hz = 1000});
}

Test(load, spill_sends_new_flows_elsewhere_and_comes_back)
{
	struct net *net = start("bandwidth = 300kbit spill = 80%", "",
				"balance default { persistence = off }\n"
				"rule l { to = 198.51.100.4 gateway = g1 strict = yes }");
	cr_assert_geq(share_of_g1(net, "198.51.100.1", 22), 18);
	struct lab_stream *stream = load(net);
	wait_for(net, "above spill", true);
	cr_assert_eq(share_of_g1(net, "198.51.100.2", 20), 0);
	struct lab_stream_report report = lab_stream_stop(stream);
	cr_assert(report.lost == 0 && report.parts == 1 && report.isp == 1);
	wait_for(net, "above spill", false);
	cr_assert_geq(share_of_g1(net, "198.51.100.3", 22), 18);
	net_finish(net);
}

Test(load, least_load_prefers_the_free_line)
{
	struct net *net = start("bandwidth = 1mbit", "bandwidth = 1mbit",
				"balance default { scheduler = least-load persistence = off }\n"
				"rule l { to = 198.51.100.4 gateway = g1 strict = yes }");
	int even = share_of_g1(net, "198.51.100.1", 64);
	cr_assert(even >= 29 && even <= 35, "%d of 64 while both are idle", even);
	struct lab_stream *stream = load(net);
	usleep(8000000);
	int loaded = share_of_g1(net, "198.51.100.2", 64);
	lab_stream_stop(stream);
	cr_assert(loaded < even - 6, "%d of 64 while it is loaded, %d while idle", loaded, even);
	net_finish(net);
}

// No delay can be made here (test_load.c in test/unit has that): all goes by one of them.
Test(load, lowest_latency_keeps_to_one)
{
	struct net *net = start("", "", "balance default { scheduler = lowest-latency persistence = off }");
	int share = share_of_g1(net, "198.51.100.1", 10);
	cr_assert(share == 0 || share == 10, "%d of 10", share);
	net_finish(net);
}
