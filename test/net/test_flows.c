// SPDX-License-Identifier: GPL-2.0-or-later
// gwctl flows: who is where, by filters, and a long table without room for it.
#include <stdlib.h>
#include <string.h>

#include "test/net/inbound.h"

static const int weights[] = {1, 1, 1};

static struct net *start(const char *more)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	char *gateways = net_gateways(net->lab, 3, weights, false);
	net_configure(net, "fastpath = off\n%s balance default { gateways = g1 }\n%s", gateways, more);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	return net;
}

static int count(struct net *net, const char *filter)
{
	char *output = NULL;
	cr_assert_eq(net_gwctl(net, &output, "-j flows %s | wc -l", filter), 0);
	int n = atoi(output);
	free(output);
	return n;
}

static long resident_kib(struct net *net)
{
	char *output = NULL;
	lab_run(lab_router(net->lab), &output, "grep VmRSS /proc/%d/status | tr -dc 0-9",
		(int)lab_proc_pid(net->gwd));
	long kib = atol(output);
	free(output);
	return kib;
}

Test(flows, are_told_by_gateway_and_by_filter)
{
	struct net *net = start("rule third { to = 203.0.113.0/24 gateway = g3 }");
	char *output = NULL;
	lab_ns_sysctl(lab_router(net->lab), "netfilter/nf_conntrack_acct", "1");
	struct lab_burst *held = net_hold(net, 40);
	struct lab_burst *third = lab_burst_start(
		net->lab,
		&(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1), .to = "203.0.113.2"},
					 .count = 10,
					 .clients = 10,
					 .hold = true});
	lab_burst_wait(third);
	cr_expect_eq(count(net, "tcp g1"), 40);
	cr_expect_eq(count(net, "tcp g3"), 10);
	cr_expect_eq(count(net, "tcp g2"), 0);
	cr_expect_eq(count(net, "tcp"), 50);
	cr_expect_eq(count(net, "tcp 203.0.113.0/24"), 10);
	cr_expect_eq(count(net, "g1 203.0.113.0/24"), 0);
	cr_expect_eq(count(net, "udp"), 0);
	cr_assert_eq(net_gwctl(net, &output, "flows tcp g3"), 0);
	cr_expect(strstr(output, "203.0.113.2:9000"), "%s", output);
	cr_expect(strstr(output, "nf_conntrack_timestamp=1") && !strstr(output, "nf_conntrack_acct"), "%s",
		  output);
	free(output);
	cr_assert_eq(net_gwctl(net, &output, "flows g9"), 2);
	cr_expect(strstr(output, "\"g9\" is no gateway, service, real, protocol, address or prefix"), "%s",
		  output);
	free(output);
	lab_burst_free(held);
	lab_burst_free(third);
	net_finish(net);
}

Test(flows, need_no_room_for_a_long_table, .timeout = 120)
{
	enum { MANY = 20000 };
	struct net *net = start("");
	struct lab_tally tally = lab_burst_run(
		net->lab,
		&(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
					 .count = MANY,
					 .clients = 500,
					 .at_once = 256,
					 .udp = true});
	cr_assert_eq(tally.answered, MANY);
	cr_expect_eq(count(net, "10.9.9.9"), 0);
	long before = resident_kib(net);
	int n = count(net, "udp");
	cr_expect(n >= MANY - 5 && n <= MANY + 500, "%d of %d", n, MANY); // its own probes may be there, too
	long after = resident_kib(net);
	cr_expect(strstr(net_build(), "san") || after - before < 2048, "%ld KiB became %ld", before, after);
	net_finish(net);
}

Test(flows, of_a_service_are_told_by_their_real)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 3);
	const char *vip = lab_wan_address(in->net->lab, 1, AF_INET);
	inbound_gwd(in,
		    "service web { listen = \"%s:80\"  protocol = udp  scheduler = wrr\n"
		    "  real r1 { address = 10.0.0.11  weight = 3 }  real r2 { address = 10.0.0.12 } }\n",
		    vip);
	inbound_ask_udp(in, vip, 80, 40);
	cr_expect_eq(count(in->net, "web"), 40);
	cr_expect_eq(count(in->net, "web/r1"), 30);
	cr_expect_eq(count(in->net, "web/r2 g1"), 10); // that link has the answers
	cr_expect_eq(count(in->net, "web/r2 g2"), 0);
	cr_expect_eq(count(in->net, "web/r2 10.0.0.12"), 0); // the client's ends, not the real's
	inbound_finish(in);
}
