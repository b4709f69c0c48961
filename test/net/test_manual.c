// SPDX-License-Identifier: GPL-2.0-or-later
// The operator's hand: disable moves flows at once, drain lets them end, weight counts; all of it is
// shown, and outlives a reload and a restart.
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

static const int weights[] = {3, 2, 1};

static struct net *start(const char *persistence)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	char *gateways = net_gateways(net->lab, 3, weights, false);
	net_configure(net, "%s balance default { persistence = %s }", gateways, persistence);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	return net;
}

static void expect_gwctl(struct net *net, const char *arguments, int status, const char *text)
{
	char *output = NULL;
	int got = net_gwctl(net, &output, "%s", arguments);
	cr_assert_eq(got, status, "gwctl %s: %d: %s", arguments, got, output);
	cr_assert(strstr(output, text), "gwctl %s: %s", arguments, output);
	free(output);
}

static struct lab_tally burst(struct net *net, int count)
{
	return lab_burst_run(net->lab, &(struct lab_burst_spec){
					       .flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
					       .count = count,
					       .clients = count});
}

static struct lab_stream *stream_on(struct net *net, int isp)
{
	return lab_stream_start_on(
		net->lab,
		&(struct lab_stream_spec){.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"}},
		isp);
}

Test(manual, disable_moves_flows_at_once_and_enable_brings_it_back)
{
	struct net *net = start("5m");
	struct lab_stream *call = stream_on(net, 1);
	expect_gwctl(net, "disable g1", 0, "g1: disabled, weight 3: disabled by the operator since 20");
	cr_assert(lab_stream_wait_answer(call, 1000));
	cr_expect_str_eq(net_state(net, "g1"), "disabled");
	expect_gwctl(net, "status", 0, "disabled by the operator");
	struct lab_tally tally = burst(net, 30);
	cr_expect_eq(tally.answered, 30);
	cr_expect_eq(tally.isp[1], 0);
	struct lab_stream_report report = lab_stream_stop(call);
	cr_expect_eq(report.parts, 2);
	cr_expect_neq(report.part[1].isp, 1);
	expect_gwctl(net, "enable g1", 0, "g1: up, weight 3");
	tally = burst(net, 60);
	cr_expect_gt(tally.isp[1], 0);
	net_finish(net);
}

Test(manual, drain_lets_flows_end_and_survives_a_reload)
{
	struct net *net = start("5m");
	struct lab_stream *call = stream_on(net, 1);
	expect_gwctl(net, "drain g1", 0, "g1: drain, weight 0: drained by the operator since 20");
	expect_gwctl(net, "reload", 0, "is taken");
	cr_expect_str_eq(net_state(net, "g1"), "drain");
	struct lab_tally tally = burst(net, 30);
	cr_expect_eq(tally.answered, 30);
	cr_expect_eq(tally.isp[1], 0);
	cr_assert(lab_stream_wait_answer(call, 1000));
	struct lab_stream_report report = lab_stream_stop(call);
	cr_expect_eq(report.parts, 1, "the flow moved");
	expect_gwctl(net, "undrain g1", 0, "g1: up, weight 3");
	net_finish(net);
}

Test(manual, weight_counts_at_once)
{
	static const int by_hand[] = {3, 2, 5};
	struct net *net = start("off");
	expect_gwctl(net, "weight g3 5", 0, "g3: up, weight 5");
	expect_gwctl(net, "status", 0, "weight 5 by the operator since 20");
	struct lab_tally tally = burst(net, 100);
	net_assert_spread(&tally, by_hand, 3, 2);
	expect_gwctl(net, "weight g3 default", 0, "g3: up, weight 1");
	tally = burst(net, 60);
	net_assert_spread(&tally, weights, 3, 2);
	net_finish(net);
}

Test(manual, survives_a_restart)
{
	struct net *net = start("5m");
	expect_gwctl(net, "disable g1", 0, "g1: disabled");
	expect_gwctl(net, "weight g2 7", 0, "weight 7");
	lab_proc_stop(net->gwd);
	net_gwd(net);
	cr_expect_str_eq(net_state(net, "g1"), "disabled");
	expect_gwctl(net, "status g2", 0, "weight 7 by the operator since 20");
	struct lab_tally tally = burst(net, 30);
	cr_expect_eq(tally.answered, 30);
	cr_expect_eq(tally.isp[1], 0);
	net_finish(net);
}

Test(manual, what_can_not_be_done_is_refused)
{
	struct net *net = start("5m");
	expect_gwctl(net, "drain nobody", 1, "no gateway is named \"nobody\": there is g1, g2, g3");
	expect_gwctl(net, "weight g1 many", 2, "not a number: use 0 to 65535, or default");
	expect_gwctl(net, "weight g1 -1", 2, "use 0 to 65535, or default");
	expect_gwctl(net, "weight -1", 2, "usage: gwctl weight NAME N");
	expect_gwctl(net, "weight g1", 2, "usage: gwctl weight NAME N");
	cr_expect_str_eq(net_state(net, "g1"), "up");
	net_finish(net);
}

static void configure_socket(struct net *net, const char *name)
{
	char *gateways = net_gateways(net->lab, 2, weights, false);
	net_configure(net, "control = \"%s\" %s", lab_path(net->lab, name), gateways);
	free(gateways);
}

static bool has_src_valid_mark(struct net *net)
{
	return net_router_shows(net, "sysctl -n net.ipv4.conf.all.src_valid_mark", "1");
}

// What is set by hand, and how the kernel's settings were before.
Test(manual, what_is_noted_beside_the_socket_goes_where_that_goes)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	cr_assert(!has_src_valid_mark(net));
	configure_socket(net, "other.sock");
	net_gwd_by_file(net);
	lab_do(lab_router(net->lab), "%s/gwctl -s %s drain g1", net_build(),
	       lab_path(net->lab, "other.sock"));
	configure_socket(net, "gwd.sock");
	lab_proc_signal(net->gwd, SIGHUP);
	cr_assert(lab_proc_wait_output(net->gwd, "reloaded", net_patience(5000)));
	cr_assert_eq(lab_proc_stop(net->gwd), 0);
	net_gwd_by_file(net);
	cr_expect_str_eq(net_state(net, "g1"), "drain");
	cr_assert(has_src_valid_mark(net));
	expect_gwctl(net, "flush", 0, "");
	cr_expect(!has_src_valid_mark(net), "it is not as it was found");
	net_finish(net);
}

// The same command again is not "nothing to do" as long as a restart would forget it.
Test(manual, what_could_not_be_noted_is_noted_by_the_next_try)
{
	struct net *net = start("5m");
	const char *file = lab_path(net->lab, "gwd.sock.manual");
	lab_do(lab_router(net->lab), "mkdir %s", file);
	expect_gwctl(net, "drain g1", 1, "it is in force, but can't be noted");
	expect_gwctl(net, "drain g1", 1, "it is in force, but can't be noted");
	lab_do(lab_router(net->lab), "rmdir %s", file);
	expect_gwctl(net, "drain g1", 0, "g1: drain");
	lab_proc_stop(net->gwd);
	net_gwd(net);
	cr_expect_str_eq(net_state(net, "g1"), "drain");
	net_finish(net);
}
