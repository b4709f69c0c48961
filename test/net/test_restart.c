// SPDX-License-Identifier: GPL-2.0-or-later
// Reload and restart: as a whole or not at all, and nothing that flows notices.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

static const int weights[] = {3, 2, 1};

static void configure(struct net *net, int n, const char *more)
{
	char *gateways = net_gateways(net->lab, n, weights, false);
	net_configure(net, "%s balance default { persistence = 5m } %s", gateways, more);
	free(gateways);
}

static struct net *start(void)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	configure(net, 3, "");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	return net;
}

// What the kernel has, without what counts or times.
static char *kernel_state(struct net *net)
{
	char *output = NULL;
	lab_run(lab_router(net->lab), &output,
		"nft -s -a list table inet gwd | sed 's/ expires [0-9a-z]*//g'; ip rule; ip -6 rule; ip "
		"route show table all proto 200;"
		"ip -6 route show table all proto 200");
	return output;
}

Test(restart, a_reload_of_the_same_file_touches_nothing)
{
	struct net *net = start();
	struct lab_burst *held = net_hold(net, 200);
	char *before = kernel_state(net), *after;
	net_reload(net);
	lab_proc_signal(net->gwd, SIGHUP);
	cr_assert_eq(net_gwctl(net, &after, "status"), 0, "%s", after);
	free(after);
	after = kernel_state(net); // rule handles (-a) included
	cr_assert_str_eq(before, after);
	net_assert_alive(held, 200);
	lab_burst_free(held);
	free(before);
	free(after);
	net_finish(net);
}

Test(restart, a_bad_file_changes_nothing_and_says_where)
{
	struct net *net = start();
	char *before = kernel_state(net), *after, *output = NULL;
	net_configure(
		net, "gateway g1 { interface = wan1 wieght = 5 }\nbalance default { gateways = { g1, g9 } }\n"
		     "rule r { ports = 70000 balance = nowhere }");
	cr_assert_eq(net_gwctl(net, &output, "reload"), 1);
	cr_assert(strstr(output, "gwd.conf:4:") && strstr(output, "wieght"), "%s", output);
	cr_assert(strstr(output, "gwd.conf:5:") && strstr(output, "g9"), "%s", output);
	cr_assert(strstr(output, "gwd.conf:6:") && strstr(output, "70000") && strstr(output, "nowhere"), "%s",
		  output);
	after = kernel_state(net);
	cr_assert_str_eq(before, after);
	net_wait_up(net);
	free(output);
	free(before);
	free(after);
	net_finish(net);
}

Test(restart, a_member_comes_and_goes_and_the_others_keep_their_flows)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	configure(net, 2, "");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	struct lab_burst *held = net_hold(net, 200);
	configure(net, 3, "");
	net_reload(net);
	net_wait_up(net);
	net_assert_alive(held, 200);
	struct lab_tally tally = lab_burst_run(
		net->lab,
		&(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 2), .to = "198.51.100.1"},
					 .count = 240,
					 .clients = 240});
	net_assert_spread(&tally, weights, 3, 3);
	struct lab_stream *call = lab_stream_start_on(
		net->lab,
		&(struct lab_stream_spec){.flow = {.from = lab_host(net->lab, 2), .to = "198.51.100.2"}}, 3);
	configure(net, 2, "");
	// an answer on its way meets a host that knows neither its flow nor, from now on, its link: that the port is
	// unreachable is said by what main has, which is not gwd's to change
	lab_do(lab_router(net->lab), "ip rule add priority 20000 from 100.64.3.2 prohibit");
	net_reload(net);
	cr_assert(lab_stream_wait_answer(call, 1000), "the flow of the removed gateway is stuck");
	cr_assert_neq(lab_stream_stop(call).isp, 3);
	net_assert_alive(held, 200);
	cr_assert(!net_router_shows(
		net, "ip rule; ip route show table all proto 200; nft list table inet gwd", "wan3"));
	lab_burst_free(held);
	net_finish(net);
}

Test(restart, after_a_kill_everything_is_adopted)
{
	struct net *net = start();
	struct lab_burst *held = net_hold(net, 1000);
	char *before = kernel_state(net), *after;
	for (int i = 0; i < 3; i++) {
		lab_proc_signal(net->gwd, SIGKILL);
		cr_assert_eq(lab_proc_wait(net->gwd, 5000), 128 + SIGKILL);
		net_assert_alive(held, 1000); // also while nobody is there
		lab_proc_stop(net->gwd);
		net_gwd(net);
		net_wait_up(net);
		after = kernel_state(net);
		cr_assert_str_eq(before, after);
		free(after);
		net_assert_alive(held, 1000);
	}
	lab_burst_free(held);
	free(before);
	net_finish(net);
}

Test(restart, an_end_keeps_all_and_pins_survive)
{
	struct net *net = start();
	struct lab_flow flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1", .source = "10.1.0.7"};
	int isp = lab_connect(net->lab, &flow).isp;
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(lab_proc_stop(net->gwd), 0);
		cr_assert_eq(lab_connect(net->lab, &flow).isp, isp);
		net_gwd(net);
		net_wait_up(net);
		cr_assert_eq(lab_connect(net->lab, &flow).isp, isp);
	}
	net_finish(net);
}

Test(restart, a_changed_file_is_taken_over_by_a_restart)
{
	struct net *net = start();
	struct lab_burst *held = net_hold(net, 100);
	lab_proc_signal(net->gwd, SIGKILL);
	lab_proc_wait(net->gwd, 5000);
	lab_proc_stop(net->gwd);
	configure(net, 3, "rule r { to = 203.0.113.0/24 gateway = g3 }");
	net_gwd(net);
	net_wait_up(net);
	net_assert_alive(held, 100);
	cr_assert_eq(
		lab_connect(net->lab, &(struct lab_flow){.from = lab_host(net->lab, 1), .to = "203.0.113.1"})
			.isp,
		3);
	lab_burst_free(held);
	net_finish(net);
}

Test(restart, a_second_gwd_is_refused)
{
	struct net *net = start();
	char *output = NULL, *before = kernel_state(net), *after;
	const char *build = getenv("GWD_BUILD");
	int status = lab_run(lab_router(net->lab), &output, "%s/gwd -c %s -s %s", build ? build : "build",
			     net->config, lab_path(net->lab, "gwd.sock"));
	cr_assert_eq(status, 1, "%s", output);
	cr_assert_not_null(strstr(output, "another gwd"), "%s", output);
	after = kernel_state(net);
	cr_assert_str_eq(before, after);
	free(output);
	free(before);
	free(after);
	net_finish(net);
}
