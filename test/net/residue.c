// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/net/residue.h"

#include <stdio.h>
#include <stdlib.h>

#include "test/net/net.h"

enum { GROWTH_KB = 1024, SETTLE_MS = 5000 };

static long count_of(struct net *net, const char *command)
{
	char *output = NULL;
	lab_run(lab_router(net->lab), &output, "%s", command);
	long n = strtol(output, NULL, 10);
	free(output);
	return n;
}

static long memory_kb(struct net *net, const char *what)
{
	char command[80];
	snprintf(command, sizeof(command), "grep %s: /proc/%d/status | tr -dc 0-9", what,
		 (int)lab_proc_pid(net->gwd));
	return count_of(net, command);
}

struct residue residue_of(struct net *net)
{
	char descriptors[64];
	bool sanitized = memory_kb(net, "VmSize") > 1l << 30;
	snprintf(descriptors, sizeof(descriptors), "ls /proc/%d/fd | wc -l", (int)lab_proc_pid(net->gwd));
	return (struct residue){
		.routes = (int)count_of(net, "{ ip route show table all proto 200; ip -6 route show table "
					     "all proto 200; } | grep -vc ^blackhole"),
		.rules = (int)count_of(net, "{ ip rule; ip -6 rule; } | wc -l"),
		.descriptors = (int)count_of(net, descriptors),
		.resident_kb = sanitized ? 0 : memory_kb(net, "VmRSS"),
	};
}

struct residue_wait {
	struct net *net;
	const struct residue *before;
	struct residue now;
};

static bool residue_is(void *arg)
{
	struct residue_wait *wait = arg;
	const struct residue *before = wait->before, *now = &wait->now;
	wait->now = residue_of(wait->net);
	return now->routes == before->routes && now->rules == before->rules &&
	       now->descriptors <= before->descriptors + 1 &&
	       now->resident_kb < before->resident_kb + GROWTH_KB;
}

void residue_expect(struct net *net, const struct residue *before)
{
	struct residue_wait wait = {net, before, {0}};
	cr_expect(lab_wait_until(residue_is, &wait, net_patience(SETTLE_MS)),
		  "from %d routes, %d rules, %d descriptors, %ld kB to %d, %d, %d, %ld", before->routes,
		  before->rules, before->descriptors, before->resident_kb, wait.now.routes, wait.now.rules,
		  wait.now.descriptors, wait.now.resident_kb);
}
