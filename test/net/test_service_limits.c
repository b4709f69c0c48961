// SPDX-License-Identifier: GPL-2.0-or-later
// max-connections: exact with many at once, in both families and over tcp and udp; who has no place goes to the next real,
// then to the backup, then to sorry, or is refused.
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/held.h"
#include "test/net/inbound.h"

static const char *wan(struct inbound *in, int isp)
{
	return lab_wan_address(in->net->lab, isp, AF_INET);
}

static struct lab_burst *hold(struct inbound *in, const char *vip, int count, bool udp)
{
	return held_open(in->net, vip, 8001, count, udp);
}

#define THREE \
	"service web { listen = \"%s:8001\"  protocol = { tcp, udp }  scheduler = rr  %s\n" \
	"  real r1 { address = 10.0.0.11  port = 80  max-connections = 100 }\n" \
	"  real r2 { address = 10.0.0.12  port = 80  max-connections = 50 }\n" \
	"  real r3 { address = 10.0.0.13  port = 80  max-connections = 10 }\n"

Test(service_limits, no_more_than_so_many_and_the_rest_is_sorry)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 4}, 4);
	inbound_gwd(in, THREE "  sorry { address = 10.0.0.14  port = 80 } }\n", wan(in, 1), "");
	net_guard(in->net, 2);
	struct lab_burst *held = hold(in, wan(in, 1), 400, false);
	held_expect(held, 400, 0);
	inbound_expect(in, (const int[]){100, 50, 10, 240}, 0);
	lab_burst_poke(held);
	lab_burst_wait(held);
	held_expect(held, 400, 0);
	lab_burst_free(held);
	inbound_finish(in);
}

Test(service_limits, without_anybody_else_the_rest_is_refused)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 3);
	inbound_gwd(in, THREE "}\n", wan(in, 1), "");
	net_guard(in->net, 2);
	struct lab_burst *held = hold(in, wan(in, 1), 300, false);
	held_expect(held, 160, 140);
	inbound_expect(in, (const int[]){100, 50, 10}, 0);
	lab_burst_free(held);
	inbound_finish(in);
}

Test(service_limits, udp_too_and_the_backup_comes_before_sorry)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 5}, 5);
	inbound_gwd(in,
		    THREE "  backup b1 { address = 10.0.0.14  port = 80 }\n"
			  "  sorry { address = 10.0.0.15  port = 80 } }\n",
		    wan(in, 1), "persistence = 1m  persist-mask = 1");
	net_guard(in->net, 2);
	struct lab_burst *held = hold(in, wan(in, 1), 300, true);
	held_expect(held, 300, 0);
	inbound_expect(in, (const int[]){100, 50, 10, 140, 0}, 0);
	lab_burst_free(held);
	inbound_finish(in);
}

// From one port to two listening addresses: two connections.
Test(service_limits, one_client_port_to_two_addresses_takes_two_places)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 2}, 2);
	inbound_gwd(in,
		    "service web { listen = { \"%s:8001\", \"%s:8001\" }  scheduler = rr\n"
		    "  real r1 { address = 10.0.0.11  port = 80  max-connections = 1 }\n"
		    "  sorry { address = 10.0.0.12  port = 80 } }\n",
		    wan(in, 1), wan(in, 2));
	struct lab_burst *held[2];
	for (int i = 0; i < 2; i++) {
		held[i] = lab_burst_start(
			in->net->lab, &(struct lab_burst_spec){.flow = {.from = lab_internet(in->net->lab),
									.to = wan(in, i + 1),
									.port = 8001,
									.source_port = 4321},
							       .hold = true});
		lab_burst_wait(held[i]);
		held_expect(held[i], 1, 0);
	}
	inbound_expect(in, (const int[]){1, 1}, 0);
	lab_burst_free(held[0]);
	lab_burst_free(held[1]);
	inbound_finish(in);
}

// ---- places given back -------------------------------------------------------------------------

struct wanted {
	struct inbound *in;
	int answered;
};

// So many more get in: asks from time to time, as a client would, and lets go again of what it got.
static bool gets_in(void *arg)
{
	struct wanted *wanted = arg;
	struct lab_burst *more = hold(wanted->in, wan(wanted->in, 1), 1, false);
	bool in = lab_burst_tally(more).answered == wanted->answered;
	lab_burst_free(more);
	return in;
}

struct places {
	struct inbound *in;
	int taken;
	bool all;
};

// So many of r1's places are, or of all.
static bool taken(void *arg)
{
	struct places *places = arg;
	char *output = NULL;
	lab_run(lab_router(places->in->net->lab), &output,
		"nft list table inet gwd | sed -n '/set place4.web%s/,/}/p' | grep -o ' [0-9.]* . "
		"\\(tcp\\|udp\\) . ' | "
		"wc -l",
		places->all ? "" : ".r1");
	int n = atoi(output);
	free(output);
	return n == places->taken;
}

Test(service_limits, who_closes_gives_back_and_no_more_than_that)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 3);
	inbound_gwd(in, THREE "}\n", wan(in, 1), "");
	net_guard(in->net, 2);
	struct lab_burst *first = hold(in, wan(in, 1), 100, false),
			 *second = hold(in, wan(in, 1), 100, false);
	held_expect(first, 100, 0);
	held_expect(second, 60, 40);
	lab_burst_free(first);
	cr_assert(lab_wait_until(taken, &(struct places){in, 60, true}, 10000));
	struct lab_burst *third = hold(in, wan(in, 1), 200, false);
	held_expect(third, 100, 100);
	net_assert_alive(second, 60);
	net_assert_alive(third, 100);
	lab_burst_free(second);
	lab_burst_free(third);
	inbound_finish(in);
}

#define ONE \
	"service web { listen = \"%s:8001\"  protocol = { tcp, udp }  scheduler = rr\n" \
	"  real r1 { address = 10.0.0.11  port = 80  max-connections = %d  min-connections = 10 }\n" \
	"  sorry { address = 10.0.0.12  port = 80 } }\n"

static bool is_full(void *arg)
{
	char *output = NULL;
	net_gwctl(((struct inbound *)arg)->net, &output, "-j status");
	bool full = strstr(output, "max-connections reached") != NULL;
	free(output);
	return full;
}

static bool real_is_asked(void *arg)
{
	struct inbound *in = arg;
	struct lab_flow flow = {.from = lab_internet(in->net->lab), .to = wan(in, 1), .port = 8001};
	return inbound_real_of(in, &flow, false) == 1;
}

// How many places were given back because conntrack told of their end, as opposed to by comparing.
static int given_back(struct inbound *in)
{
	int n = 0;
	const char *log = lab_proc_output(in->net->gwd);
	for (const char *at = strstr(log, "given back"); at; at = strstr(at + 1, "given back")) {
		const char *number = at - 1;
		while (number > log && number[-1] >= '0' && number[-1] <= '9')
			number--;
		n += atoi(number);
	}
	return n;
}

// One place: whoever closes makes room for the next one there and then.
Test(service_limits, a_place_is_free_as_soon_as_its_connection_ends)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 2}, 2);
	inbound_gwd(in,
		    "service web { listen = \"%s:8001\"  scheduler = rr\n"
		    "  real r1 { address = 10.0.0.11  port = 80  max-connections = 1 } }\n",
		    wan(in, 1));
	net_guard(in->net, 2);
	for (int i = 0; i < 40; i++)
		cr_assert(lab_wait_until(gets_in, &(struct wanted){in, 1}, 10000), "turn %d", i);
	cr_assert(lab_wait_until(taken, &(struct places){in, 0, false}, 10000));
	cr_assert_geq(given_back(in), 35, "%d", given_back(in)); // a comparison may come first now and then
	inbound_finish(in);
}

// Nobody says that they are gone: conntrack forgets them.
Test(service_limits, who_falls_silent_gives_back_too)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 2}, 2);
	inbound_gwd(in, ONE, wan(in, 1), 60);
	net_guard(in->net, 2);
	struct lab_burst *tcp = hold(in, wan(in, 1), 30, false), *udp = hold(in, wan(in, 1), 30, true);
	cr_assert(taken(&(struct places){in, 60, false}));
	lab_ns_sysctl(lab_router(in->net->lab), "netfilter/nf_conntrack_tcp_timeout_established", "1");
	lab_ns_sysctl(lab_router(in->net->lab), "netfilter/nf_conntrack_udp_timeout", "1");
	lab_ns_sysctl(lab_router(in->net->lab), "netfilter/nf_conntrack_udp_timeout_stream", "1");
	lab_run(lab_router(in->net->lab), NULL, // where there is a flowtable, what it has is alive
		"cd /proc/sys/net/netfilter; echo 1 >nf_flowtable_tcp_timeout; echo 1 "
		">nf_flowtable_udp_timeout");
	net_assert_alive(tcp, 30); // one packet more, and the new time counts
	net_assert_alive(udp, 30);
	cr_assert(lab_wait_until(taken, &(struct places){in, 0, false}, 20000));
	lab_burst_free(tcp);
	lab_burst_free(udp);
	inbound_finish(in);
}

// At its limit a real stays out until it has less than min-connections.
Test(service_limits, a_full_real_comes_back_below_its_lower_threshold)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 2}, 2);
	inbound_gwd(in, ONE, wan(in, 1), 40);
	net_guard(in->net, 2);
	struct lab_burst *first = hold(in, wan(in, 1), 25, false), *second = hold(in, wan(in, 1), 25, false);
	inbound_expect(in, (const int[]){40, 10}, 0);
	cr_assert(lab_wait_until(is_full, in, 5000));
	lab_burst_free(first); // 15 are left
	cr_assert(lab_wait_until(taken, &(struct places){in, 15, false}, 10000));
	for (int i = 0; i < 20; i++)
		cr_assert(!real_is_asked(in));
	cr_assert(is_full(in));
	lab_burst_free(second);
	cr_assert(lab_wait_until(real_is_asked, in, 10000));
	cr_assert(!is_full(in));
	inbound_finish(in);
}

Test(service_limits, a_changed_limit_counts_those_who_are_there)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 2}, 2);
	inbound_gwd(in, ONE, wan(in, 1), 40);
	net_guard(in->net, 2);
	struct lab_burst *first = hold(in, wan(in, 1), 30, false);
	inbound_reload(in, ONE, wan(in, 1), 35);
	cr_assert(lab_proc_wait_output(in->net->gwd, "30 taken", 10000), "%s", lab_proc_output(in->net->gwd));
	inbound_mark(in);
	struct lab_burst *second = hold(in, wan(in, 1), 30, false);
	inbound_expect(in, (const int[]){5, 25}, 0);
	inbound_reload(in, ONE, wan(in, 1),
		       20); // more than there may be: they go on, and nobody comes to them
	cr_assert(lab_proc_wait_output(in->net->gwd, "35 taken", 10000));
	struct lab_burst *third = hold(in, wan(in, 1), 10, false);
	inbound_expect(in, (const int[]){0, 10}, 0);
	net_assert_alive(first, 30);
	net_assert_alive(second, 30);
	lab_burst_free(first);
	lab_burst_free(second);
	lab_burst_free(third);
	inbound_finish(in);
}

Test(service_limits, a_killed_daemon_finds_the_places_as_they_are)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 2}, 2);
	inbound_gwd(in, ONE, wan(in, 1), 40);
	net_guard(in->net, 2);
	struct lab_burst *first = hold(in, wan(in, 1), 20, false), *second = hold(in, wan(in, 1), 10, false);
	lab_proc_signal(in->net->gwd, SIGKILL);
	lab_proc_wait(in->net->gwd, 5000);
	lab_burst_free(first); // nobody sees it
	net_gwd(in->net);
	cr_assert(lab_proc_wait_output(in->net->gwd, "places: 20 free again", 10000), "%s",
		  lab_proc_output(in->net->gwd));
	inbound_mark(in);
	struct lab_burst *third = hold(in, wan(in, 1), 60, false);
	inbound_expect(in, (const int[]){30, 30}, 0);
	net_assert_alive(second, 10);
	lab_burst_free(second);
	lab_burst_free(third);
	inbound_finish(in);
}

static struct lab_burst *hold_many(struct inbound *in, int count, const char *source)
{
	struct lab_burst_spec spec = {.flow = {.from = lab_internet(in->net->lab),
					       .to = wan(in, 1),
					       .port = 8001,
					       .source = source},
				      .count = count,
				      .at_once = 500,
				      .timeout_ms = 20000};
	return held_all(in->net->lab, &spec);
}

// Exactly as many as there may be, among ten thousand connections; who goes makes room for as many who come.
Test(service_limits, ten_thousand_at_a_time)
{
	static const char *const crowd[] = {"python3", "test/net/crowd.py", "80", NULL};
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 2}, 1);
	struct lab_proc *real = lab_proc_start(in->net->lab, lab_host(in->net->lab, 2), crowd);
	cr_assert(lab_proc_wait_output(real, "ready", 30000));
	inbound_gwd(in,
		    "service web { listen = \"%s:8001\"  scheduler = rr  probes = none\n"
		    "  real r1 { address = 10.0.0.12  port = 80  max-connections = 10000  min-connections = "
		    "10000 }\n"
		    "  sorry { address = 10.0.0.11  port = 80 } }\n",
		    wan(in, 1));
	net_guard(in->net, 2);
	struct lab_burst *first = hold_many(in, 4000, "198.51.100.1"),
			 *second = hold_many(in, 7000, "198.51.100.2");
	inbound_expect(in, (const int[]){1000}, 0);
	cr_assert(taken(&(struct places){in, 10000, false}));
	lab_burst_free(first);
	cr_assert(lab_wait_until(taken, &(struct places){in, 6000, false}, 20000));
	struct lab_burst *third = hold_many(in, 5000, "198.51.100.3");
	inbound_expect(in, (const int[]){1000}, 0);
	net_assert_alive(second, 7000);
	net_assert_alive(third, 5000);
	lab_burst_free(second);
	lab_burst_free(third);
	inbound_finish(in);
}
