// SPDX-License-Identifier: GPL-2.0-or-later
// New flows are spread over the gateways by weight.
#include <stdlib.h>

#include "test/net/net.h"

static const int weights[] = {3, 2, 1};

static void spread(bool udp, int family)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	char *gateways = net_gateways(net->lab, 3, weights, false);
	net_configure(net, "%s balance default { scheduler = wrr persistence = off }", gateways);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	struct lab_tally tally = lab_burst_run(
		net->lab, &(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1),
							    .to = lab_server_address(family, 1)},
						   .count = 600,
						   .clients = 200,
						   .udp = udp});
	net_assert_spread(&tally, weights, 3, 1);
	free(gateways);
	net_finish(net);
}

Test(weights, tcp4_is_three_two_one)
{
	spread(false, AF_INET);
}

Test(weights, udp4_is_three_two_one)
{
	spread(true, AF_INET);
}

Test(weights, tcp6_is_three_two_one)
{
	spread(false, AF_INET6);
}

Test(weights, udp6_is_three_two_one)
{
	spread(true, AF_INET6);
}
