// SPDX-License-Identifier: GPL-2.0-or-later
// gwd with 32 descriptors, and probes that want hundreds: what can't be asked is no evidence, nothing changes, and
// nobody ends.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

static bool never(void *arg)
{
	(void)arg;
	return false;
}

// In place of net_gwd().
static void start_with(struct net *net, const char *limit)
{
	char program[512];
	snprintf(program, sizeof(program), "%s/gwd", net_build());
	net->gwd = lab_proc_start(net->lab, lab_router(net->lab),
				  (const char *const[]){"prlimit", limit, program, "-v", "-c", net->config,
							"-s", lab_path(net->lab, "gwd.sock"), NULL});
	cr_assert(lab_proc_wait_output(net->gwd, "is ready", 10000), "gwd did not get ready:\n%s",
		  lab_proc_output(net->gwd));
}

// Silent servers hold each connection attempt, and its descriptor, for a second: 16 targets, 20 times a second.
static struct net *start(const char *what)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	const char *slow = lab_file(net->lab, "slow", "#!/bin/sh\nexec sleep 100\n");
	lab_do(lab_router(net->lab), "chmod +x %s", slow);
	bool exec = !strcmp(what, "exec");
	net_configure(
		net,
		"probe hungry { type = %s%s%s interval = 50ms fast = 50ms timeout = 1s targets = {"
		"198.51.100.1, 198.51.100.2, 198.51.100.3, 198.51.100.4,"
		"203.0.113.1, 203.0.113.2, 203.0.113.3, 203.0.113.4 } }"
		"gateway g1 { interface = wan1 address = 100.64.1.1 probes = { quick } }"
		"gateway g2 { interface = wan2 address = 100.64.2.1 probes = { quick, hungry } need = 1 }"
		"gateway g3 { interface = wan3 address = 100.64.3.1 probes = { quick, hungry } need = 1 }",
		what, exec ? " command = " : "", exec ? slow : "");
	lab_nft_load(lab_internet(net->lab),
		     "table inet t { chain in { type filter hook prerouting priority -300;\n"
		     "tcp dport 443 drop\n"
		     "udp dport 53 drop\n"
		     "}\n}\n");
	start_with(net, "--nofile=32");
	net_wait_up(net);
	net_guard(net, 3);
	return net;
}

static void starve(const char *what)
{
	struct net *net = start(what);
	lab_wait_until(never, NULL, 5000);     // hundreds of questions that can't be put
	cr_expect_eq(net_transitions(net), 3); // each up, once
	net_reload(net);
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 10000); // a death is seen all the same
	lab_fault_repair(net->lab, 1);
	net_wait_state(net, "g1", "up", 20000);
	cr_expect(strstr(lab_proc_output(net->gwd), "Too many open files"), "there was no shortage:\n%s",
		  lab_proc_output(net->gwd));
	net_finish(net);
}

Test(shortage, of_descriptors_by_tcp)
{
	starve("tcp port = 443");
}

Test(shortage, of_descriptors_by_http)
{
	starve("http port = 443");
}

Test(shortage, of_descriptors_by_exec)
{
	starve("exec");
}

Test(shortage, of_descriptors_by_dns)
{
	starve("dns query = example.net");
}
