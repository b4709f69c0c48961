// SPDX-License-Identifier: GPL-2.0-or-later
// slow-start of reals: one that comes back, or is new, begins with a little of its share and reaches it by itself; by
// translation and by dr.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/direct.h"
#include "test/net/inbound.h"

#define SERVICE \
	"service web { listen = \"%s:80\"  scheduler = %s  slow-start = %s  probes = quick\n" \
	"  real r1 { address = 10.0.0.11 }  real r2 { address = 10.0.0.12 } %s }\n"

static const char *vip(struct inbound *in)
{
	return lab_wan_address(in->net->lab, 1, AF_INET);
}

static void wait_told_by(struct net *net, const char *text)
{
	cr_assert(lab_proc_wait_output(net->gwd, text, 10000), "no \"%s\"", text);
}

static void wait_told(struct inbound *in, const char *text)
{
	wait_told_by(in->net, text);
}

// r1 dies and comes back.
static void come_back(struct inbound *in)
{
	lab_do(lab_host(in->net->lab, 1), "ip link set eth0 down");
	wait_told(in, "web/r1: up -> down");
	lab_do(lab_host(in->net->lab, 1), "ip link set eth0 up; ip route replace default via 10.0.0.1");
	wait_told(in, "web/r1: down -> up");
	inbound_mark(in);
}

Test(real_ramp, one_that_comes_back_begins_with_a_little)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2}, 2);
	inbound_gwd(in, SERVICE, vip(in), "rr", "1h", "");
	wait_told(in, "web/r1: unknown -> up");
	inbound_mark(in);
	inbound_ask(in, vip(in), 80, 60);
	inbound_expect(in, (const int[]){30, 30}, 1);
	come_back(in);
	inbound_ask(in, vip(in), 80, 60);
	inbound_expect(in, (const int[]){1, 59}, 0);
	cr_assert(strstr(lab_proc_output(in->net->gwd), "; slow-start: 5% of its share"));
	inbound_finish(in);
}

static bool both_alike(void *arg)
{
	struct inbound *in = arg;
	inbound_mark(in);
	inbound_ask(in, vip(in), 80, 60);
	return abs(inbound_served(in, 1) - 30) <= 1;
}

Test(real_ramp, it_reaches_its_share_by_itself)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2}, 2);
	inbound_gwd(in, SERVICE, vip(in), "rr", "3s", "");
	wait_told(in, "web/r1: unknown -> up");
	come_back(in);
	cr_assert(strstr(lab_proc_output(in->net->gwd), "; slow-start: 5% of its share"));
	cr_assert(lab_wait_until(both_alike, in, 20000));
	inbound_finish(in);
}

// The thundering herd: the newcomer has no connections, and would get all of the next ones.
Test(real_ramp, a_newcomer_is_not_flooded)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 3);
	inbound_gwd(in, SERVICE, vip(in), "wlc", "1h", "");
	struct lab_burst_spec spec = {
		.flow = {.from = lab_internet(in->net->lab), .to = vip(in), .port = 80},
		.count = 60,
		.at_once = 1,
		.hold = true,
	};
	struct lab_burst *held = lab_burst_start(in->net->lab, &spec);
	lab_burst_wait(held);
	inbound_reload(in, SERVICE, vip(in), "wlc", "1h", "real r3 { address = 10.0.0.13 }");
	wait_told(in, "web/r3: unknown -> up");
	inbound_mark(in);
	inbound_ask(in, vip(in), 80, 32);
	cr_assert_leq(inbound_served(in, 3), 3, "one place of sixteen, not %d", inbound_served(in, 3));
	lab_burst_free(held);
	inbound_finish(in);
}

// ---- by dr ---------------------------------------------------------------------------------------

// With two reals of each family: those of host 1 die and come back.
static struct net *direct_comes_back(const char *options, const char *slow_start)
{
	char text[120];
	snprintf(text, sizeof(text), "forward = dr  %s  slow-start = %s", options, slow_start);
	struct net *net = direct_lab(2, text);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	wait_told_by(net, "web/r1: unknown -> up");
	wait_told_by(net, "web/s1: unknown -> up");
	lab_do(lab_host(net->lab, 1), "ip link set eth0 down");
	wait_told_by(net, "web/r1: up -> down");
	wait_told_by(net, "web/s1: up -> down");
	lab_do(lab_host(net->lab, 1),
	       "ip link set eth0 up; ip route replace default via 10.0.0.1; ip -6 addr "
	       "replace %s/64 dev eth0 nodad; ip -6 route replace default via fd00:10::1",
	       lab_host_address(AF_INET6, 1));
	wait_told_by(net, "web/r1: down -> up");
	wait_told_by(net, "web/s1: down -> up");
	cr_assert(strstr(lab_proc_output(net->gwd), "; slow-start: 5% of its share"));
	return net;
}

Test(real_ramp, by_dr_one_that_comes_back_begins_with_a_little)
{
	struct net *net = direct_comes_back("scheduler = rr", "1h");
	for (size_t i = 0; i < 2; i++)
		for (int udp = 0; udp < 2; udp++) {
			struct direct_tally tally =
				direct_burst(net, lab_internet(net->lab), direct_families[i], udp, 60, 2);
			cr_expect_eq(tally.real[1], 1, "%d of 60", (int)tally.real[1]);
		}
	net_finish(net);
}

static bool direct_alike(void *arg)
{
	struct direct_tally tally =
		direct_burst(arg, lab_internet(((struct net *)arg)->lab), AF_INET, false, 60, 2);
	return abs((int)tally.real[1] - 30) <= 1;
}

Test(real_ramp, by_dr_it_reaches_its_share_by_itself)
{
	struct net *net = direct_comes_back("scheduler = rr", "3s");
	cr_assert(lab_wait_until(direct_alike, net, 20000));
	net_finish(net);
}

// The thundering herd, as above: sixty are with the other one.
Test(real_ramp, by_dr_a_newcomer_is_not_flooded)
{
	struct net *net = direct_comes_back("scheduler = wlc", "1h");
	struct lab_burst *held = direct_hold(net, AF_INET, false, 60);
	direct_count(net, 2);
	struct direct_tally tally = direct_burst(net, lab_internet(net->lab), AF_INET, false, 32, 2);
	cr_expect_leq(tally.real[1], 3, "one place of sixteen, not %d of 32", (int)tally.real[1]);
	cr_expect_eq(tally.sum, 32);
	lab_burst_free(held);
	net_finish(net);
}
