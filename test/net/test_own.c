// SPDX-License-Identifier: GPL-2.0-or-later
// The router's own traffic: balanced, ruled by `own` rules, and left alone where it is bound to a link.
#include <stdlib.h>

#include "test/net/net.h"

static const int weights[] = {1, 1, 1};

static struct net *start(const char *more)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3, .routes = true});
	char *gateways = net_gateways(net->lab, 3, weights, true);
	net_configure(net, "%s balance default { scheduler = rr persistence = 5m }\n%s", gateways, more);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	return net;
}

Test(own, is_spread_over_the_gateways_in_both_families)
{
	struct net *net = start("");
	for (int i = 0; i < 2; i++) {
		struct lab_tally tally = lab_burst_run(
			net->lab, &(struct lab_burst_spec){
					  .flow = {.from = lab_router(net->lab),
						   .to = lab_server_address(i ? AF_INET6 : AF_INET, 1)},
					  .count = 90,
					  .at_once = 8});
		net_assert_spread(&tally, weights, 3, 1);
	}
	net_finish(net);
}

Test(own, a_socket_bound_to_a_links_address_or_device_stays_there)
{
	struct net *net = start("");
	for (int isp = 2; isp <= 3; isp++) {
		for (int i = 0; i < 6; i++) {
			struct lab_flow flow = {.from = lab_router(net->lab),
						.to = "198.51.100.1",
						.source = lab_wan_address(net->lab, isp, AF_INET)};
			cr_assert_eq(lab_connect(net->lab, &flow).isp, isp);
			flow = (struct lab_flow){.from = lab_router(net->lab),
						 .to = "2001:db8:aaaa::1",
						 .device = lab_wan_name(net->lab, isp)};
			cr_assert_eq(lab_connect(net->lab, &flow).isp, isp);
		}
	}
	net_finish(net);
}

Test(own, rules_for_it_do_not_touch_the_lan_and_the_other_way_round)
{
	struct net *net = start("rule mine { own = yes to = 198.51.100.0/24 gateway = g2 }\n"
				"rule lans { to = 203.0.113.0/24 gateway = g1 }");
	int lan[4] = {0}, mine[4] = {0};
	for (int i = 0; i < 12; i++) {
		struct lab_flow flow = {.from = lab_router(net->lab), .to = "198.51.100.1"};
		cr_assert_eq(lab_connect(net->lab, &flow).isp, 2);
		flow.to = "203.0.113.1";
		mine[lab_connect(net->lab, &flow).isp]++;
		flow.from = lab_host(net->lab, 1);
		cr_assert_eq(lab_connect(net->lab, &flow).isp, 1);
		char source[64];
		lab_client_address(AF_INET, 1, i, source);
		flow = (struct lab_flow){
			.from = lab_host(net->lab, 1), .to = "198.51.100.1", .source = source};
		lan[lab_connect(net->lab, &flow).isp]++;
	}
	cr_assert(mine[1] && mine[2] && mine[3]);
	cr_assert(lan[1] && lan[2] && lan[3]);
	net_finish(net);
}

Test(own, moves_to_another_gateway_when_one_dies)
{
	struct net *net = start("");
	lab_fault_blackhole(net->lab, 1); // main's own default
	net_wait_state(net, "g1", "down", 5000);
	struct lab_tally tally = lab_burst_run(
		net->lab,
		&(struct lab_burst_spec){.flow = {.from = lab_router(net->lab), .to = "198.51.100.1"},
					 .count = 60,
					 .at_once = 8});
	cr_assert_eq(tally.answered, 60);
	cr_assert_eq(tally.isp[1], 0);
	net_finish(net);
}

// The mark of a probe's socket says by which link it goes, also by the one that main's default takes.
Test(own, a_probe_goes_by_its_own_link_whatever_the_balance_says)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2, .routes = true});
	net_configure(net,
		      "probe far { targets = { 198.51.100.1, 2001:db8:aaaa::1 } interval = 200ms hold = 0s }"
		      "gateway g1 { interface = wan1 probes = { far } }"
		      "gateway g2 { interface = wan2 probes = { far } }"
		      "balance default { scheduler = fo gateways = { g2 } }");
	net_gwd(net);
	net_wait_up(net);
	net_finish(net);
}

// From the internet to every WAN address: a FIN of a flow that nobody knows. The answer, an RST, leaves by the link that
// its source belongs to (net_finish() looks at them), whatever main's default is.
static void send_stray(struct net *net, const char *family, const char *from, const char *to)
{
	lab_do(lab_internet(net->lab),
	       "python3 - <<'END'\n"
	       "import socket, struct\n"
	       "af = socket.%s\n"
	       "src, dst = socket.inet_pton(af, '%s'), socket.inet_pton(af, '%s')\n"
	       "def sum16(data):\n"
	       "    total = sum(struct.unpack('!%%dH' %% (len(data) // 2), data))\n"
	       "    while total >> 16: total = (total & 0xffff) + (total >> 16)\n"
	       "    return ~total & 0xffff\n"
	       "tcp = struct.pack('!HHIIBBHHH', 9000, 40000, 1, 1, 5 << 4, 0x01, 1000, 0, 0)\n"
	       "pseudo = src + dst + struct.pack('!II', len(tcp), 6)\n"
	       "tcp = tcp[:16] + struct.pack('!H', sum16(pseudo + tcp)) + tcp[18:]\n"
	       "s = socket.socket(af, socket.SOCK_RAW, socket.IPPROTO_TCP)\n"
	       "s.bind(('%s', 0))\n"
	       "s.sendto(tcp, ('%s', 0))\n"
	       "END",
	       family, from, to, from, to);
}

static bool six_answers(void *arg)
{
	return net_router_shows(arg, "nft list counter inet seen rst", "packets 6 ");
}

Test(own, an_answer_to_a_stray_segment_leaves_by_its_own_link)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	net_configure(net, "gateway g1 { interface = wan1 address = 100.64.1.1 address6 = 2001:db8:1::1 }"
			   "gateway g2 { interface = wan2 address = 100.64.2.1 address6 = 2001:db8:2::1 }"
			   "gateway g3 { interface = wan3 address = 100.64.3.1 address6 = 2001:db8:3::1 }");
	net_gwd(net);
	net_wait_up(net);
	lab_nft_load(
		lab_router(net->lab),
		"table inet seen {\n counter rst { }\n chain c { type filter hook postrouting priority 300; "
		"tcp flags & rst == rst tcp dport 9000 counter name rst\n }\n }");
	for (int isp = 1; isp <= 3; isp++) {
		send_stray(net, "AF_INET", "198.51.100.1", lab_wan_address(net->lab, isp, AF_INET));
		send_stray(net, "AF_INET6", "2001:db8:aaaa::1", lab_wan_address(net->lab, isp, AF_INET6));
	}
	cr_assert(lab_wait_until(six_answers, net, 2000), "not all were answered");
	net_finish(net);
}
