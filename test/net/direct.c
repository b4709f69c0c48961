// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/net/direct.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"

// On a real, as real-script prints it; and counters of what comes in for the VIPs.
static void direct_real(struct net *net, int host)
{
	struct lab_ns *real = lab_host(net->lab, host);
	lab_do(real, "sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2;"
		     "ip addr add " DIRECT_VIP4 "/32 dev lo; ip addr add " DIRECT_VIP6 "/128 dev lo nodad");
	lab_nft_load(real, "table inet count { counter came { }\n"
			   "chain c { type filter hook prerouting priority -400;\n"
			   " iif != lo fib daddr type local tcp dport 7000 tcp flags & (syn | ack) == syn "
			   "counter name came\n"
			   " iif != lo fib daddr type local udp dport 7000 counter name came\n }\n }");
	lab_server_start(net->lab, real, (const uint16_t[]){7000, 0});
}

struct net *direct_lab(int reals, const char *service)
{
	struct buf text = {0};
	struct net *net = net_lab(&(struct lab_spec){.isps = 2, .hosts = reals + 1});
	struct lab_ns *router = lab_router(net->lab);
	char *gateways = net_gateways(net->lab, 2, (const int[]){1, 1}, false);
	lab_wan_delegate(net->lab, 1, DIRECT_VIP4 "/32");
	lab_wan_delegate(net->lab, 1, DIRECT_VIP6 "/128");
	lab_do(router,
	       "ip addr add " DIRECT_VIP4 "/32 dev wan1; ip addr add " DIRECT_VIP6 "/128 dev wan1 nodad");
	buf_printf(&text,
		   "%s\nservice web { listen = { \"" DIRECT_VIP4 ":7000\", \"[" DIRECT_VIP6 "]:7000\" }\n"
		   "protocol = { tcp, udp }\nprobes = { quick }\n%s\n",
		   gateways, service);
	for (int i = 1; i <= reals; i++) {
		direct_real(net, i);
		buf_printf(&text, "real r%d { address = \"%s\" }\nreal s%d { address = \"%s\" }\n", i,
			   lab_host_address(AF_INET, i), i, lab_host_address(AF_INET6, i));
	}
	buf_puts(&text, "}\n");
	net_configure(net, "%s", buf_text(&text));
	buf_free(&text);
	free(gateways);
	return net;
}

struct direct_tally direct_count(struct net *net, int reals)
{
	struct direct_tally tally = {0};
	for (int i = 1; i <= reals; i++) {
		char *output = NULL;
		cr_assert_eq(lab_run(lab_host(net->lab, i), &output, "nft reset counter inet count came"), 0);
		const char *packets = strstr(output, "packets ");
		cr_assert_not_null(packets);
		tally.real[i] = strtoul(packets + 8, NULL, 10);
		tally.sum += tally.real[i];
		free(output);
	}
	return tally;
}

struct direct_tally direct_burst(struct net *net, const struct lab_ns *from, int family, bool udp, int count,
				 int reals)
{
	struct lab_burst_spec spec = {
		.flow = {.from = from, .to = family == AF_INET ? DIRECT_VIP4 : DIRECT_VIP6, .port = 7000},
		.count = count,
		.udp = udp,
	};
	direct_count(net, reals);
	struct lab_tally tally = lab_burst_run(net->lab, &spec);
	cr_assert_eq(tally.answered, count, "%s over IPv%c: %d of %d answered, %d refused, %d timed out",
		     udp ? "udp" : "tcp", family == AF_INET ? '4' : '6', tally.answered, count,
		     tally.outcome[LAB_REFUSED], tally.outcome[LAB_TIMEOUT]);
	return direct_count(net, reals);
}
