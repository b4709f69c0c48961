// SPDX-License-Identifier: GPL-2.0-or-later
// A client's TCP and its UDP from one port to one listener are two connections by dr: each has its own real, its own place
// with it, its own end, and its own errors.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/vec.h"
#include "test/net/direct.h"
#include "test/net/held.h"

static struct net *begin(const char *sed)
{
	struct net *net = direct_lab(2, "forward = dr scheduler = rr");
	if (sed)
		lab_do(lab_router(net->lab), "sed -i '%s' %s", sed, net->config);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	return net;
}

static struct lab_burst *hold(struct net *net, size_t fam, bool udp, uint16_t source_port)
{
	return held_all(net->lab, &(struct lab_burst_spec){.flow = {.from = lab_internet(net->lab),
								    .to = fam ? DIRECT_VIP6 : DIRECT_VIP4,
								    .port = 7000,
								    .source_port = source_port},
							   .timeout_ms = net_patience(2000),
							   .udp = udp});
}

// The only real that was reached since the last call.
static int at(struct net *net)
{
	struct direct_tally tally = direct_count(net, 2);
	cr_assert(!tally.real[1] != !tally.real[2], "%lu packets at real 1, %lu at real 2",
		  (unsigned long)tally.real[1], (unsigned long)tally.real[2]);
	return tally.real[1] ? 1 : 2;
}

static int begins_at(struct net *net, size_t fam, bool udp, uint16_t source_port, struct lab_burst **held)
{
	direct_count(net, 2);
	*held = hold(net, fam, udp, source_port);
	return at(net);
}

// Each packet of UDP is counted.
static void expect_stays(struct net *net, struct lab_burst *udp, int real)
{
	for (int i = 0; i < 3; i++) {
		direct_count(net, 2);
		cr_expect_eq(direct_poke(udp).answered, 1);
		cr_expect_eq(at(net), real, "UDP left real %d", real);
	}
}

// In "drlast", or of the places of the first real ("drplace").
static void expect_elements(struct net *net, const char *kind, size_t fam, size_t wanted)
{
	char what[80];
	if (!strcmp(kind, "drplace"))
		snprintf(what, sizeof(what), "set netdev gwd drplace%s", fam ? "6.web.s1.1" : "4.web.r1.1");
	else
		snprintf(what, sizeof(what), "map netdev gwd %s%c.web", kind, fam ? '6' : '4');
	size_t n = direct_elements(net, what, wanted, 5000);
	cr_expect_eq(n, wanted, "%zu in %s, not %zu", n, what, wanted);
}

// ---- places ------------------------------------------------------------------------------------

// Whichever comes first has the only place; the other is the backup's.
static void share_a_port(struct net *net, size_t fam, bool udp_first, uint16_t port)
{
	struct lab_burst *held[2];
	for (int i = 0; i < 2; i++) {
		bool udp = udp_first == !i;
		cr_expect_eq(begins_at(net, fam, udp, port, &held[udp]), i + 1, "family %zu, %s from port %u",
			     fam, udp ? "UDP" : "TCP", port);
	}
	expect_elements(net, "drplace", fam, 1);
	cr_expect_eq(direct_poke(held[0]).answered, 1);
	expect_stays(net, held[1], udp_first ? 1 : 2);
	lab_burst_free(held[0]);
	expect_elements(net, "drlast", fam, 1);
	expect_elements(net, "drplace", fam, udp_first ? 1 : 0);
	expect_stays(net, held[1], udp_first ? 1 : 2);
	lab_burst_free(held[1]);
}

static void share_ports(bool udp_first)
{
	struct net *net = begin(
		"s/real \\([rs]1\\) {/real \\1 { max-connections = 1 /; s/real \\([rs]2\\) {/backup \\1 {/");
	for (size_t fam = 0; fam < ARRAY_SIZE(direct_families); fam++)
		share_a_port(net, fam, udp_first, 5001);
	net_finish(net);
}

Test(direct_protocols, a_place_of_tcp_is_none_for_udp_from_the_same_port)
{
	share_ports(false);
}

Test(direct_protocols, a_place_of_udp_is_none_for_tcp_from_the_same_port)
{
	share_ports(true);
}

// ---- without places ----------------------------------------------------------------------------

// TCP at one real and UDP from the same port at the other one.
struct apart {
	int tcp_at, udp_at;
	struct lab_burst *tcp, *udp, *others[2];
	size_t n_others;
};

// Those of UDP have turns of their own: others come before, until it is the turn of the other real.
static void set_apart(struct net *net, size_t fam, uint16_t port, struct apart *apart)
{
	int other = 0;
	apart->n_others = 0;
	apart->tcp_at = begins_at(net, fam, false, port, &apart->tcp);
	for (; other != apart->tcp_at && apart->n_others < ARRAY_SIZE(apart->others); apart->n_others++)
		other = begins_at(net, fam, true, (uint16_t)(port + 1 + apart->n_others),
				  &apart->others[apart->n_others]);
	apart->udp_at = begins_at(net, fam, true, port, &apart->udp);
	cr_expect_neq(apart->udp_at, apart->tcp_at, "family %zu: UDP is at the real of TCP, %d", fam,
		      apart->tcp_at);
}

static void apart_free(struct apart *apart)
{
	lab_burst_free(apart->udp);
	for (size_t i = 0; i < apart->n_others; i++)
		lab_burst_free(apart->others[i]);
}

Test(direct_protocols, each_has_its_real_and_its_end)
{
	struct net *net = begin(NULL);
	for (size_t fam = 0; fam < ARRAY_SIZE(direct_families); fam++) {
		struct apart apart;
		set_apart(net, fam, 5101, &apart);
		expect_stays(net, apart.udp, apart.udp_at);
		cr_expect_eq(direct_poke(apart.tcp).answered, 1);
		lab_burst_free(apart.tcp);
		expect_elements(net, "drlast", fam, 1);
		expect_stays(net, apart.udp, apart.udp_at);
		apart_free(&apart);
	}
	net_finish(net);
}

// An ICMP error as a router on the client's side would send it: VIP, client, protocol of the quoted answer, its port.
static const char complaint[] =
	"import socket,sys,struct\n"
	"vip, client, protocol, port = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])\n"
	"six = ':' in vip\n"
	"f = socket.AF_INET6 if six else socket.AF_INET\n"
	"a = socket.inet_pton(f, vip) + socket.inet_pton(f, client)\n"
	"q = struct.pack('!IHBB', 6 << 28, 8, protocol, 60) if six else \\\n"
	"    struct.pack('!BBHHHBBH', 0x45, 0, 28, 7, 0, 60, protocol, 0)\n"
	"q += a + struct.pack('!HHI', 7000, port, 0)\n"
	"m = struct.pack('!BBHI', 1 if six else 3, 4 if six else 3, 0, 0) + q\n"
	"s = sum(struct.unpack('!%dH' % (len(m) // 2), m))\n"
	"s = (s & 0xffff) + (s >> 16)\n"
	"s = ~((s & 0xffff) + (s >> 16)) & 0xffff\n"
	"socket.socket(f, socket.SOCK_RAW, 58 if six else 1).sendto(m[:2] + struct.pack('!H', s) + m[4:], "
	"(vip, 0))\n";

struct complaints {
	struct net *net;
	int n[3];
};

static bool complaint_came(void *arg)
{
	struct complaints *came = arg;
	for (int host = 1; host <= 2; host++) {
		char *output = NULL;
		cr_assert_eq(
			lab_run(lab_host(came->net->lab, host), &output, "nft list counter inet errors came"),
			0);
		came->n[host] = atoi(strstr(output, "packets ") + strlen("packets "));
		free(output);
	}
	return came->n[1] + came->n[2] > 0;
}

static void expect_complaint(struct net *net, const char *script, size_t fam, const struct lab_burst *about,
			     bool udp, int real)
{
	struct complaints came = {.net = net};
	const struct lab_conn *conn = lab_burst_conns(about);
	for (int host = 1; host <= 2; host++)
		lab_nft_load(
			lab_host(net->lab, host),
			"table inet errors\ndelete table inet errors\ntable inet errors { counter came { }\n"
			"chain c { type filter hook prerouting priority -400;\n"
			" icmp type destination-unreachable counter name came\n"
			" icmpv6 type destination-unreachable counter name came\n }\n }");
	lab_do(lab_internet(net->lab), "python3 %s %s %s %d %u", script, fam ? DIRECT_VIP6 : DIRECT_VIP4,
	       conn->source, udp ? 17 : 6, conn->source_port);
	cr_expect(lab_wait_until(complaint_came, &came, net_patience(2000)), "family %zu: nobody is told",
		  fam);
	cr_expect_eq(came.n[real], 1, "family %zu, %s: real %d is told, not %d", fam, udp ? "UDP" : "TCP",
		     3 - real, real);
}

Test(direct_protocols, errors_reach_the_real_of_what_they_quote)
{
	struct net *net = begin(NULL);
	const char *script = lab_file(net->lab, "complaint.py", "%s", complaint);
	for (size_t fam = 0; fam < ARRAY_SIZE(direct_families); fam++) {
		struct apart apart;
		set_apart(net, fam, 5201, &apart);
		expect_complaint(net, script, fam, apart.tcp, false, apart.tcp_at);
		expect_complaint(net, script, fam, apart.udp, true, apart.udp_at);
		lab_burst_free(apart.tcp);
		apart_free(&apart);
	}
	net_finish(net);
}

// ---- a real that dies --------------------------------------------------------------------------

static int told(struct net *net, const char *who)
{
	char *output = NULL;
	cr_assert_eq(lab_run(lab_internet(net->lab), &output, "nft list counter inet told %s", who), 0, "%s",
		     output);
	int n = atoi(strstr(output, "packets ") + strlen("packets "));
	free(output);
	return n;
}

static bool tcp_is_told(void *arg)
{
	return told(arg, "is_tcp") >= 2;
}

// Of both protocols and families one is at each real.
Test(direct_protocols, a_dead_reals_clients_of_udp_are_told_nothing_by_tcp)
{
	struct net *net = begin(NULL);
	struct lab_burst *held[2][2][2];
	for (size_t fam = 0; fam < ARRAY_SIZE(direct_families); fam++)
		for (int udp = 0; udp < 2; udp++)
			for (int i = 0; i < 2; i++)
				held[fam][udp][i] = hold(net, fam, udp, (uint16_t)(5301 + 10 * udp + i));
	lab_nft_load(lab_internet(net->lab), "table inet told { counter is_tcp { }\n counter is_udp { }\n"
					     "chain c { type filter hook input priority 0;\n"
					     " tcp dport 5301-5302 counter name is_tcp\n"
					     " tcp dport 5311-5312 counter name is_udp\n }\n }");
	direct_die(net, 1);
	cr_expect(lab_proc_wait_output(net->gwd, "web/r1: clients of 1 connections are told",
				       net_patience(3000)));
	cr_expect(lab_proc_wait_output(net->gwd, "web/s1: clients of 1 connections are told",
				       net_patience(3000)));
	cr_expect(lab_wait_until(tcp_is_told, net, net_patience(3000)));
	for (size_t fam = 0; fam < ARRAY_SIZE(direct_families); fam++) {
		int answered = 0;
		for (int i = 0; i < 2; i++) {
			cr_expect_eq(direct_poke(held[fam][1][i]).answered, 1, "UDP does not go on");
			answered += direct_poke(held[fam][0][i]).answered;
		}
		cr_expect_eq(answered, 1, "of two connections of TCP %d go on", answered);
	}
	cr_expect_eq(told(net, "is_udp"), 0, "who has a connection of UDP is sent TCP");
	for (int i = 0; i < 8; i++)
		lab_burst_free(held[i / 4][i / 2 % 2][i % 2]);
	net_finish(net);
}
