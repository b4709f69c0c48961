// SPDX-License-Identifier: GPL-2.0-or-later
// Reals by tun: what holds of dr holds of them, through tunnels that gwd makes, mends and takes away; and packets
// that don't fit. Skipped where the kernel has no such devices; test/vm/run-net runs it on one that has. Where it
// has none, a service goes on without those reals.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/vec.h"

#include "test/net/direct.h"

static bool kernel_has_tunnels(struct net *net)
{
	return !lab_run(lab_router(net->lab), NULL,
			"ip link add try4 type ipip remote 192.0.2.1 && ip link del try4 && ip link add try6 "
			"type ip6tnl remote 2001:db8::1 local 2001:db8::2 && ip link del try6");
}

static void start(struct net *net)
{
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
}

// The lab with reals that are ready for tunnels, and gwd runs.
static struct net *tunnel_lab(int reals, const char *service)
{
	struct net *net = direct_lab(reals, service);
	if (!kernel_has_tunnels(net)) {
		net_finish(net);
		cr_skip_test("this kernel has no ipip or ip6tnl");
	}
	direct_tunnels(net, reals);
	start(net);
	return net;
}

static bool shows_tunnels(struct net *net, int count)
{
	char *output = NULL;
	lab_run(lab_router(net->lab), &output, "ip -o link show up | grep -c 'gwd-[0-9a-f]*@'");
	bool same = atoi(output) == count;
	free(output);
	return same;
}

static bool has_four(void *net)
{
	return shows_tunnels(net, 4);
}

static bool has_two(void *net)
{
	return shows_tunnels(net, 2);
}

static bool has_none(void *net)
{
	return shows_tunnels(net, 0);
}

// ---- as dr ---------------------------------------------------------------------------------------

Test(tunnel, by_turns_every_real_gets_its_share)
{
	struct net *net = tunnel_lab(3, "forward = tun scheduler = rr");
	direct_expect_all(net, 60, true);
	lab_do(lab_router(net->lab), "nft list ruleset >/dev/null");
	net_finish(net);
}

Test(tunnel, connections_stay_when_reals_drain_and_gwd_is_killed)
{
	struct net *net = tunnel_lab(2, "forward = tun scheduler = rr");
	direct_expect_stays(net);
	net_finish(net);
}

Test(tunnel, the_connections_of_a_dead_real_end_or_move)
{
	struct net *net = tunnel_lab(2, "forward = tun scheduler = rr");
	direct_expect_moved(net);
	net_finish(net);
}

// In both families: twenty, then ten, then the rest; who closes makes room.
Test(tunnel, no_more_connections_than_so_many)
{
	struct net *net = tunnel_lab(3, "forward = tun scheduler = rr");
	direct_reload(net, "s/real \\([rs]1\\) {/real \\1 { max-connections = 20/;"
			   "s/real \\([rs]2\\) {/real \\1 { max-connections = 10/;"
			   "s/real \\([rs]3\\) {/backup \\1 {/");
	for (size_t i = 0; i < ARRAY_SIZE(direct_families); i++) {
		struct lab_burst *held[2];
		for (int udp = 0; udp < 2; udp++) { // those of tcp hold all places
			direct_count(net, 3);
			held[udp] = direct_hold(net, direct_families[i], udp, 50);
			struct direct_tally tally = direct_count(net, 3);
			cr_expect(tally.real[1] == (udp ? 0 : 20) && tally.real[2] == (udp ? 0 : 10),
				  "family %zu, udp %d: %d and %d", i, udp, (int)tally.real[1],
				  (int)tally.real[2]);
			cr_expect_eq(direct_poke(held[udp]).answered, 50);
		}
		lab_burst_free(held[0]);
		lab_burst_free(held[1]);
	}
	lab_do(lab_router(net->lab), "nft list ruleset >/dev/null");
	net_finish(net);
}

// ---- its devices -----------------------------------------------------------------------------------

Test(tunnel, devices_are_mended_adopted_and_taken_away)
{
	struct net *net = tunnel_lab(2, "forward = tun scheduler = rr");
	struct lab_ns *router = lab_router(net->lab);
	cr_assert(lab_wait_until(has_four, net, net_patience(3000)));
	struct lab_burst *held[] = {direct_hold(net, AF_INET, false, 20),
				    direct_hold(net, AF_INET6, false, 20)};
	lab_do(router,
	       "for dev in $(ip -o link show | sed -n 's/.* \\(gwd-[0-9a-f]*\\)@.*/\\1/p'); do ip link "
	       "del $dev; done");
	cr_assert(lab_wait_until(has_four, net, net_patience(3000)), "not made again");
	direct_burst(net, lab_internet(net->lab), AF_INET, false, 20, 2);
	direct_burst(net, lab_internet(net->lab), AF_INET6, true, 20, 2);
	lab_do(router,
	       "for dev in $(ip -o link show | sed -n 's/.* \\(gwd-[0-9a-f]*\\)@.*/\\1/p'); do ip link "
	       "set $dev down; done");
	cr_assert(lab_wait_until(has_four, net, net_patience(3000)), "not up again");
	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		cr_expect_eq(direct_poke(held[i]).answered, 20, "family %zu", i);
		lab_burst_free(held[i]);
	}
	lab_proc_signal(net->gwd, SIGKILL);
	lab_proc_wait(net->gwd, 5000);
	cr_expect(shows_tunnels(net, 4), "they went with the process");
	char *before = NULL, *after = NULL;
	lab_run(router, &before, "ip -o link show | grep -o '^[0-9]*: gwd-[0-9a-f]*'");
	net_gwd(net);
	net_wait_up(net);
	lab_run(router, &after, "ip -o link show | grep -o '^[0-9]*: gwd-[0-9a-f]*'");
	cr_expect_str_eq(before, after, "they were made anew");
	free(before);
	free(after);
	direct_reload(net, "s/forward = tun/forward = dr/");
	cr_assert(lab_wait_until(has_none, net, net_patience(3000)), "they were not taken away");
	net_finish(net);
}

static void expect_kept(struct net *net, struct lab_burst *held[2][2])
{
	for (size_t i = 0; i < ARRAY_SIZE(direct_families); i++) {
		cr_expect_eq(direct_poke(held[i][0]).answered, 40, "TCP, family %zu", i);
		direct_count(net, 2);
		cr_expect_eq(direct_poke(held[i][1]).answered, 40);
		cr_expect_eq(direct_count(net, 2).real[1], 20, "UDP left, family %zu", i);
		struct direct_tally tally =
			direct_burst(net, lab_internet(net->lab), direct_families[i], false, 20, 2);
		cr_expect_eq(tally.real[1], 0, "who was taken out gets new connections");
	}
	cr_expect(shows_tunnels(net, 4), "its tunnels are gone");
}

// Also over a restart, and where its tunnel is taken away meanwhile. When none is left, so do its tunnels.
Test(tunnel, a_real_that_is_taken_out_keeps_its_connections)
{
	struct net *net = tunnel_lab(2, "forward = tun scheduler = rr");
	struct lab_ns *router = lab_router(net->lab);
	struct lab_burst *held[2][2];
	for (size_t i = 0; i < ARRAY_SIZE(direct_families); i++)
		for (int udp = 0; udp < 2; udp++)
			held[i][udp] = direct_hold(net, direct_families[i], udp, 40);
	direct_reload(net, "/real [rs]1 {/d");
	expect_kept(net, held);
	lab_do(router,
	       "for dev in $(ip -o link show | sed -n 's/.* \\(gwd-[0-9a-f]*\\)@.*/\\1/p'); do ip link "
	       "del $dev; done");
	cr_assert(lab_wait_until(has_four, net, net_patience(3000)), "not made again");
	expect_kept(net, held);
	for (int last = 0; last < 2; last++) {
		lab_proc_signal(net->gwd, SIGKILL);
		lab_proc_wait(net->gwd, 5000);
		if (last)
			lab_do(router,
			       "for map in drconn4 drlast4 drconn6 drlast6; do nft flush map netdev gwd "
			       "$map.web; done");
		net_gwd(net);
		net_wait_up(net);
		if (!last)
			expect_kept(net, held);
	}
	cr_assert(lab_wait_until(has_two, net, 10000), "its tunnels stay");
	for (size_t i = 0; i < ARRAY_SIZE(direct_families); i++)
		for (int udp = 0; udp < 2; udp++)
			lab_burst_free(held[i][udp]);
	net_finish(net);
}

// Packets in a tunnel that nobody sent into it must not get in.
Test(tunnel, nothing_comes_in_by_them)
{
	struct net *net = tunnel_lab(1, "forward = tun scheduler = rr");
	struct lab_ns *real = lab_host(net->lab, 1), *router = lab_router(net->lab);
	lab_do(router, "nft 'table inet watch { chain c { type filter hook prerouting priority -400; iifname "
		       "\"gwd-*\" counter; }; }'");
	lab_do(real, "ip link add out type ipip local 10.0.0.11 remote 10.0.0.1 && ip link set out up && ip "
		     "addr add 10.99.0.1/24 dev out; ping -c 3 -i 0.2 -W 1 -I 10.99.0.1 10.99.0.2 || true");
	lab_do(router, "nft list table inet watch | grep 'packets 0 '; ip -s -o link show type ipip | grep "
		       "'gwd-'");
	net_finish(net);
}

// ---- what does not fit ---------------------------------------------------------------------------------

// Sends what fits the link and must stay whole until the path says otherwise; tells what it said, and that
// what fits is answered.
static const char too_big[] =
	"import errno,socket,sys,time\n"
	"to, six = sys.argv[1], ':' in sys.argv[1]\n"
	"s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)\n"
	"level, discover, mtu = (41, 23, 24) if six else (0, 10, 14)\n"
	"s.setsockopt(level, discover, 2)\n"
	"s.settimeout(0.5)\n"
	"s.connect((to, 7000))\n"
	"size = 1500 - (48 if six else 28)\n"
	"for n in range(20):\n"
	"    try:\n"
	"        s.send(b'x' * size); s.recv(4096); break\n"
	"    except socket.timeout: pass\n"
	"    except OSError as e: assert e.errno == errno.EMSGSIZE, e; break\n"
	"told = s.getsockopt(level, mtu)\n"
	"assert told == (1460 if six else 1480), told\n"
	"s.send(b'y' * (told - (48 if six else 28)))\n"
	"assert len(s.recv(4096)) > 0\n";

Test(tunnel, who_sends_too_much_at_once_is_told_what_fits)
{
	struct net *net = tunnel_lab(2, "forward = tun scheduler = rr");
	const char *script = lab_file(net->lab, "big.py", "%s", too_big);
	const char *const to[] = {DIRECT_VIP4, DIRECT_VIP6};
	struct lab_ns *const from[] = {lab_internet(net->lab), lab_host(net->lab, 3)};
	for (size_t i = 0; i < ARRAY_SIZE(to); i++)
		for (size_t k = 0; k < ARRAY_SIZE(from); k++) {
			char *output = NULL;
			cr_expect_eq(lab_run(from[k], &output, "python3 %s %s", script, to[i]), 0,
				     "%s from %zu: %s", to[i], k, output);
			free(output);
		}
	net_finish(net);
}

// One who does not listen: what must stay whole is cut in pieces all the same.
static const char deaf[] =
	"import socket,sys\n"
	"s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
	"s.setsockopt(0, 10, 3)\n" // IP_PMTUDISC_PROBE: whole, whatever the path says
	"s.settimeout(0.5)\n"
	"answered = 0\n"
	"for n in range(10):\n"
	"    try: s.sendto(b'x' * 1472, (sys.argv[1], 7000)); s.recv(4096); answered += 1\n"
	"    except socket.timeout: pass\n"
	"assert answered >= 8, answered\n";

Test(tunnel, who_does_not_listen_is_served_all_the_same)
{
	struct net *net = tunnel_lab(1, "forward = tun scheduler = rr");
	char *output = NULL;
	cr_expect_eq(lab_run(lab_internet(net->lab), &output, "python3 %s " DIRECT_VIP4,
			     lab_file(net->lab, "deaf.py", "%s", deaf)),
		     0, "%s", output);
	free(output);
	net_finish(net);
}

static void expect_segments(struct net *net, const char *to, int most)
{
	char *output = NULL;
	cr_expect_eq(lab_run(lab_internet(net->lab), &output,
			     "python3 -c \"import socket; s = socket.create_connection(('%s', 7000)); m = "
			     "s.getsockopt(6, 2); assert %d - 20 <= m <= %d, m\"",
			     to, most, most),
		     0, "%s: %s", to, output);
	free(output);
}

static void expect_upload(struct net *net, const char *to)
{
	struct lab_transfer *upload = lab_transfer_start(
		net->lab,
		&(struct lab_transfer_spec){.flow = {.from = lab_internet(net->lab), .to = to, .port = 7000},
					    .kind = LAB_UPLOAD});
	cr_expect(lab_transfer_wait_running(upload, 8000), "%s: nothing went", to);
	lab_transfer_stop(upload);
}

// What real-script prints asks for segments that fit, and so does this host where the answers pass it; and without
// either it goes, too.
Test(tunnel, segments_fit)
{
	struct net *net = tunnel_lab(1, "forward = tun scheduler = rr");
	struct lab_ns *real = lab_host(net->lab, 1);
	expect_segments(net, DIRECT_VIP4, 1440);
	expect_segments(net, DIRECT_VIP6, 1400);
	lab_do(real, "nft delete table ip gwd.mss.web; nft delete table ip6 gwd.mss.web");
	expect_segments(net, DIRECT_VIP4, 1440);
	expect_segments(net, DIRECT_VIP6, 1400);
	expect_upload(net, DIRECT_VIP4);
	expect_upload(net, DIRECT_VIP6);
	net_finish(net);
}

// Answers by a way of their own: only the real can ask for smaller segments, and if it doesn't, the path tells.
Test(tunnel, long_segments_find_their_way)
{
	struct net *net = tunnel_lab(1, "forward = tun scheduler = rr");
	lab_do(lab_host(net->lab, 1), "nft delete table ip gwd.mss.web; nft delete table ip6 gwd.mss.web");
	direct_own_way(net);
	expect_upload(net, DIRECT_VIP4);
	expect_upload(net, DIRECT_VIP6);
	net_finish(net);
}

// ---- a kernel without ------------------------------------------------------------------------------------

Test(tunnel, without_them_in_the_kernel_the_others_serve)
{
	struct net *net = direct_lab(1, "forward = dr scheduler = rr\n"
					"real t1 { address = 10.0.0.12 forward = tun probes = none }\n"
					"real t2 { address = \"fd00:10::12\" forward = tun probes = none }");
	char *output = NULL;
	if (kernel_has_tunnels(net)) {
		net_finish(net);
		cr_skip_test("this kernel has them");
	}
	start(net);
	cr_assert(lab_proc_wait_output(net->gwd, "modprobe ipip", 3000), "the log does not say what to do");
	for (size_t i = 0; i < ARRAY_SIZE(direct_families); i++)
		cr_expect_eq(direct_burst(net, lab_internet(net->lab), direct_families[i], false, 30, 1).sum,
			     30);
	cr_assert_eq(net_gwctl(net, &output, "status web"), 0);
	cr_expect(strstr(output, "this kernel has no ipip"), "%s", output);
	free(output);
	net_gwctl(net, &output, "doctor");
	cr_expect(strstr(output, "web/t1 is by tun") && strstr(output, "modprobe ip6_tunnel"), "%s", output);
	free(output);
	net_finish(net);
}
