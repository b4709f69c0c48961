// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/net/direct.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/vec.h"
#include "test/net/held.h"

const int direct_families[2] = {AF_INET, AF_INET6};

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
		.timeout_ms = net_patience(2000),
		.udp = udp,
	};
	direct_count(net, reals);
	struct lab_tally tally = lab_burst_run(net->lab, &spec);
	cr_assert_eq(tally.answered, count, "%s over IPv%c: %d of %d answered, %d refused, %d timed out",
		     udp ? "udp" : "tcp", family == AF_INET ? '4' : '6', tally.answered, count,
		     tally.outcome[LAB_REFUSED], tally.outcome[LAB_TIMEOUT]);
	return direct_count(net, reals);
}

// ---- what has to hold whichever way packets go to the reals ---------------------------------------

void direct_expect_all(struct net *net, int count, bool even)
{
	int low = even ? count / 3 - 1 : count / 5, high = even ? count / 3 + 2 : count * 7 / 15;
	for (size_t i = 0; i < ARRAY_SIZE(direct_families); i++) {
		for (int udp = 0; udp < 2; udp++) {
			const struct lab_ns *from[] = {lab_internet(net->lab), lab_host(net->lab, 4)};
			for (size_t k = 0; k < ARRAY_SIZE(from); k++) {
				struct direct_tally tally =
					direct_burst(net, from[k], direct_families[i], udp, count, 3);
				cr_expect_geq(tally.sum, (uint64_t)count);
				for (int h = 1; h <= 3; h++)
					cr_expect((int)tally.real[h] >= low && (int)tally.real[h] <= high,
						  "%s, udp %d, family %zu: %lu at real %d",
						  k ? "LAN" : "outside", udp, i, (unsigned long)tally.real[h],
						  h);
			}
		}
	}
}

struct lab_burst *direct_hold(struct net *net, int family, bool udp, int count)
{
	return held_all(net->lab,
			&(struct lab_burst_spec){.flow = {.from = lab_internet(net->lab),
							  .to = family == AF_INET ? DIRECT_VIP4 : DIRECT_VIP6,
							  .port = 7000},
						 .count = count,
						 .timeout_ms = net_patience(2000),
						 .udp = udp});
}

struct lab_tally direct_poke(struct lab_burst *held)
{
	lab_burst_poke(held);
	lab_burst_wait(held);
	return lab_burst_tally(held);
}

void direct_reload(struct net *net, const char *sed)
{
	lab_do(lab_router(net->lab), "sed -i '%s' %s", sed, net->config);
	net_reload(net);
}

// A server that hears nothing any more; its host's other traffic goes on.
void direct_die(struct net *net, int host)
{
	char lost[64];
	lab_nft_load(
		lab_host(net->lab, host),
		"table inet dead { chain c { type filter hook prerouting priority -450;\n"
		" th dport 7000 drop\n icmp type echo-request drop\n icmpv6 type echo-request drop\n }\n }");
	snprintf(lost, sizeof(lost), "web/r%d: up -> down", host);
	cr_assert(lab_proc_wait_output(net->gwd, lost, 5000));
	snprintf(lost, sizeof(lost), "web/s%d: up -> down", host);
	cr_assert(lab_proc_wait_output(net->gwd, lost, 5000));
}

void direct_expect_stays(struct net *net)
{
	for (size_t i = 0; i < ARRAY_SIZE(direct_families); i++) {
		struct lab_burst *tcp = direct_hold(net, direct_families[i], false, 60);
		struct lab_burst *udp = direct_hold(net, direct_families[i], true, 60);
		cr_expect_eq(direct_poke(tcp).answered, 60);
		direct_reload(net, "s/real \\([rs]1\\) { address/real \\1 { weight = 0 address/");
		struct direct_tally tally =
			direct_burst(net, lab_internet(net->lab), direct_families[i], false, 60, 2);
		cr_expect_eq(tally.real[1], 0, "a draining real gets new connections");
		cr_expect_eq(direct_poke(tcp).answered, 60);
		tally = direct_count(net, 2);
		cr_expect_eq(direct_poke(udp).answered, 60);
		tally = direct_count(net, 2);
		cr_expect_gt(tally.real[1], 10, "UDP left the draining real");
		lab_proc_signal(net->gwd, SIGKILL);
		lab_proc_wait(net->gwd, 5000);
		net_gwd(net);
		cr_expect_eq(direct_poke(tcp).answered, 60);
		direct_reload(net, "s/weight = 0 //");
		cr_expect_eq(direct_poke(tcp).answered, 60);
		lab_burst_free(tcp);
		lab_burst_free(udp);
	}
}

void direct_expect_moved(struct net *net)
{
	struct lab_burst *tcp = direct_hold(net, AF_INET, false, 60),
			 *udp = direct_hold(net, AF_INET, true, 60);
	cr_expect_eq(direct_poke(tcp).answered, 60);
	struct lab_transfer *idle[8];
	for (int i = 0; i < 8; i++) {
		idle[i] = lab_transfer_start(
			net->lab,
			&(struct lab_transfer_spec){
				.flow = {.from = i % 2 ? lab_internet(net->lab) : lab_host(net->lab, 3),
					 .to = i / 2 % 2 ? DIRECT_VIP4 : DIRECT_VIP6,
					 .port = 7000},
				.kind = LAB_IDLE});
		cr_assert(lab_transfer_wait_running(idle[i], 3000));
	}
	direct_die(net, 1);
	struct lab_tally tally = direct_poke(tcp);
	cr_expect_eq(tally.answered, 30, "%d answered", tally.answered);
	cr_expect_eq(tally.outcome[LAB_REFUSED], 30, "%d refused, %d timed out", tally.outcome[LAB_REFUSED],
		     tally.outcome[LAB_TIMEOUT]);
	cr_expect_eq(direct_poke(udp).answered, 60);
	lab_burst_free(tcp);
	lab_burst_free(udp);
	int ended = 0;
	for (int i = 0; i < 8; i++) {
		ended += lab_transfer_wait_end(idle[i], 1000);
		struct lab_transfer_report report = lab_transfer_stop(idle[i]);
		cr_expect(report.end == LAB_END_RUNNING || report.end == LAB_END_RST, "%d: %s", i,
			  lab_transfer_end_name(report.end));
	}
	cr_expect_eq(ended, 4, "of 8 clients that wait %d were told", ended);
	direct_burst(net, lab_internet(net->lab), AF_INET, false, 60, 2);
}

// ---- tun -----------------------------------------------------------------------------------------

static void direct_run_script(struct net *net, int host, char kind)
{
	char *script = NULL;
	cr_assert_eq(net_gwctl(net, &script, "real-script web/%c%d %s", kind, host, net->config), 0, "%s",
		     script);
	lab_do(lab_host(net->lab, host), "sh %s", lab_file(net->lab, "real.sh", "%s", script));
	free(script);
}

void direct_tunnels(struct net *net, int reals)
{
	for (int host = 1; host <= reals; host++) {
		direct_run_script(net, host, 'r');
		direct_run_script(net, host, 's');
		lab_do(lab_host(net->lab, host),
		       "nft flush chain inet count c; nft 'add rule inet count c iifname gwdtun* tcp dport "
		       "7000 tcp flags & (syn | ack) == syn counter name came; add rule inet count c iifname "
		       "gwdtun* udp dport 7000 counter name came'");
	}
}

void direct_own_way(struct net *net)
{
	struct lab_ns *real = lab_host(net->lab, 1), *internet = lab_internet(net->lab);
	lab_do(real,
	       "ip link add own0 type veth peer name own1 netns %s; ip addr add 192.168.77.2/24 dev own0;"
	       "ip addr add fd77::2/64 dev own0 nodad; ip link set own0 up",
	       internet->path);
	lab_do(internet, "ip addr add 192.168.77.1/24 dev own1; ip addr add fd77::1/64 dev own1 nodad;"
			 "ip link set own1 up; sysctl -qw net.ipv4.conf.own1.rp_filter=0");
	lab_do(real, "ip route replace default via 192.168.77.1; ip -6 route replace default via fd77::1");
}

struct direct_elements {
	struct net *net;
	const char *what;
	size_t wanted, n;
};

static bool direct_are(void *arg)
{
	struct direct_elements *elements = arg;
	char *output = NULL;
	int status = lab_run(lab_router(elements->net->lab), &output, "nft list %s", elements->what);
	cr_assert_eq(status, 0, "%s", output);
	elements->n = 0;
	for (const char *at = output; (at = strstr(at, " expires ")); at++)
		elements->n++;
	free(output);
	return elements->n == elements->wanted;
}

size_t direct_elements(struct net *net, const char *what, size_t wanted, int timeout_ms)
{
	struct direct_elements elements = {net, what, wanted, 0};
	lab_wait_until(direct_are, &elements, net_patience(timeout_ms));
	return elements.n;
}
