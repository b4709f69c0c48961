// SPDX-License-Identifier: GPL-2.0-or-later
// Gateways that follow the kernel: DHCP, router advertisements, PPP; links that change and vanish.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"
#include "test/net/residue.h"

enum { CYCLES = 20, RECREATIONS = 100, RENUMBERINGS = 100 };

static const int weights[] = {1, 1, 1, 1};

static struct net *start(const struct lab_spec *spec, int n, int guard)
{
	struct net *net = net_lab(spec);
	char *gateways = net_gateways(net->lab, n, weights, true);
	net_configure(net, "%s balance default { scheduler = rr persistence = off }", gateways);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	if (guard)
		net_guard(net, guard);
	return net;
}

static void assert_all_used(struct net *net, int n)
{
	for (int i = 0; i < 2; i++) {
		struct lab_tally tally = lab_burst_run(
			net->lab, &(struct lab_burst_spec){
					  .flow = {.from = lab_host(net->lab, 1),
						   .to = lab_server_address(i ? AF_INET6 : AF_INET, 1)},
					  .count = 30 * n});
		net_assert_spread(&tally, weights, n, 2);
	}
}

Test(dynamic, automatic_gateways_are_those_of_the_kernel)
{
	struct net *net = start(&(struct lab_spec){.isps = 3, .routes = true}, 3, 3);
	assert_all_used(net, 3);
	net_finish(net);
}

static bool all_used(void *arg)
{
	struct net *net = arg;
	struct lab_tally tally = lab_burst_run(
		net->lab,
		&(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
					 .count = 60});
	return tally.answered == 60 && tally.isp[1] >= 19 && tally.isp[2] >= 19 && tally.isp[3] >= 19;
}

Test(dynamic, a_renewed_lease_with_another_subnet_is_followed)
{
	struct net *net = start(&(struct lab_spec){.isps = 3, .routes = true}, 3, 3);
	struct lab_stream *call = lab_stream_start_on(
		net->lab,
		&(struct lab_stream_spec){.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.2"}}, 1);
	for (int i = 0; i < 3; i++) {
		lab_fault_renumber(net->lab, 1);
		cr_assert(lab_wait_until(all_used, net, 10000), "the new address is not used");
		cr_assert(lab_stream_wait_answer(call, 2000), "the flow is stuck on the old address");
	}
	lab_stream_stop(call);
	net_wait_up(net);
	assert_all_used(net, 3);
	net_finish(net);
}

static bool next_hop_is(void *arg)
{
	struct net *net = arg;
	return net_router_shows(net, "ip route show table all proto 200", "via 100.64.1.9 dev wan1");
}

Test(dynamic, a_changed_default_route_is_followed)
{
	struct net *net = start(&(struct lab_spec){.isps = 2, .routes = true}, 2, 2);
	lab_do(lab_isp(net->lab, 1), "ip addr add 100.64.1.9/24 dev $(ip -br -4 addr | awk "
				     "'/100.64.1.1\\//{sub(/@.*/,\"\",$1); print $1}')");
	lab_do(lab_router(net->lab), "ip route replace default via 100.64.1.9 dev wan1 proto dhcp metric 50");
	cr_assert(lab_wait_until(next_hop_is, net, 2000));
	net_wait_up(net);
	assert_all_used(net, 2);
	lab_do(lab_router(net->lab), "ip route del default via 100.64.1.9 dev wan1 metric 50");
	lab_do(lab_router(net->lab), "ip route flush default dev wan1; ip -6 route flush default dev wan1");
	net_wait_state(net, "g1", "down", 2000);
	net_finish(net);
}

Test(dynamic, a_point_to_point_link_works_without_a_next_hop)
{
	struct net *net = start(&(struct lab_spec){.isps = 2, .ppp = true, .routes = true}, 3, 1);
	assert_all_used(net, 3);
	net_finish(net);
}

Test(dynamic, ppp_may_go_and_come_back_with_another_index_and_address)
{
	struct net *net = start(&(struct lab_spec){.isps = 2, .ppp = true, .routes = true}, 3, 1);
	for (int i = 0; i < 3; i++) {
		struct lab_stream *call =
			lab_stream_start_on(net->lab,
					    &(struct lab_stream_spec){.flow = {.from = lab_host(net->lab, 1),
									       .to = "198.51.100.2"}},
					    3);
		lab_fault_delete(net->lab, 3);
		net_wait_state(net, "g3", "down", 2000);
		cr_assert(lab_stream_wait_answer(call, 2000));
		lab_stream_stop(call);
		lab_fault_renumber(net->lab, 3);
		lab_fault_recreate(net->lab, 3);
		net_wait_state(net, "g3", "up", 10000);
		assert_all_used(net, 3);
	}
	net_finish(net);
}

// `make long`: 1000.
static int times(void)
{
	const char *text = getenv("RECREATIONS");
	return text ? atoi(text) : RECREATIONS;
}

// As a line that breaks all the time.
Test(dynamic, a_link_that_goes_and_comes_all_the_time_leaves_nothing_behind, .timeout = 3600)
{
	struct net *net = start(&(struct lab_spec){.isps = 2, .ppp = true, .routes = true}, 3, 0);
	struct residue before = residue_of(net);
	int64_t guarded_ms = 0;
	for (int i = 0; i < times(); i++) {
		if (i % 10 == 0)
			net_wait_state(net, "g3", "up", 10000);
		if (lab_now_ms() - guarded_ms > LAB_STREAM_LIMIT_S * 500)
			guarded_ms = net_guard_on(net, 1);
		lab_fault_delete(net->lab, 3);
		lab_fault_recreate(net->lab, 3);
	}
	net_wait_state(net, "g3", "up", 10000);
	assert_all_used(net, 3);
	residue_expect(net, &before);
	net_finish(net);
}

Test(dynamic, addresses_that_change_all_the_time_leave_nothing_behind, .timeout = 300)
{
	struct net *net = start(&(struct lab_spec){.isps = 3, .routes = true}, 3, 3);
	struct residue before = residue_of(net);
	for (int i = 0; i < RENUMBERINGS; i++) {
		if (i % 10 == 0)
			net_wait_up(net);
		lab_fault_renumber(net->lab, 1 + i % 2);
	}
	net_wait_up(net);
	assert_all_used(net, 3);
	residue_expect(net, &before);
	net_finish(net);
}

static bool address_is_guarded(void *arg)
{
	return net_router_shows(arg, "ip route show table main proto 200", "blackhole 100.64.4.2") &&
	       net_router_shows(arg, "ip -6 route show table main proto 200", "blackhole 2001:db8:4::2");
}

// Probes go on while addresses come and go: what answers to one that isn't there stays here.
Test(dynamic, no_answer_is_sent_back_out_while_addresses_come_and_go, .timeout = 120)
{
	struct net *net = start(&(struct lab_spec){.isps = 3, .ppp = true, .routes = true}, 4, 1);
	cr_assert(lab_wait_until(address_is_guarded, net, 5000));
	for (int i = 0; i < CYCLES; i++) {
		lab_fault_renumber(net->lab, 4);
		cr_assert(address_is_guarded(net), "not any more when it is gone");
		lab_fault_delete(net->lab, 4);
		lab_fault_recreate(net->lab, 4);
		lab_fault_admin_down(net->lab, 4);
		lab_fault_admin_up(net->lab, 4);
	}
	net_wait_up(net);
	assert_all_used(net, 4);
	net_finish(net);
}

Test(dynamic, a_gateway_may_appear_after_the_start)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2, .ppp = true, .routes = true});
	char *gateways = net_gateways(net->lab, 3, weights, true);
	net_configure(net, "%s balance default { scheduler = rr persistence = off }", gateways);
	free(gateways);
	lab_fault_delete(net->lab, 3);
	net_gwd(net);
	net_wait_state(net, "g1", "up", 5000);
	net_wait_state(net, "g2", "up", 5000);
	net_guard(net, 1);
	cr_assert_str_eq(net_state(net, "g3"), "down");
	lab_fault_recreate(net->lab, 3);
	net_wait_state(net, "g3", "up", 5000);
	assert_all_used(net, 3);
	net_finish(net);
}
