// SPDX-License-Identifier: GPL-2.0-or-later
// Schedulers that go by live flows, as conntrack's events count them.
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

static const int weights[] = {3, 2, 1};

static struct net *start(const char *scheduler)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	char *gateways = net_gateways(net->lab, 3, weights, false);
	net_configure(net, "%s balance default { scheduler = %s persistence = off }", gateways, scheduler);
	net_gwd(net);
	net_wait_up(net);
	free(gateways);
	return net;
}

// TCP flows that stay open; those begun on this host end when the burst is freed.
static struct lab_burst *hold(struct net *net, int host, int count, int family, int at_once)
{
	struct lab_burst *held = lab_burst_start(
		net->lab, &(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, host),
							    .to = lab_server_address(family, host)},
						   .count = count,
						   .clients = 50,
						   .at_once = at_once,
						   .timeout_ms = 10000,
						   .hold = true});
	lab_burst_wait(held);
	cr_assert_eq(lab_burst_tally(held).answered, count, "%d flows failed", lab_burst_tally(held).failed);
	return held;
}

Test(counting, wlc_is_three_two_one)
{
	struct net *net = start("wlc");
	struct lab_burst *held = hold(net, 1, 600, AF_INET, 1);
	struct lab_tally tally = lab_burst_tally(held);
	net_assert_spread(&tally, weights, 3, 1);
	lab_burst_free(held);
	net_finish(net);
}
