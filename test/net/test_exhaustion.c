// SPDX-License-Identifier: GPL-2.0-or-later
// Something of the kernel's has run out: what is there goes on, and an administrator is told.
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"
#include "test/net/strangers.h"

enum {
	CLIENTS = 900,
	PORT = 100, // a source port below 512 is translated into one of those
	PORTS = 511,
	ROOM = 600, // what the table has left when people come
	HELD = 100,
	ASSURED = 800, // answers in four seconds, after which the kernel doesn't give up a flow of UDP
};

static struct net *start(void)
{
	struct net *net = net_even(2, "balance default { gateways = g1 persistence = off }"
				      "rule guard { to = 198.51.100.4 gateway = g2 }");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	return net;
}

// One address, one far end, and more clients than there are ports.
Test(exhaustion, of_source_ports)
{
	static const char found[] = "found no free source port";
	struct net *net = start();
	struct lab_stream *live = lab_stream_start(
		net->lab,
		&(struct lab_stream_spec){.flow = {.from = lab_host(net->lab, 2), .to = "198.51.100.1"},
					  .rate_hz = 100});
	cr_assert(lab_stream_wait_answer(live, 5000));
	cr_expect(!net_doctor_says(net, found));
	struct lab_tally tally =
		lab_burst_run(net->lab, &(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1),
									  .to = "198.51.100.1",
									  .source_port = PORT},
								 .count = CLIENTS,
								 .clients = CLIENTS,
								 .at_once = CLIENTS,
								 .timeout_ms = 3000,
								 .udp = true});
	cr_expect(tally.answered > PORTS / 2 && tally.answered <= PORTS, "%d of %d", tally.answered, CLIENTS);
	cr_expect(net_doctor_says(net, found));
	cr_expect_str_eq(net_state(net, "g1"), "up", "probes need no port of it");
	cr_expect_eq(
		lab_connect(net->lab, &(struct lab_flow){.from = lab_host(net->lab, 1), .to = "198.51.100.1"})
			.outcome,
		LAB_ANSWERED, "a port above has room");
	cr_expect(lab_stream_wait_answer(live, 5000));
	cr_expect_eq(lab_stream_stop(live).lost, 0);
	net_finish(net);
}

static bool is_assured(void *arg)
{
	return lab_stream_peek(arg).answered > ASSURED;
}

static struct lab_tally newcomers(struct net *net)
{
	return lab_burst_run(net->lab, &(struct lab_burst_spec){
					       .flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
					       .count = 2 * ROOM,
					       .clients = 2 * ROOM,
					       .at_once = 2 * ROOM,
					       .timeout_ms = 1000,
					       .udp = true});
}

// Nobody new gets in. Whoever is there goes on, and no link is held for dead.
Test(exhaustion, of_room_for_connections, .timeout = 120)
{
	static const char found[] = "because conntrack had no room";
	struct net *net = start();
	struct lab_burst *held = net_hold(net, HELD);
	cr_assert(lab_wait_until(is_assured, net->guard, 20000));
	int strangers = strangers_max(net) - strangers_count(net) - ROOM;
	cr_assert_eq(strangers_add(net, strangers), strangers);
	cr_expect(net_doctor_says(net, "conntrack is nearly full"));
	cr_expect(!net_doctor_says(net, found));
	size_t before = net_transitions(net);
	struct lab_tally tally = newcomers(net);
	cr_expect_gt(tally.failed, 0, "all %d found room", tally.answered);
	cr_expect(net_doctor_says(net, found));
	net_assert_alive(held, HELD);
	int answered = lab_stream_peek(net->guard).answered;
	lab_fault_blackhole(net->lab, 1); // a death is seen, and a repair
	net_wait_state(net, "g1", "down", 10000);
	lab_fault_repair(net->lab, 1);
	net_wait_state(net, "g1", "up", 20000);
	cr_expect_eq(net_transitions(net), before + 2);
	cr_expect_gt(lab_stream_peek(net->guard).answered, answered);
	lab_burst_free(held);
	strangers_leave(net);
	cr_expect_eq(newcomers(net).failed, 0);
	net_finish(net);
}
