// SPDX-License-Identifier: GPL-2.0-or-later
// lowest-latency on lines that are really slow: two equal ones don't take turns, a slower one loses. Delays are large
// beside what a busy machine adds of its own.
#include <stdlib.h>

#include "test/net/net.h"

static void delay(struct net *net, int isp, int ms)
{
	lab_do(lab_isp(net->lab, isp), "tc qdisc replace dev cust0 root netem delay %dms", ms);
}

// The link that all new flows of a while take; 0: not always the same one.
static int chosen(struct net *net, int count)
{
	struct lab_tally tally = lab_burst_run(
		net->lab,
		&(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
					 .count = count,
					 .at_once = 1,
					 .timeout_ms = 10000,
					 .udp = true});
	cr_assert_eq(tally.answered, count, "%d failed", tally.failed);
	return tally.isp[1] == count ? 1 : tally.isp[2] == count ? 2 : 0;
}

// How often a new flow took another link than the one before; `last`: the link of the last one.
static int moved(struct net *net, int count, int *last)
{
	int moves = 0;
	for (int i = 0; i < count; i++) {
		int now = chosen(net, 1);
		moves += *last && now != *last;
		*last = now;
	}
	return moves;
}

static bool first_is_chosen(void *arg)
{
	return chosen(arg, 4) == 1;
}

static bool second_is_chosen(void *arg)
{
	return chosen(arg, 4) == 2;
}

Test(latency, the_quickest_takes_all_and_equal_ones_do_not_take_turns)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	if (lab_run(lab_isp(net->lab, 1), NULL, "tc qdisc replace dev cust0 root netem delay 400ms")) {
		lab_destroy(net->lab);
		cr_skip("this kernel has no netem");
	}
	delay(net, 2, 400);
	net_configure(net,
		      "probe slow { interval = 500ms timeout = 8s fall = 100 window = 5s }"
		      "gateway g1 { interface = wan1 address = 100.64.1.1 probes = slow }"
		      "gateway g2 { interface = wan2 address = 100.64.2.1 probes = slow }"
		      "gateway g3 { interface = wan3 address = 100.64.3.1 probes = quick }"
		      "balance default { gateways = { g1, g2 } scheduler = lowest-latency persistence = off }"
		      "rule guard { to = 198.51.100.4 gateway = g3 }");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	delay(net, 2, 1200);
	cr_assert(lab_wait_until(first_is_chosen, net, 120000));
	delay(net, 2, 400); // equal again
	// who takes turns moves all the time; a busy emulator itself delays a line for a while now and then
	int last = 0, moves = moved(net, 40, &last);
	cr_assert(moves <= 5, "40 new flows moved %d times", moves);
	delay(net, last, 1200);
	cr_assert(lab_wait_until(last == 1 ? second_is_chosen : first_is_chosen, net, 120000),
		  "the slower one keeps them");
	net_finish(net);
}
