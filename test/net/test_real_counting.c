// SPDX-License-Identifier: GPL-2.0-or-later
// Live connections of reals: counted by conntrack's events, spread by them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/dying.h"
#include "test/net/held.h"

#define WEB \
	"service web { listen = { \"100.64.1.17:80\", \"[2001:db8:1:80::17]:80\" } probes = none %s" \
	" real www1 { address = 10.0.0.11 port = 8080 } real www2 { address = 10.0.0.12 port = 8080 %s }" \
	" real six1 { address = fd00:10::11 port = 8080 } real six2 { address = fd00:10::12 port = 8080 } }"

static struct inbound *start(const char *options, const char *second)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 2);
	dying_vips(in);
	inbound_gwd(in, WEB, options, second);
	net_guard(in->net, 1);
	return in;
}

static struct lab_burst *hold(struct inbound *in, int family, int count)
{
	return held_all(in->net->lab, &(struct lab_burst_spec){.flow = {.from = lab_internet(in->net->lab),
									.to = dying_vip(family, 1),
									.port = 80},
							       .count = count,
							       .at_once = 4});
}

static void by_hand(struct inbound *in, const char *command)
{
	char *output;
	cr_assert_eq(net_gwctl(in->net, &output, "%s", command), 0, "%s: %s", command, output);
	free(output);
}

struct even {
	struct inbound *in;
	const char *one, *other;
};

// One may be off: four come at a time, and on a busy machine before those ahead of them are counted.
static bool are_even(void *arg)
{
	const struct even *even = arg;
	long one = dying_flows(even->in, "web", even->one), other = dying_flows(even->in, "web", even->other);
	return one + other == 40 && labs(one - other) <= 2;
}

// One real begins with ten that the other has not: the next ones make up for it.
static void evens_out(const char *scheduler, int family, const char *one, const char *other)
{
	char options[64], command[64];
	snprintf(options, sizeof(options), "scheduler = %s", scheduler);
	struct inbound *in = start(options, "");
	snprintf(command, sizeof(command), "drain web/%s", other);
	by_hand(in, command);
	struct lab_burst *first = hold(in, family, 10);
	dying_wait_flows(in, "web", one, 10, 3000);
	snprintf(command, sizeof(command), "undrain web/%s", other);
	by_hand(in, command);
	struct lab_burst *second = hold(in, family, 10);
	dying_wait_flows(in, "web", other, 10, 3000);
	cr_expect_eq(dying_flows(in, "web", one), 10);
	struct lab_burst *third = hold(in, family, 20);
	struct even even = {in, one, other};
	cr_assert(lab_wait_until(are_even, &even, net_patience(3000)), "%ld and %ld of 40",
		  dying_flows(in, "web", one), dying_flows(in, "web", other));
	long left = dying_flows(in, "web", other) - 10;
	lab_burst_free(second); // closed by both sides: they count no more
	dying_wait_flows(in, "web", other, left, 3000);
	lab_burst_free(first);
	lab_burst_free(third);
	dying_wait_flows(in, "web", one, 0, 3000);
	inbound_finish(in);
}

static int times(const char *text, const char *what)
{
	int n = 0;
	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		n++;
	return n;
}

// Something that the kernel lacks (here tunnels) is asked for now and then, and not for each connection.
Test(real_counting, what_stays_refused_does_not_make_connections_dear)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 2);
	dying_vips(in);
	inbound_gwd(in,
		    WEB " service far { listen = \"100.64.1.17:81\" forward = tun probes = none"
			" real t { address = 10.0.0.13 } }",
		    "scheduler = lc", "");
	net_guard(in->net, 1);
	int before = times(lab_proc_output(in->net->gwd), "tunnel set");
	cr_assert_gt(before, 0, "%s", lab_proc_output(in->net->gwd));
	inbound_ask(in, dying_vip(AF_INET, 1), 80, 1000);
	int after = times(lab_proc_output(in->net->gwd), "tunnel set");
	cr_expect_lt(after - before, 40, "%d", after - before);
	inbound_finish(in);
}

Test(real_counting, lc)
{
	evens_out("lc", AF_INET, "www1", "www2");
}

Test(real_counting, wlc)
{
	evens_out("wlc", AF_INET, "www1", "www2");
}

Test(real_counting, wlc_6)
{
	evens_out("wlc", AF_INET6, "six1", "six2");
}

Test(real_counting, sed_by_weight_and_after_a_restart)
{
	struct inbound *in = start("scheduler = sed", "weight = 3");
	struct lab_burst *first = hold(in, AF_INET, 20);
	dying_wait_flows(in, "web", "www2", 15, 3000);
	cr_expect_eq(dying_flows(in, "web", "www1"), 5);
	lab_proc_signal(in->net->gwd, 9);
	lab_proc_wait(in->net->gwd, 5000);
	struct lab_burst *meanwhile = hold(in, AF_INET, 4);
	net_gwd(in->net);
	long one = dying_flows(in, "web", "www1"), other = dying_flows(in, "web", "www2");
	cr_expect_eq(one + other, 24, "%ld and %ld", one, other);
	struct lab_burst *last = hold(in, AF_INET, 16);
	dying_wait_flows(in, "web", "www1", 10, 3000);
	cr_expect_eq(dying_flows(in, "web", "www2"), 30);
	lab_burst_free(first);
	lab_burst_free(meanwhile);
	lab_burst_free(last);
	inbound_finish(in);
}
