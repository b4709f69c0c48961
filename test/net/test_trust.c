// SPDX-License-Identifier: GPL-2.0-or-later
// What must hold whatever happens to gwd itself: killed while it works, fed with nonsense, starved of
// descriptors, asked by strangers, told to leave nothing behind.
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

#define KILLS 50
#define MUTANTS 500

static void configure(struct net *net, const int weights[3], const char *more)
{
	char *gateways = net_gateways(net->lab, 3, weights, false);
	net_configure(net, "%s balance default { persistence = 5m } %s", gateways, more);
	free(gateways);
}

static struct net *start(const char *more)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	configure(net, (const int[]){3, 2, 1}, more);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	return net;
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

// Each time it is killed a little later after it was told to take another file.
Test(trust, killed_in_the_middle_of_its_work_it_loses_no_flow)
{
	static const int weights[2][3] = {{3, 2, 1}, {1, 5, 2}};
	struct net *net = start("");
	struct lab_burst *held = net_hold(net, 1000);
	for (int i = 0; i < KILLS; i++) {
		configure(net, weights[i % 2],
			  i % 3 ? "" : "balance x { scheduler = sh } rule r { to = 192.0.2.1 balance = x }");
		for (int hup = 0; hup < 3; hup++)
			lab_proc_signal(net->gwd, SIGHUP);
		lab_wait_until(never, NULL, i % 25);
		lab_proc_signal(net->gwd, SIGKILL);
		lab_proc_stop(net->gwd);
		net_gwd(net);
		if (i % 10 == 0)
			net_assert_alive(held, 1000);
	}
	net_wait_up(net);
	net_assert_alive(held, 1000);
	lab_burst_free(held);
	net_finish(net);
}

// One change somewhere: a byte lost, doubled, or another one; or a line gone.
static char *mutate(const char *text, unsigned seed)
{
	size_t len = strlen(text), at;
	char *mutant = calloc(len + 3, 1);
	srand(seed);
	at = (size_t)rand() % len;
	memcpy(mutant, text, at);
	switch (rand() % 4) {
	case 0:
		strcpy(mutant + at, text + at + 1);
		break;
	case 1:
		mutant[at] = text[at];
		strcpy(mutant + at + 1, text + at);
		break;
	case 2:
		mutant[at] = "{}=\"#,x0/"[rand() % 9];
		strcpy(mutant + at + 1, text + at + 1);
		break;
	default:
		strcpy(mutant + at, strchrnul(text + at, '\n'));
	}
	return mutant;
}

// Mutants that happen to be good files are left out.
Test(trust, no_mutant_of_the_file_does_harm)
{
	struct net *net = start("rule r { protocol = udp ports = { 5060, \"10000-20000\" } gateway = g1 }");
	char *good = NULL, *output = NULL;
	int refused = 0;
	lab_run(lab_router(net->lab), &good, "cat %s", net->config);
	struct lab_burst *held = net_hold(net, 100);
	for (unsigned seed = 0; refused < MUTANTS; seed++) {
		char *mutant = mutate(good, seed);
		lab_file(net->lab, "gwd.conf", "%s", mutant);
		free(mutant);
		if (!net_gwctl(net, NULL, "check %s", net->config))
			continue;
		cr_assert_eq(net_gwctl(net, &output, "reload"), 1, "seed %u: %s", seed, output);
		cr_assert(strstr(output, "gwd.conf:"), "seed %u: %s", seed, output);
		free(output);
		refused++;
	}
	net_wait_up(net);
	net_assert_alive(held, 100);
	lab_burst_free(held);
	free(good);
	net_finish(net);
}

Test(trust, strangers_are_refused)
{
	struct net *net = start("");
	char *output = NULL;
	lab_do(lab_router(net->lab), "chmod a+rx %s", lab_dir(net->lab));
	for (int i = 0; i < 2; i++) {
		int status = lab_run(lab_router(net->lab), &output,
				     "setpriv --reuid=65534 --regid=65534 --clear-groups %s/gwctl -s %s %s",
				     net_build(), lab_path(net->lab, "gwd.sock"), i ? "flush" : "status");
		cr_expect_eq(status, 1, "%s", output);
		cr_expect(strstr(output, "only root may use"), "%s", output);
		free(output);
	}
	net_wait_up(net);
	net_finish(net);
}

// Everything that was there before, and nothing else.
static char *whole_kernel(struct net *net)
{
	char *output = NULL;
	lab_run(lab_router(net->lab), &output,
		"nft -s list ruleset; ip rule; ip -6 rule; ip route show table all; ip -6 route show table "
		"all;"
		"sysctl -a 2>/dev/null | grep -E "
		"'^net[.](ipv[46][.](conf|ip_forward)|netfilter.nf_conntrack_ev)'");
	return output;
}

Test(trust, an_end_that_removes_leaves_nothing_behind)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3, .routes = true});
	lab_do(lab_router(net->lab), "sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf.wan1.rp_filter=1");
	char *before = whole_kernel(net);
	configure(net, (const int[]){3, 2, 1}, "");
	lab_do(lab_router(net->lab), "sed -i '1i on-exit = remove' %s", net->config);
	for (int i = 0; i < 2; i++) { // the second end follows a kill
		net_gwd(net);
		net_wait_up(net);
		if (i) {
			lab_proc_signal(net->gwd, SIGKILL);
			lab_proc_stop(net->gwd);
			net_gwd(net);
		}
		cr_expect_eq(lab_proc_stop(net->gwd), 0);
		char *after = whole_kernel(net);
		cr_expect_str_eq(after, before);
		free(after);
	}
	net->gwd = NULL;
	free(before);
	net_finish(net);
}
