// SPDX-License-Identifier: GPL-2.0-or-later
// The clock on the wall is set a year ahead and back: nobody's state changes, pins and times go on. It is the machine's own,
// so that is done in a virtual one alone (test/vm/run-net).
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test/net/net.h"

enum { DAYS = 400, HELD = 10 };

static void shift(int days)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += days * 86400l;
	cr_assert_eq(clock_settime(CLOCK_REALTIME, &now), 0);
}

struct answers {
	struct net *net;
	int wanted;
};

static bool are_answered(void *arg)
{
	const struct answers *answers = arg;
	return lab_stream_peek(answers->net->guard).answered >= answers->wanted;
}

// So many more packets are answered: time goes on, whatever the clock says.
static void live_on(struct net *net, int packets)
{
	struct answers answers = {net, lab_stream_peek(net->guard).answered + packets};
	cr_assert(lab_wait_until(are_answered, &answers, net_patience(20000)));
}

static void works(struct net *net, struct lab_burst *held, int isp)
{
	struct lab_flow flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1", .source = "10.1.0.7"};
	char *output = NULL;
	live_on(net, 600);
	net_assert_alive(held, HELD);
	cr_expect_eq(lab_connect(net->lab, &flow).isp, isp, "the pin stays");
	cr_expect_eq(net_gwctl(net, &output, "status"), 0, "%s", output);
	free(output);
}

// Criterion, too, looks at that clock.
Test(clock, a_year_ahead_and_back_is_nothing, .timeout = 5 * DAYS * 86400.)
{
	if (!getenv("IN_STOCKVM"))
		cr_skip("the clock is this machine's: test/vm/stockvm test/vm/run-net 'clock/*'");
	struct net *net = net_even(3, "balance default { persistence = 5m }");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	struct lab_burst *held = net_hold(net, HELD);
	int isp = lab_connect(net->lab, &(struct lab_flow){.from = lab_host(net->lab, 1),
							   .to = "198.51.100.1",
							   .source = "10.1.0.7"})
			  .isp;
	size_t before = net_transitions(net);
	static const int days[] = {DAYS, -2 * DAYS, DAYS};
	for (size_t i = 0; i < sizeof(days) / sizeof(*days); i++) {
		shift(days[i]);
		works(net, held, isp);
		cr_expect_eq(net_transitions(net), before);
	}
	shift(DAYS); // what dies then dies all the same
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	shift(-DAYS);
	lab_fault_repair(net->lab, 1);
	net_wait_state(net, "g1", "up", 10000);
	lab_burst_free(held);
	net_finish(net);
}
