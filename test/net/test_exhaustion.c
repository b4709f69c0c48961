// SPDX-License-Identifier: GPL-2.0-or-later
// Something of the kernel's has run out: what is there goes on, and an administrator is told.
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

enum {
	CLIENTS = 900,
	PORT = 100, // a source port below 512 is translated into one of those
	PORTS = 511,
};

// One address, one far end, and more clients than there are ports.
Test(exhaustion, of_source_ports)
{
	static const char found[] = "found no free source port";
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	char *gateways = net_gateways(net->lab, 2, (const int[]){1, 1}, false);
	net_configure(net,
		      "%s balance default { gateways = g1 persistence = off }"
		      "rule guard { to = 198.51.100.4 gateway = g2 }",
		      gateways);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
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
