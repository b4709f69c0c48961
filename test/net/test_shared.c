// SPDX-License-Identifier: GPL-2.0-or-later
// Two gateways on one segment: each is used, each is probed, one's death is not the other's.
#include <stdio.h>
#include <stdlib.h>

#include "gwd/base/buf.h"
#include "test/net/net.h"

static const int weights[] = {1, 1, 1};

static void told_apart(enum lab_shared shared)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 1, .shared = shared});
	char *gateways = net_gateways(net->lab, 3, weights, false);
	net_configure(net, "%s balance default { scheduler = rr persistence = off }", gateways);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 1);
	struct lab_burst_spec spec = {.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
				      .count = 300};
	struct lab_tally tally = lab_burst_run(net->lab, &spec);
	net_assert_spread(&tally, weights, 3, 2);
	spec.flow.to = "2001:db8:aaaa::1"; // from the right one of the router's addresses (net_finish())
	tally = lab_burst_run(net->lab, &spec);
	net_assert_spread(&tally, weights, 3, 2);
	spec.flow.to = "198.51.100.1";
	lab_fault_blackhole(net->lab, 2);
	net_wait_state(net, "g2", "down", 5000);
	cr_assert_str_eq(net_state(net, "g3"), "up");
	tally = lab_burst_run(net->lab, &spec);
	cr_assert_eq(tally.answered, 300);
	cr_assert(tally.isp[2] == 0 && tally.isp[3] == 150);
	lab_fault_repair(net->lab, 2);
	net_wait_state(net, "g2", "up", 10000);
	tally = lab_burst_run(net->lab, &spec);
	net_assert_spread(&tally, weights, 3, 2);
	net_finish(net);
}

Test(shared, with_a_subnet_each)
{
	told_apart(LAB_SHARED_TWO_SUBNETS);
}

// Each of them was looked for as often as there are gateways, and all again with each: gwd did nothing else.
Test(shared, hundreds_by_one_interface)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 1});
	struct buf text = {0};
	lab_do(lab_isp(net->lab, 1),
	       "for i in $(seq 250); do echo addr add 172.30.0.$i dev lo; done | ip -batch -");
	lab_do(lab_router(net->lab), "ip route add 172.30.0.0/24 dev wan1");
	for (int i = 1; i <= 250; i++)
		buf_printf(&text, "gateway g%d { interface = wan1 address = 172.30.0.%d }\n", i, i);
	net_configure(net, "%s", buf_text(&text));
	buf_free(&text);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 1);
	struct lab_burst_spec spec = {.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
				      .count = 300};
	cr_assert_eq(lab_burst_run(net->lab, &spec).answered, 300);
	net_finish(net);
}

Test(shared, in_one_subnet)
{
	told_apart(LAB_SHARED_ONE_SUBNET);
}
