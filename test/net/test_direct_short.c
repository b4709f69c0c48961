// SPDX-License-Identifier: GPL-2.0-or-later
// The short way of what is known by dr (drseen): who takes it and who does not, and that nothing is renewed, or forgotten,
// too late by it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/vec.h"

#include "test/net/direct.h"

static const char *const short_vips[] = {DIRECT_VIP4, DIRECT_VIP6};
static const char digit[] = {'4', '6'};

static struct net *short_begin(int reals)
{
	struct net *net = direct_lab(reals, "forward = dr scheduler = rr");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	return net;
}

static size_t short_count(struct net *net, const char *map, size_t fam, size_t wanted)
{
	char what[80];
	snprintf(what, sizeof(what), "map netdev gwd %s%c.web", map, digit[fam]);
	return direct_elements(net, what, wanted, 2000);
}

Test(direct_short, who_ends_is_forgotten)
{
	struct net *net = short_begin(2);
	for (size_t i = 0; i < ARRAY_SIZE(direct_families); i++) {
		struct lab_burst *tcp = direct_hold(net, direct_families[i], false, 10),
				 *udp = direct_hold(net, direct_families[i], true, 10);
		for (int again = 0; again < 2; again++) {
			cr_expect_eq(direct_poke(tcp).answered, 10);
			cr_expect_eq(direct_poke(udp).answered, 10);
		}
		cr_expect_eq(short_count(net, "drseen", i, 20), 20);
		lab_burst_free(tcp);
		cr_expect_eq(short_count(net, "drlast", i, 10), 10);
		cr_expect_eq(short_count(net, "drseen", i, 10), 10, "who has sent FIN is still known");
		cr_expect_eq(direct_poke(udp).answered, 10);
		lab_burst_free(udp);
	}
	net_finish(net);
}

// "… expires 5m58s123ms : 0x…": seconds that are left of the only element.
static unsigned short_left(struct net *net, const char *map)
{
	unsigned minutes = 0, seconds = 0;
	char *output = NULL;
	cr_assert_eq(lab_run(lab_router(net->lab), &output, "nft list map netdev gwd %s4.web", map), 0, "%s",
		     output);
	const char *at = strstr(output, " expires ");
	cr_assert_not_null(at, "%s", output);
	at += strlen(" expires ");
	if (sscanf(at, "%um%us", &minutes, &seconds) < 2 && sscanf(at, "%us", &seconds) == 1)
		minutes = 0;
	free(output);
	return 60 * minutes + seconds;
}

struct short_flow {
	struct net *net;
	struct lab_burst *udp;
};

static bool short_grows_old(void *arg)
{
	struct short_flow *flow = arg;
	cr_assert_eq(direct_poke(flow->udp).answered, 1);
	return short_left(flow->net, "drconn") < 357;
}

// What all this is for: a packet that comes soon after another renews nothing.
Test(direct_short, who_was_renewed_just_now_is_not_again)
{
	struct net *net = short_begin(1);
	struct short_flow flow = {net, direct_hold(net, AF_INET, true, 1)};
	cr_expect_eq(direct_poke(flow.udp).answered, 1);
	cr_assert_eq(short_count(net, "drseen", 0, 1), 1);
	cr_expect(lab_wait_until(short_grows_old, &flow, net_patience(20000)),
		  "each packet renews the connection");
	lab_burst_free(flow.udp);
	net_finish(net);
}

// A packet of UDP out of an Ethernet socket: MAC of the next hop, VIP, hop limit, tag or 0.
static const char packet[] =
	"import socket,sys,struct\n"
	"mac, vip, hops, tag = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])\n"
	"udp = struct.pack('!HHHH', 4444, 7000, 12, 0) + b'abcd'\n"
	"if ':' in vip:\n"
	"    a = socket.inet_pton(socket.AF_INET6, '2001:db8:aaaa::1') + socket.inet_pton(socket.AF_INET6, "
	"vip)\n"
	"    p, kind = struct.pack('!IHBB', 6 << 28, len(udp), 17, hops) + a + udp, 0x86dd\n"
	"else:\n"
	"    a = socket.inet_aton('198.51.100.1') + socket.inet_aton(vip)\n"
	"    h = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(udp), 7, 0, hops, 17, 0) + a\n"
	"    s = sum(struct.unpack('!10H', h))\n"
	"    s = (s & 0xffff) + (s >> 16)\n"
	"    s = ~((s & 0xffff) + (s >> 16)) & 0xffff\n"
	"    p, kind = h[:10] + struct.pack('!H', s) + h[12:] + udp, 0x800\n"
	"e = bytes.fromhex(mac.replace(':', '')) + bytes([2, 0, 0, 0, 9, 9])\n"
	"e += struct.pack('!HH', 0x8100, tag) if tag else b''\n"
	"s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n"
	"s.bind(('cust0', 0))\n"
	"for n in range(5):\n"
	"    s.send(e + struct.pack('!H', kind) + p)\n";

static void short_send(struct net *net, const char *script, size_t fam, int hops, int tag)
{
	char *output = NULL, mac[18];
	cr_assert_eq(lab_run(lab_router(net->lab), &output, "ip -o link show wan1"), 0);
	const char *ether = strstr(output, "link/ether ");
	cr_assert_not_null(ether, "%s", output);
	snprintf(mac, sizeof(mac), "%.17s", ether + strlen("link/ether "));
	free(output);
	cr_assert_eq(lab_run(lab_isp(net->lab, 1), &output, "python3 %s %s %s %d %d", script, mac,
			     short_vips[fam], hops, tag),
		     0, "%s", output);
	free(output);
}

struct short_arrived {
	struct net *net;
	uint64_t wanted, n;
};

static bool short_have_arrived(void *arg)
{
	struct short_arrived *arrived = arg;
	arrived->n += direct_count(arrived->net, 1).sum;
	return arrived->n >= arrived->wanted;
}

static void short_expect(struct short_arrived *arrived, uint64_t wanted, size_t fam)
{
	arrived->wanted = wanted;
	lab_wait_until(short_have_arrived, arrived, net_patience(2000));
	cr_expect_eq(arrived->n, wanted, "IPv%c: %lu of %lu", digit[fam], (unsigned long)arrived->n,
		     (unsigned long)wanted);
}

// Not what may not take another hop, and not what belongs to an interface of its own: it would come out of the LAN's
// interface with its tag. Packets keep their order: when those behind have arrived, so would have these.
Test(direct_short, only_what_may_be_handed_on_takes_it)
{
	struct net *net = short_begin(1);
	const char *script = lab_file(net->lab, "packet.py", "%s", packet);
	lab_nft_load(lab_host(net->lab, 1), "table netdev tags { counter came { }\n"
					    "chain c { type filter hook ingress device eth0 priority 0;\n"
					    " ether type vlan counter name came\n }\n }");
	for (size_t i = 0; i < ARRAY_SIZE(short_vips); i++) {
		struct short_arrived arrived = {.net = net};
		char *output = NULL;
		direct_count(net, 1);
		short_send(net, script, i, 64, 0);
		short_expect(&arrived, 5, i);
		cr_expect_eq(short_count(net, "drseen", i, 1), 1);
		short_send(net, script, i, 64, 5);
		short_send(net, script, i, 1, 0);
		short_send(net, script, i, 2, 0);
		short_expect(&arrived, 10, i);
		short_send(net, script, i, 64, 0);
		short_expect(&arrived, 15, i);
		cr_assert_eq(lab_run(lab_host(net->lab, 1), &output, "nft list counter netdev tags came"), 0);
		cr_expect(strstr(output, "packets 0"), "IPv%c: %s", digit[i], output);
		free(output);
	}
	net_finish(net);
}
