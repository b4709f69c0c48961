// SPDX-License-Identifier: GPL-2.0-or-later
// Reals by dr: packets reach them as they are, from outside and from the LAN, whatever way their answers
// take; connections stay where they are when the reals change, and end when theirs dies.
#include <stdio.h>
#include <stdlib.h>

#include "gwd/base/vec.h"

#include "test/net/direct.h"

// ---- every kind of connection ------------------------------------------------------------------

static void serves_all(const char *service, bool even)
{
	struct net *net = direct_lab(3, service);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	direct_expect_all(net, 300, even);
	net_finish(net);
}

Test(direct, by_turns_every_real_gets_its_share)
{
	serves_all("forward = dr scheduler = rr", true);
}

Test(direct, by_hash_without_state_at_the_first_packet)
{
	serves_all("forward = dr scheduler = mh", false);
}

// ---- connections that run ----------------------------------------------------------------------

static void stays(const char *service)
{
	struct net *net = direct_lab(2, service);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	direct_expect_stays(net);
	net_finish(net);
}

Test(direct, connections_stay_when_reals_drain_and_gwd_is_killed)
{
	stays("forward = dr scheduler = mh");
}

Test(direct, connections_that_were_dealt_by_turns_stay_too)
{
	stays("forward = dr scheduler = rr");
}

Test(direct, the_connections_of_a_dead_real_end_or_move)
{
	struct net *net = direct_lab(2, "forward = dr scheduler = rr");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	direct_expect_moved(net);
	net_finish(net);
}

Test(direct, the_connections_of_a_real_that_is_cut_out_end_or_move)
{
	struct net *net = direct_lab(2, "forward = dr scheduler = rr on-removal = cut");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	for (size_t i = 0; i < ARRAY_SIZE(direct_families); i++) {
		struct lab_burst *tcp = direct_hold(net, direct_families[i], false, 40),
				 *udp = direct_hold(net, direct_families[i], true, 40);
		direct_reload(net, i ? "s/real s1 {.*//" : "s/real r1 {.*//");
		struct lab_tally tally = direct_poke(tcp);
		cr_expect_eq(tally.answered, 20, "%d answered", tally.answered);
		cr_expect_eq(tally.outcome[LAB_REFUSED], 20, "%d refused", tally.outcome[LAB_REFUSED]);
		direct_count(net, 2);
		cr_expect_eq(direct_poke(udp).answered, 40);
		cr_expect_eq(direct_count(net, 2).real[1], 0);
		lab_burst_free(tcp);
		lab_burst_free(udp);
	}
	net_finish(net);
}

// ---- what else may come ------------------------------------------------------------------------

Test(direct, a_client_with_a_pin_stays_with_its_real)
{
	struct net *net = direct_lab(3, "forward = dr scheduler = rr persistence = 5m");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	for (size_t i = 0; i < ARRAY_SIZE(direct_families); i++) {
		struct direct_tally tcp =
			direct_burst(net, lab_internet(net->lab), direct_families[i], false, 30, 3);
		struct direct_tally udp =
			direct_burst(net, lab_internet(net->lab), direct_families[i], true, 30, 3);
		int at = tcp.real[1] ? 1 : tcp.real[2] ? 2 : 3;
		cr_expect_eq(tcp.real[at], tcp.sum, "%lu of %lu", (unsigned long)tcp.real[at],
			     (unsigned long)tcp.sum);
		cr_expect_eq(udp.real[at], udp.sum, "%lu of %lu by UDP", (unsigned long)udp.real[at],
			     (unsigned long)udp.sum);
		char *output = NULL, real[8];
		snprintf(real, sizeof(real), " %c%d ", i ? 's' : 'r', at);
		cr_expect_eq(net_gwctl(net, &output, "pins"), 0, "%s", output);
		cr_expect(strstr(output, real) && strstr(output, i ? "fd00:31:" : "172.31."), "%s: %s", real,
			  output);
		free(output);
		if (i)
			continue;
		direct_die(net, at);
		direct_burst(net, lab_internet(net->lab), direct_families[i], false, 1, 3);
		tcp = direct_burst(net, lab_internet(net->lab), direct_families[i], false, 30, 3);
		int next = tcp.real[1] ? 1 : tcp.real[2] ? 2 : 3;
		cr_expect_eq(tcp.real[next], tcp.sum, "%lu of %lu", (unsigned long)tcp.real[next],
			     (unsigned long)tcp.sum);
		cr_expect_neq(next, at);
	}
	net_finish(net);
}

Test(direct, a_sorry_server_by_nat_takes_what_no_real_can)
{
	struct net *net = direct_lab(2, "forward = dr scheduler = mh\n"
					"sorry { address = 10.0.0.13 port = 8080 forward = nat }");
	struct lab_server *sorry =
		lab_server_start(net->lab, lab_host(net->lab, 3), (const uint16_t[]){8080, 0});
	struct lab_flow flow = {.from = lab_internet(net->lab), .to = DIRECT_VIP4, .port = 7000};
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	direct_die(net, 1);
	direct_die(net, 2);
	direct_count(net, 2);
	cr_expect_eq(lab_connect(net->lab, &flow).outcome, LAB_ANSWERED);
	cr_expect_eq(lab_ask(net->lab, &flow).outcome, LAB_ANSWERED);
	flow.to = DIRECT_VIP6;
	cr_expect_eq(lab_connect(net->lab, &flow).outcome, LAB_REFUSED, "nobody is there");
	lab_do(lab_host(net->lab, 1), "nft delete table inet dead");
	cr_assert(lab_proc_wait_output(net->gwd, "web/r1: down -> up", 5000));
	cr_expect_eq(direct_burst(net, lab_internet(net->lab), AF_INET, false, 20, 2).real[1], 20);
	lab_server_stop(sorry);
	net_finish(net);
}

// One question in two pieces, answered in two.
static const char question[] =
	"import socket,sys\n"
	"s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)\n"
	"s.settimeout(2)\n"
	"for n in range(20):\n"
	"    s.sendto(bytes([n]) * 1900, (sys.argv[1], 7000))\n"
	"    assert bytes([n]) * 1900 in s.recv(4096)\n";

Test(direct, packets_in_pieces_reach_one_real)
{
	struct net *net = direct_lab(3, "forward = dr scheduler = rr");
	const char *script = lab_file(net->lab, "question.py", "%s", question);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	const char *const to[] = {DIRECT_VIP4, DIRECT_VIP6};
	for (size_t i = 0; i < ARRAY_SIZE(to); i++)
		for (int n = 0; n < 6; n++) {
			char *output = NULL;
			cr_expect_eq(lab_run(lab_internet(net->lab), &output, "python3 %s %s", script, to[i]),
				     0, "%s: %s", to[i], output);
			free(output);
		}
	net_finish(net);
}

// The internet lies behind a narrower link: only an error tells the real, which sent the packet from the VIP.
Test(direct, path_mtu_errors_reach_the_real_whose_packet_they_quote)
{
	struct net *net = direct_lab(3, "forward = dr scheduler = rr");
	const char *const to[] = {DIRECT_VIP4, DIRECT_VIP6};
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	lab_do(lab_isp(net->lab, 1), "ip link set up0 mtu 1300");
	for (size_t i = 0; i < ARRAY_SIZE(to); i++) {
		struct lab_transfer *download = lab_transfer_start(
			net->lab, &(struct lab_transfer_spec){
					  .flow = {.from = lab_internet(net->lab), .to = to[i], .port = 7000},
					  .kind = LAB_DOWNLOAD});
		cr_expect(lab_transfer_wait_running(download, 3000), "%s: nothing came", to[i]);
		lab_transfer_stop(download);
	}
	net_finish(net);
}

#define TWO_VIPS "ip addr add 100.64.2.100/32 dev %s; ip addr add 2001:db8:2::100/128 dev %s nodad"

// A listener on each link: what comes by one is answered by it (net_finish() looks at every source).
Test(direct, listeners_on_two_links_answer_each_by_its_own)
{
	static const char *const second[] = {"100.64.2.100", "2001:db8:2::100"};
	struct net *net = direct_lab(2, "forward = dr scheduler = rr listen += { \"100.64.2.100:7000\", "
					"\"[2001:db8:2::100]:7000\" }");
	lab_wan_delegate(net->lab, 2, "100.64.2.100/32");
	lab_wan_delegate(net->lab, 2, "2001:db8:2::100/128");
	lab_do(lab_router(net->lab), TWO_VIPS, "wan2", "wan2");
	for (int host = 1; host <= 2; host++)
		lab_do(lab_host(net->lab, host), TWO_VIPS, "lo", "lo");
	net_gwd(net);
	net_wait_up(net);
	for (size_t i = 0; i < ARRAY_SIZE(direct_families); i++) {
		for (int udp = 0; udp < 2; udp++) {
			struct lab_burst_spec spec = {.flow = {.from = lab_internet(net->lab), .port = 7000},
						      .count = 100,
						      .timeout_ms = net_patience(2000),
						      .udp = udp};
			spec.flow.to = i ? DIRECT_VIP6 : DIRECT_VIP4;
			struct lab_burst *one = lab_burst_start(net->lab, &spec);
			spec.flow.to = second[i];
			uint64_t before = lab_isp_packets(net->lab, 2);
			struct lab_tally two = lab_burst_run(net->lab, &spec);
			lab_burst_wait(one);
			cr_expect_eq(lab_burst_tally(one).answered, 100);
			cr_expect_eq(two.answered, 100);
			cr_expect_geq(lab_isp_packets(net->lab, 2) - before, 100, "answers left elsewhere");
			lab_burst_free(one);
		}
	}
	net_finish(net);
}

Test(direct, reals_may_answer_by_a_way_of_their_own)
{
	struct net *net = direct_lab(1, "forward = dr scheduler = rr");
	direct_own_way(net);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	for (size_t i = 0; i < ARRAY_SIZE(direct_families); i++) {
		uint64_t before = lab_isp_packets(net->lab, 1);
		direct_burst(net, lab_internet(net->lab), direct_families[i], false, 100, 1);
		direct_burst(net, lab_internet(net->lab), direct_families[i], true, 100, 1);
		cr_expect_lt(lab_isp_packets(net->lab, 1) - before, 200, "answers came through the router");
	}
	net_finish(net);
}
