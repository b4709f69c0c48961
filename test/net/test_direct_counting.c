// SPDX-License-Identifier: GPL-2.0-or-later
// Live connections of reals by dr: counted from the packet path's own maps, shown, and spread by them; and as long as
// a real that was taken out has some, they go on.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/core/ring.h"
#include "test/net/direct.h"
#include "test/net/dying.h"

static struct inbound *start(const char *scheduler)
{
	static struct inbound in;
	char options[64];
	snprintf(options, sizeof(options), "forward = dr scheduler = %s", scheduler);
	in.net = direct_lab(2, options);
	net_gwd(in.net);
	net_wait_up(in.net);
	net_guard(in.net, 2);
	return &in;
}

static void by_hand(struct inbound *in, const char *command, char real)
{
	char *output;
	cr_assert_eq(net_gwctl(in->net, &output, "%s web/%c2", command, real), 0, "%s: %s", command, output);
	free(output);
}

// ---- the ring in the kernel --------------------------------------------------------------------

struct ring_wait {
	struct inbound *in;
	int family, most, slots; // so many slots are of the one that has the most
};

static int ring_most(struct ring_wait *wait)
{
	char *output = NULL, seen[RING_SLOTS][16];
	int n = 0, most = 0;
	cr_assert_eq(lab_run(lab_router(wait->in->net->lab), &output,
			     "nft list map netdev gwd drpool%c.web.%d", wait->family == AF_INET ? '4' : '6',
			     RING_SLOTS),
		     0, "%s", output);
	for (char *at = strchr(output, '='); at && (at = strstr(at, " : 0x")) && n < RING_SLOTS; at += 5)
		snprintf(seen[n++], sizeof(seen[0]), "%.8s", at + 5);
	for (int i = 0; i < n; i++) {
		int same = 0;
		for (int k = 0; k < n; k++)
			same += !strcmp(seen[i], seen[k]);
		most = same > most ? same : most;
	}
	free(output);
	return most;
}

static bool ring_is(void *arg)
{
	struct ring_wait *wait = arg;
	wait->slots = ring_most(wait);
	return wait->slots == wait->most;
}

static void wait_ring(struct inbound *in, int family, int most)
{
	struct ring_wait wait = {.in = in, .family = family, .most = most};
	cr_assert(lab_wait_until(ring_is, &wait, 10000), "one has %d slots, not %d", wait.slots, most);
}

// ---- spread ------------------------------------------------------------------------------------

static void expect_about(struct inbound *in, const char *real, long flows, long slack)
{
	long is = dying_flows(in, "web", real);
	cr_expect(is >= flows - slack && is <= flows + slack, "%s: %ld, not about %ld", real, is, flows);
}

// One real begins with ten that the other has not: the next ones make up for it. A counting in the midst of a burst may
// miss whoever came meanwhile.
static void evens_out(const char *scheduler, int family, bool udp)
{
	struct inbound *in = start(scheduler);
	const char *one = family == AF_INET ? "r1" : "s1", *other = family == AF_INET ? "r2" : "s2";
	by_hand(in, "drain", *one);
	struct lab_burst *first = direct_hold(in->net, family, udp, 10);
	dying_wait_flows(in, "web", one, 10, 3000);
	cr_expect_eq(dying_flows(in, "web", other), 0);
	by_hand(in, "undrain", *one);
	wait_ring(in, family, 13); // ten to make up for it, and half of six
	struct lab_burst *second = direct_hold(in->net, family, udp, 10);
	wait_ring(in, family, 8);
	expect_about(in, other, 10, 2);
	struct lab_burst *third = direct_hold(in->net, family, udp, 40);
	expect_about(in, one, 30, 2);
	expect_about(in, other, 30, 2);
	cr_expect_eq(dying_flows(in, "web", one) + dying_flows(in, "web", other), 60);
	cr_expect_eq(direct_poke(first).answered, 10);
	cr_expect_eq(direct_poke(third).answered, 40);
	lab_burst_free(first);
	lab_burst_free(second);
	if (!udp) { // closed by their clients: they count no more
		dying_wait_flows(in, "web", one, dying_flows(in, "web", one), 3000);
		expect_about(in, one, 20, 2);
		expect_about(in, other, 20, 2);
	}
	lab_burst_free(third);
	if (!udp) {
		dying_wait_flows(in, "web", one, 0, 3000);
		dying_wait_flows(in, "web", other, 0, 3000);
	}
	net_finish(in->net);
}

Test(direct_counting, lc)
{
	evens_out("lc", AF_INET, false);
}

Test(direct_counting, wlc_6)
{
	evens_out("wlc", AF_INET6, false);
}

Test(direct_counting, wlc_udp)
{
	evens_out("wlc", AF_INET, true);
}

// Also those that began while gwd was not there.
Test(direct_counting, wlc_by_weight_and_after_a_restart)
{
	struct inbound *in = start("wlc");
	direct_reload(in->net, "s/real \\([rs]2\\) { address/real \\1 { weight = 3 address/");
	wait_ring(in, AF_INET, 12);
	struct lab_burst *held = direct_hold(in->net, AF_INET, false, 40);
	expect_about(in, "r2", 30, 2);
	expect_about(in, "r1", 10, 2);
	lab_proc_signal(in->net->gwd, SIGKILL);
	lab_proc_wait(in->net->gwd, 5000);
	struct lab_burst *meanwhile = direct_hold(in->net, AF_INET, false, 8);
	net_gwd(in->net);
	net_wait_up(in->net);
	cr_expect_eq(dying_flows(in, "web", "r1") + dying_flows(in, "web", "r2"), 48);
	wait_ring(in, AF_INET, 12);
	struct lab_burst *last = direct_hold(in->net, AF_INET, false, 52);
	expect_about(in, "r1", 25, 3);
	expect_about(in, "r2", 75, 3);
	lab_burst_free(held); // and whoever is left is spread anew
	lab_burst_free(meanwhile);
	lab_burst_free(last);
	dying_wait_flows(in, "web", "r1", 0, 3000);
	dying_wait_flows(in, "web", "r2", 0, 3000);
	net_finish(in->net);
}

// Status counts when it is asked, whoever deals.
Test(direct_counting, flows_are_shown_by_turns_too)
{
	struct inbound *in = start("rr");
	struct lab_burst *tcp = direct_hold(in->net, AF_INET, false, 20),
			 *udp = direct_hold(in->net, AF_INET, true, 20);
	cr_expect_eq(dying_flows(in, "web", "r1"), 20);
	cr_expect_eq(dying_flows(in, "web", "r2"), 20);
	cr_expect_eq(dying_flows(in, "web", "s1"), 0);
	lab_burst_free(tcp);
	dying_wait_flows(in, "web", "r1", 10, 3000);
	lab_burst_free(udp);
	net_finish(in->net);
}

// ---- a real that was taken out -------------------------------------------------------------------

static bool is_known(struct inbound *in, char id[16])
{
	char *output = NULL;
	cr_assert_eq(lab_run(lab_router(in->net->lab), &output, "nft list map netdev gwd draddr4"), 0, "%s",
		     output);
	const char *at = strstr(output, lab_host_address(AF_INET, 1));
	while (at && at > output && strncmp(at, "0x", 2) != 0)
		at--;
	if (at)
		snprintf(id, 16, "%.10s", at);
	free(output);
	return at != NULL;
}

static bool is_forgotten(void *arg)
{
	char id[16];
	return !is_known(arg, id);
}

static void kill_gwd(struct inbound *in)
{
	lab_proc_signal(in->net->gwd, SIGKILL);
	lab_proc_wait(in->net->gwd, 5000);
}

static void restart_gwd(struct inbound *in)
{
	net_gwd(in->net);
	net_wait_up(in->net);
}

// Also over a restart. The last of them is over by its time.
Test(direct_counting, a_real_that_is_taken_out_keeps_its_connections)
{
	struct inbound *in = start("rr");
	char id[16] = "";
	struct lab_burst *tcp = direct_hold(in->net, AF_INET, false, 40),
			 *udp = direct_hold(in->net, AF_INET, true, 40);
	direct_reload(in->net, "s/real r1 {.*//");
	for (int restarted = 0; restarted < 2; restarted++) {
		cr_expect_eq(direct_poke(tcp).answered, 40);
		direct_count(in->net, 2);
		cr_expect_eq(direct_poke(udp).answered, 40);
		cr_expect_eq(direct_count(in->net, 2).real[1], 20, "UDP left");
		struct direct_tally tally =
			direct_burst(in->net, lab_internet(in->net->lab), AF_INET, false, 30, 2);
		cr_expect_eq(tally.real[1], 0, "who was taken out gets new connections");
		cr_expect(is_known(in, id));
		kill_gwd(in);
		if (!restarted)
			restart_gwd(in);
	}
	lab_do(lab_router(in->net->lab),
	       "nft 'flush map netdev gwd drconn4.web; flush map netdev gwd drlast4.web; add element netdev "
	       "gwd drlast4.web { 192.0.2.1 . tcp . 1 . " DIRECT_VIP4 " . 7000 timeout 4s : %s }'",
	       id);
	restart_gwd(in);
	cr_expect(lab_wait_until(is_forgotten, in, 15000), "its address stays");
	lab_burst_free(tcp);
	lab_burst_free(udp);
	net_finish(in->net);
}
