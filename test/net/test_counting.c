// SPDX-License-Identifier: GPL-2.0-or-later
// Schedulers that go by live flows, as conntrack's events count them. What counts is all of a gateway's
// flows, its probes' among them, so it is the status that must be in proportion.
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/net/held.h"
#include "test/net/net.h"

static const int weights[] = {3, 2, 1};

// On an idle machine they are right to one flow. Where others take the processor from gwd for some 10 ms,
// as many flows meet slots that are not up to date.
enum { NEAR = 12 };

// Its gateways don't go down, however busy the machine: a flow that moves is counted elsewhere.
static struct net *start(const char *scheduler, const char *more)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	char *gateways = net_gateways(net->lab, 3, weights, false);
	for (char *probe = gateways; (probe = strstr(probe, "quick"));)
		memcpy(probe, "never", 5);
	net_configure(net,
		      "probe never { fall = 100 timeout = 1s }\n%s balance default { scheduler = %s "
		      "persistence = off } %s",
		      gateways, scheduler, more);
	net_gwd(net);
	net_wait_up(net);
	free(gateways);
	return net;
}

static struct lab_burst *hold(struct net *net, const char *to, int count, int at_once)
{
	return held_all(net->lab, &(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1), .to = to},
							   .count = count,
							   .clients = 50,
							   .at_once = at_once,
							   .timeout_ms = 10000});
}

static void live_flows(struct net *net, int flows[3])
{
	char *output = NULL;
	json_t *root, *entry;
	size_t i;
	cr_assert_eq(net_gwctl(net, &output, "-j status"), 0, "%s", output);
	root = json_loads(output, 0, NULL);
	json_array_foreach(json_object_get(root, "gateways"), i, entry) flows[i] =
		(int)json_integer_value(json_object_get(entry, "flows"));
	json_decref(root);
	free(output);
}

static void assert_three_two_one(struct net *net, int slack)
{
	int flows[3];
	live_flows(net, flows);
	int sum = flows[0] + flows[1] + flows[2];
	for (int i = 0; i < 3; i++)
		cr_assert_leq(abs(flows[i] * 6 - sum * weights[i]), slack * 6, "%d:%d:%d", flows[0], flows[1],
			      flows[2]);
}

static void one_by_one(const char *scheduler, const char *to)
{
	struct net *net = start(scheduler, "");
	struct lab_burst *held = hold(net, to, 600, 1);
	struct lab_tally tally = lab_burst_tally(held);
	net_assert_spread(&tally, weights, 3, NEAR);
	assert_three_two_one(net, NEAR);
	lab_burst_free(held);
	net_finish(net);
}

Test(counting, wlc_is_three_two_one)
{
	one_by_one("wlc", "198.51.100.1");
}

Test(counting, sed_is_three_two_one_in_ipv6)
{
	one_by_one("sed", "2001:db8:aaaa::1");
}

Test(counting, nq_is_three_two_one)
{
	one_by_one("nq", "198.51.100.1");
}

struct counted {
	struct net *net;
	int sum;
};

static bool is_counted(void *arg)
{
	const struct counted *counted = arg;
	int flows[3];
	live_flows(counted->net, flows);
	return flows[0] + flows[1] + flows[2] == counted->sum;
}

// Where gwd has seen each flow before the next one comes, as it does at rates that leave it time to, none is misplaced:
// however busy the machine. (At a rate: make bench NAME=counting.)
Test(counting, to_one_flow)
{
	enum { FLOWS = 60 };
	struct net *net = start("wlc", "");
	struct lab_burst *held[FLOWS];
	struct counted counted = {.net = net};
	int flows[3];
	live_flows(net, flows);
	counted.sum = flows[0] + flows[1] + flows[2];
	for (int i = 0; i < FLOWS; i++) {
		held[i] = hold(net, "198.51.100.1", 1, 1);
		counted.sum++;
		cr_assert(lab_wait_until(is_counted, &counted, 5000), "flow %d was not counted", i);
		assert_three_two_one(net, 1);
	}
	for (int i = 0; i < FLOWS; i++)
		lab_burst_free(held[i]);
	net_finish(net);
}

Test(counting, many_at_once_are_three_two_one)
{
	struct net *net = start("wlc", "");
	struct lab_burst *held = hold(net, "198.51.100.1", 6000, 64);
	assert_three_two_one(net, 60); // 1 %
	struct lab_burst *more = hold(net, "198.51.100.2", 30, 1);
	assert_three_two_one(net, NEAR);
	lab_burst_free(held);
	lab_burst_free(more);
	net_finish(net);
}

// One gateway is given flows that its balance has no hand in; the balance makes up for it.
Test(counting, lc_fills_up_who_has_few)
{
	struct net *net = start("lc", "rule r { to = 198.51.100.2 gateway = g1 }");
	struct lab_burst *first = hold(net, "198.51.100.2", 60, 4);
	struct lab_burst *second = hold(net, "198.51.100.1", 60, 1);
	struct lab_tally tally = lab_burst_tally(second);
	cr_assert_leq(tally.isp[1], NEAR / 2);
	cr_assert_leq(abs(tally.isp[2] - 30), NEAR / 2, "%d and %d", tally.isp[2], tally.isp[3]);
	lab_run(lab_router(net->lab), NULL,
		"cd /proc/sys/net/netfilter && for s in time_wait fin_wait close close_wait last_ack; do "
		"echo 1 > nf_conntrack_tcp_timeout_$s; done");
	lab_burst_free(second); // they end, and g2 and g3 are as empty as at first
	int flows[3] = {0, 100, 100};
	for (int i = 0; i < 300 && (flows[1] > 6 || flows[2] > 6); i++) { // the probes' stay
		usleep(100000);
		live_flows(net, flows);
	}
	cr_assert(flows[1] <= 6 && flows[2] <= 6, "%d and %d have not ended", flows[1], flows[2]);
	second = hold(net, "198.51.100.1", 180, 1);
	tally = lab_burst_tally(second);
	cr_assert_leq(abs(tally.isp[1] - 20), NEAR, "%d", tally.isp[1]);
	lab_burst_free(first);
	lab_burst_free(second);
	net_finish(net);
}

Test(counting, a_restart_counts_anew)
{
	struct net *net = start("wlc", "");
	struct lab_burst *held[3];
	held[0] = hold(net, "198.51.100.1", 60, 1);
	lab_proc_signal(net->gwd, SIGKILL);
	lab_proc_wait(net->gwd, 5000);
	held[1] = hold(net, "198.51.100.2", 60, 1); // nobody counts these
	net_gwd(net);
	net_wait_up(net);
	held[2] = hold(net, "198.51.100.3", 120, 1);
	assert_three_two_one(net, NEAR);
	int flows[3];
	live_flows(net, flows);
	cr_assert_geq(flows[0] + flows[1] + flows[2], 240);
	cr_assert_leq(flows[0] + flows[1] + flows[2], 265); // and the probes'
	for (int i = 0; i < 3; i++)
		lab_burst_free(held[i]);
	net_finish(net);
}

// More events than the socket has room for, while gwd is held up.
Test(counting, lost_events_are_made_up_for)
{
	struct net *net = start("wlc", "");
	int before[3], after[3];
	live_flows(net, before);
	lab_proc_signal(net->gwd, SIGSTOP);
	struct lab_tally tally = lab_burst_run(
		net->lab,
		&(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
					 .count = 50000,
					 .clients = 50000,
					 .at_once = 200,
					 .udp = true});
	lab_proc_signal(net->gwd, SIGCONT);
	usleep(2000000);
	cr_assert(strstr(lab_proc_output(net->gwd), "events of conntrack were lost"));
	live_flows(net, after);
	for (int i = 0; i < 3; i++)
		cr_assert_leq(abs(after[i] - before[i] - tally.isp[i + 1]), 8,
			      "g%d: %d, then %d with %d more", i + 1, before[i], after[i], tally.isp[i + 1]);
	net_finish(net);
}
