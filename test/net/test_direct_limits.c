// SPDX-License-Identifier: GPL-2.0-or-later
// max-connections of reals by dr and tun: exact with many at once, in both families and over tcp and udp; who has no
// place goes to the next real, then to the backup, then to sorry, or is refused; places come back.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/vec.h"
#include "test/net/direct.h"
#include "test/net/held.h"

#define HOSTS 4

static struct {
	struct net *net;
} in;

static void edit(struct net *net, const char *sed)
{
	lab_do(lab_router(net->lab), "sed -i '%s' %s", sed, net->config);
}

// The reals of a host, of both families, have these options, and are "real", "backup" or "sorry" (that of IPv4 alone).
static void host_is(struct net *net, int host, const char *role, const char *options)
{
	char sed[200];
	if (!strcmp(role, "sorry"))
		snprintf(sed, sizeof(sed), "s/real r%d {/sorry { %s/; /real s%d {/d", host, options, host);
	else
		snprintf(sed, sizeof(sed), "s/real \\([rs]%d\\) {/%s \\1 { %s /", host, role, options);
	edit(net, sed);
}

static void begin(const char *options)
{
	char text[160];
	snprintf(text, sizeof(text), "forward = dr  %s", options);
	in.net = direct_lab(HOSTS, text);
}

static void run(void)
{
	net_gwd(in.net);
	net_wait_up(in.net);
	net_guard(in.net, 2);
	direct_count(in.net, HOSTS);
}

// r1: 100, r2: 50, r3: 10.
static void three(struct net *net)
{
	host_is(net, 1, "real", "max-connections = 100");
	host_is(net, 2, "real", "max-connections = 50");
	host_is(net, 3, "real", "max-connections = 10");
}

static struct lab_burst *hold(int family, bool udp, int count)
{
	return held_open(in.net, family == AF_INET ? DIRECT_VIP4 : DIRECT_VIP6, 7000, count, udp);
}

static void expect_reals(const int wanted[HOSTS])
{
	struct direct_tally tally = direct_count(in.net, HOSTS);
	for (int i = 0; i < HOSTS; i++)
		cr_expect_eq((int)tally.real[i + 1], wanted[i], "real %d: %d, not %d", i + 1,
			     (int)tally.real[i + 1], wanted[i]);
}

// So many places of a real, "FAMILY.SERVICE.REAL.LIMIT".
static void wait_taken(const char *of, int count, int timeout_ms)
{
	char what[160];
	snprintf(what, sizeof(what), "set netdev gwd drplace%s", of);
	size_t taken = direct_elements(in.net, what, (size_t)count, timeout_ms);
	cr_assert_eq(taken, (size_t)count, "%zu places of %s are taken, not %d", taken, of, count);
}

static void kill_gwd(void)
{
	lab_proc_signal(in.net->gwd, SIGKILL);
	lab_proc_wait(in.net->gwd, 5000);
}

static void finish(void)
{
	lab_do(lab_router(in.net->lab), "nft list ruleset >/dev/null");
	net_finish(in.net);
}

// ---- no more than so many ----------------------------------------------------------------------

static void overflows(const char *options, int family, bool udp, const char *backup)
{
	begin(options);
	three(in.net);
	host_is(in.net, 4, backup, "");
	run();
	struct lab_burst *held = hold(family, udp, 400);
	held_expect(held, 400, 0);
	expect_reals((const int[]){100, 50, 10, 240});
	cr_expect_eq(direct_poke(held).answered, 400);
	lab_burst_free(held);
	finish();
}

Test(direct_limits, no_more_than_so_many_and_the_rest_is_sorry)
{
	overflows("scheduler = rr", AF_INET, false, "sorry");
}

Test(direct_limits, also_by_hash_over_ipv6)
{
	overflows("scheduler = mh", AF_INET6, false, "backup");
}

Test(direct_limits, udp_too_and_who_is_pinned)
{
	overflows("scheduler = wlc  persistence = 1m  persist-mask = 1", AF_INET, true, "backup");
}

Test(direct_limits, udp_over_ipv6)
{
	overflows("scheduler = rr", AF_INET6, true, "backup");
}

Test(direct_limits, the_backup_comes_before_sorry)
{
	begin("scheduler = rr");
	host_is(in.net, 1, "real", "max-connections = 100");
	host_is(in.net, 2, "real", "max-connections = 50");
	host_is(in.net, 3, "backup", "");
	host_is(in.net, 4, "sorry", "");
	run();
	struct lab_burst *held = hold(AF_INET, false, 300);
	held_expect(held, 300, 0);
	expect_reals((const int[]){100, 50, 150, 0});
	lab_burst_free(held);
	finish();
}

// What others reach is table inet's; the real behind translation answers through us.
Test(direct_limits, the_backup_is_behind_nat)
{
	begin("scheduler = rr");
	three(in.net);
	host_is(in.net, 4, "backup", "forward = nat");
	lab_do(lab_host(in.net->lab, 4), "ip addr del " DIRECT_VIP4 "/32 dev lo");
	run();
	struct lab_burst *held = hold(AF_INET, false, 250);
	held_expect(held, 250, 0);
	expect_reals((const int[]){100, 50, 10, 90});
	cr_expect_eq(direct_poke(held).answered, 250);
	lab_burst_free(held);
	finish();
}

Test(direct_limits, without_anybody_else_the_rest_is_refused)
{
	begin("scheduler = rr");
	three(in.net);
	edit(in.net, "/real [rs]4/d");
	run();
	struct lab_burst *held = hold(AF_INET, false, 300);
	held_expect(held, 160, 140);
	struct lab_burst *other = hold(AF_INET6, false, 300);
	held_expect(other, 160, 140);
	lab_burst_free(held);
	lab_burst_free(other);
	finish();
}

// ---- places given back -------------------------------------------------------------------------

// One place, and nobody else.
static void one_place(const char *options)
{
	begin("scheduler = rr");
	edit(in.net, "/real [rs][234]/d");
	host_is(in.net, 1, "real", options);
	run();
}

static bool gets_in(void *arg)
{
	int family = *(int *)arg;
	struct lab_burst *more = hold(family, false, 1);
	bool got = lab_burst_tally(more).answered == 1;
	lab_burst_free(more);
	return got;
}

Test(direct_limits, who_closes_makes_room_for_the_next_one)
{
	one_place("max-connections = 1");
	for (int i = 0; i < 8; i++)
		for (int k = 0; k < 2; k++) {
			int family = direct_families[k];
			cr_assert(lab_wait_until(gets_in, &family, net_patience(4000)), "turn %d", i);
		}
	finish();
}

// Until so many got in: what is over is room again when it was swept.
struct filling {
	int family, wanted, got;
	struct lab_burst *bursts[20];
	size_t n;
};

static bool filled(void *arg)
{
	struct filling *filling = arg;
	if (filling->got == filling->wanted || filling->n == ARRAY_SIZE(filling->bursts))
		return filling->got == filling->wanted;
	struct lab_burst *more = hold(filling->family, false, filling->wanted - filling->got);
	int got = lab_burst_tally(more).answered;
	if (got)
		filling->bursts[filling->n++] = more;
	else
		lab_burst_free(more);
	filling->got += got;
	return filling->got == filling->wanted;
}

Test(direct_limits, who_closes_gives_back_and_no_more_than_that)
{
	one_place("max-connections = 60");
	struct filling rest = {.family = AF_INET, .wanted = 40};
	struct lab_burst *first = hold(AF_INET, false, 40), *second = hold(AF_INET, false, 40);
	held_expect(second, 20, 20);
	lab_burst_free(first);
	wait_taken("4.web.r1.60", 20, 5000);
	cr_assert(lab_wait_until(filled, &rest, net_patience(5000)), "%d got in", rest.got);
	struct lab_burst *none = hold(AF_INET, false, 100);
	held_expect(none, 0, 100);
	cr_expect_eq(direct_poke(second).answered, 20);
	lab_burst_free(second);
	for (size_t i = 0; i < rest.n; i++)
		lab_burst_free(rest.bursts[i]);
	wait_taken("4.web.r1.60", 0, 5000);
	finish();
}

// Whatever is in it has two seconds left.
static void shorten(const char *kind, const char *name)
{
	lab_do(lab_router(in.net->lab),
	       "nft list %s netdev gwd %s | tr -d '\\n\\t' | sed 's/.*elements = /add element netdev gwd %s "
	       "/; "
	       "s/}.*/}/; s/ expires [0-9a-z]*//g; s/timeout [0-9a-z]*/timeout 2s/g' >%s.nft;"
	       "nft 'flush %s netdev gwd %s'; nft -f %s.nft",
	       kind, name, name, in.net->config, kind, name, in.net->config);
}

// What the first segment alone takes is free again after ten seconds; so is what was said to be over by nobody, when its
// time is. To let that pass, the connections get other times.
Test(direct_limits, who_falls_silent_gives_back)
{
	one_place("max-connections = 60");
	struct lab_ns *internet = lab_internet(in.net->lab);
	struct lab_burst *udp = hold(AF_INET, true, 20), *tcp = hold(AF_INET, false, 20);
	held_expect(udp, 20, 0);
	held_expect(tcp, 20, 0);
	wait_taken("4.web.r1.60", 40, 3000);
	lab_nft_load(internet, "table ip deaf { chain c { type filter hook input priority 0;\n"
			       " tcp sport 7000 tcp flags & (syn | ack) == syn | ack drop\n }\n }");
	struct lab_burst *flood = lab_burst_start(
		in.net->lab,
		&(struct lab_burst_spec){.flow = {.from = internet, .to = DIRECT_VIP4, .port = 7000},
					 .count = 100,
					 .at_once = 100,
					 .timeout_ms = 500});
	lab_burst_wait(flood);
	lab_burst_free(flood);
	wait_taken("4.web.r1.60", 60, 3000);
	wait_taken("4.web.r1.60", 40, 20000);
	lab_do(internet, "nft delete table ip deaf");
	kill_gwd(); // the table is its own
	shorten("set", "drplace4.web.r1.60");
	shorten("map", "drconn4.web");
	net_gwd(in.net);
	net_wait_up(in.net);
	wait_taken("4.web.r1.60", 0, 10000);
	struct filling all = {.family = AF_INET, .wanted = 60};
	cr_assert(lab_wait_until(filled, &all, net_patience(5000)), "%d got in", all.got);
	lab_burst_free(udp);
	lab_burst_free(tcp);
	for (size_t i = 0; i < all.n; i++)
		lab_burst_free(all.bursts[i]);
	finish();
}

// ---- the lower threshold, other limits, restarts -----------------------------------------------

static bool is_full(void *arg)
{
	char *output = NULL;
	(void)arg;
	net_gwctl(in.net, &output, "-j status");
	bool full = strstr(output, "max-connections reached") != NULL;
	free(output);
	return full;
}

static int reached(int real)
{
	return (int)direct_count(in.net, HOSTS).real[real];
}

static bool real_1_is_asked(void *arg)
{
	reached(1);
	(void)arg;
	lab_burst_free(hold(AF_INET, false, 1));
	return reached(1) == 1;
}

#define LIMITED "max-connections = 40  min-connections = 10"

static void one_and_sorry(void)
{
	begin("scheduler = rr");
	edit(in.net, "/real [rs][34]/d");
	host_is(in.net, 1, "real", LIMITED);
	host_is(in.net, 2, "sorry", "");
	run();
}

Test(direct_limits, a_full_real_comes_back_below_its_lower_threshold)
{
	one_and_sorry();
	struct lab_burst *first = hold(AF_INET, false, 25), *second = hold(AF_INET, false, 25);
	expect_reals((const int[]){40, 10, 0, 0});
	cr_assert(lab_wait_until(is_full, NULL, net_patience(5000)));
	lab_burst_free(first); // 15 are left
	wait_taken("4.web.r1.40", 15, 10000);
	for (int i = 0; i < 20; i++)
		cr_assert(!real_1_is_asked(NULL));
	cr_assert(is_full(NULL));
	lab_burst_free(second);
	cr_assert(lab_wait_until(real_1_is_asked, NULL, net_patience(10000)));
	cr_assert(!is_full(NULL));
	finish();
}

static void limit_is(const char *options)
{
	char sed[200];
	snprintf(sed, sizeof(sed), "s/max-connections = [0-9]*  min-connections = [0-9]*/%s/", options);
	direct_reload(in.net, sed);
}

// One after the other, until so many have got real 1. However long that takes on a busy machine: they are tries that are
// limited.
struct more {
	int wanted, got;
	struct lab_burst *bursts[100];
	size_t n;
};

static void let_in(struct more *more)
{
	while (more->got < more->wanted && more->n < ARRAY_SIZE(more->bursts)) {
		more->bursts[more->n++] = hold(AF_INET, false, 1);
		more->got += reached(1);
	}
	cr_assert_eq(more->got, more->wanted, "%d more got in, of %zu", more->got, more->n);
}

// The set of another limit is a new one: who is there gets a place in it, also where there are more than there may be.
Test(direct_limits, a_changed_limit_counts_those_who_are_there)
{
	one_and_sorry();
	struct lab_burst *first = hold(AF_INET, false, 20), *udp = hold(AF_INET, true, 10);
	limit_is("max-connections = 35  min-connections = 35");
	wait_taken("4.web.r1.35", 30, 5000);
	direct_count(in.net, HOSTS);
	struct lab_burst *second = hold(AF_INET, false, 30);
	expect_reals((const int[]){5, 25, 0, 0});
	limit_is("max-connections = 20  min-connections = 20");
	wait_taken("4.web.r1.20", 20, 5000);
	cr_assert(lab_wait_until(is_full, NULL, net_patience(5000)));
	direct_count(in.net, HOSTS);
	struct lab_burst *third = hold(AF_INET, false, 10);
	expect_reals((const int[]){0, 10, 0, 0});
	cr_expect_eq(direct_poke(first).answered, 20);
	cr_expect_eq(direct_poke(udp).answered, 10);
	cr_expect_eq(direct_poke(second).answered, 30);
	lab_burst_free(first); // 15 are left, of whom not all had a place
	wait_taken("4.web.r1.20", 15, 5000);
	cr_assert(lab_wait_until(real_1_is_asked, NULL, net_patience(10000)));
	wait_taken("4.web.r1.20", 15, 5000);
	direct_count(in.net, HOSTS);
	struct more more = {.wanted = 5};
	let_in(&more);
	struct lab_burst *last = hold(AF_INET, false, 30);
	expect_reals((const int[]){0, 30, 0, 0});
	for (size_t i = 0; i < more.n; i++)
		lab_burst_free(more.bursts[i]);
	lab_burst_free(second);
	lab_burst_free(third);
	lab_burst_free(udp);
	lab_burst_free(last);
	finish();
}

Test(direct_limits, a_killed_daemon_finds_the_places_as_they_are)
{
	one_and_sorry();
	struct lab_burst *first = hold(AF_INET, false, 20), *second = hold(AF_INET, false, 10);
	kill_gwd();
	struct lab_burst *meanwhile = hold(AF_INET, false, 20);
	expect_reals((const int[]){40, 10, 0, 0});
	lab_burst_free(first); // nobody sees it but the packet path
	net_gwd(in.net);
	net_wait_up(in.net);
	wait_taken("4.web.r1.40", 20, 5000);
	cr_expect_eq(direct_poke(second).answered, 10);
	cr_expect_eq(direct_poke(meanwhile).answered, 20);
	lab_burst_free(meanwhile);
	lab_burst_free(second);
	wait_taken("4.web.r1.40", 0, 5000);
	finish();
}

// ---- who dies, and many ------------------------------------------------------------------------

// Its connections of UDP go to those who have places for them; those of TCP end. Nobody has more than he may.
Test(direct_limits, connections_of_a_dead_real_find_places)
{
	begin("scheduler = rr");
	edit(in.net, "/real [rs]3/d");
	host_is(in.net, 1, "real", "max-connections = 100");
	host_is(in.net, 2, "real", "max-connections = 50");
	host_is(in.net, 4, "sorry", "");
	run();
	struct lab_burst *udp = hold(AF_INET, true, 60), *tcp = hold(AF_INET, false, 20);
	expect_reals((const int[]){40, 40, 0, 0});
	direct_die(in.net, 1);
	cr_expect_eq(direct_poke(udp).answered, 60);
	struct direct_tally tally = direct_count(in.net, HOSTS);
	cr_expect_eq(tally.real[2], 40, "%d", (int)tally.real[2]); // 30 as before, and 10 places
	cr_expect_eq(tally.real[4], 20, "%d", (int)tally.real[4]);
	wait_taken("4.web.r2.50", 50, 3000);
	cr_expect_eq(direct_poke(tcp).answered, 10);
	wait_taken("4.web.r1.100", 0, 5000);
	lab_burst_free(udp);
	lab_burst_free(tcp);
	finish();
}

static struct lab_burst *hold_many(int count, const char *source)
{
	struct lab_burst_spec spec = {.flow = {.from = lab_internet(in.net->lab),
					       .to = DIRECT_VIP4,
					       .port = 7000,
					       .source = source},
				      .count = count,
				      .at_once = 500,
				      .timeout_ms = 20000};
	return held_all(in.net->lab, &spec);
}

// Exactly as many as there may be, among ten thousand connections; who goes makes room for as many who come.
Test(direct_limits, ten_thousand_at_a_time)
{
	static const char *const crowd[] = {"python3", "test/net/crowd.py", "7000", NULL};
	begin("scheduler = rr");
	struct lab_ns *crowded = lab_host(in.net->lab, HOSTS + 1);
	lab_do(crowded, "sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2;"
			"ip addr add " DIRECT_VIP4 "/32 dev lo");
	struct lab_proc *real = lab_proc_start(in.net->lab, crowded, crowd);
	cr_assert(lab_proc_wait_output(real, "ready", 30000));
	edit(in.net, "/real [rs][34]/d; /real s1/d; s/10.0.0.11/10.0.0.15/");
	host_is(in.net, 1, "real", "max-connections = 10000  min-connections = 10000  probes = none");
	host_is(in.net, 2, "sorry", "");
	run();
	struct lab_burst *first = hold_many(4000, "198.51.100.1"), *second = hold_many(7000, "198.51.100.2");
	expect_reals((const int[]){0, 1000, 0, 0});
	wait_taken("4.web.r1.10000", 10000, 3000);
	lab_burst_free(first);
	wait_taken("4.web.r1.10000", 6000, 20000);
	struct lab_burst *third = hold_many(5000, "198.51.100.3");
	expect_reals((const int[]){0, 1000, 0, 0});
	net_assert_alive(second, 7000);
	net_assert_alive(third, 5000);
	lab_burst_free(second);
	lab_burst_free(third);
	wait_taken("4.web.r1.10000", 0, 20000);
	finish();
}
