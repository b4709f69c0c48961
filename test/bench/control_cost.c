// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/bench/control_cost.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test/bench/bench.h"

static double children_ms(void)
{
	struct rusage use;
	getrusage(RUSAGE_CHILDREN, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e3 +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e3;
}

// What whoever runs with counting() has sent so far.
static struct netlink_count sent(const struct run *run, const char *who)
{
	struct netlink_count count = {0};
	FILE *file = fopen(lab_path(run->lab, who), "r");
	if (!file || fread(&count, sizeof(count), 1, file) != 1)
		bench_die("nothing was counted");
	fclose(file);
	return count;
}

// The variables of the environment that make a program count.
static void counting(const struct run *run, const char *who, char preload[512], char file[512])
{
	char directory[400];
	if (!getcwd(directory, sizeof(directory)))
		bench_die("no working directory");
	bool absolute = *bench_build() == '/';
	snprintf(preload, 512, "LD_PRELOAD=%s%s%s/netlink-count.so", absolute ? "" : directory,
		 absolute ? "" : "/", bench_build());
	snprintf(file, 512, "NETLINK_COUNT=%s", lab_path(run->lab, who));
	unlink(lab_path(run->lab, who));
}

struct cost cost_of_command(const struct run *run, const struct lab_ns *ns, const char *command)
{
	char preload[512], file[512], *output = NULL;
	counting(run, "sent", preload, file);
	double cpu_ms = children_ms();
	int64_t began_us = lab_now_us();
	int status = lab_run(ns, &output, "timeout %d env %s %s %s", run->loads ? LOADS_S : PEER_S, preload,
			     file, command);
	struct cost cost = {(double)(lab_now_us() - began_us) / 1e3, children_ms() - cpu_ms,
			    sent(run, "sent")};
	if (status == 124)
		cost.wall_ms = -1;
	else if (status != 0)
		bench_die("%s: %s", command, output);
	free(output);
	return cost;
}

struct cost cost_of_start(struct run *run)
{
	char preload[512], file[512], program[512];
	counting(run, "sent.gwd", preload, file);
	snprintf(program, sizeof(program), "%s/gwd", bench_build());
	int64_t began_us = lab_now_us();
	run->gwd = lab_proc_start(run->lab, run->router,
				  (const char *[]){"env", preload, file, program, "-c", run->config, "-s",
						   lab_path(run->lab, "gwd.sock"), NULL});
	if (!lab_proc_wait_output(run->gwd, "is ready", 60000))
		bench_die("gwd does not start: %s", lab_proc_output(run->gwd));
	return (struct cost){(double)(lab_now_us() - began_us) / 1e3, bench_cpu_ms(lab_proc_pid(run->gwd)),
			     sent(run, "sent.gwd")};
}

struct cost cost_so_far(const struct run *run)
{
	struct cost cost = {(double)lab_now_us() / 1e3, bench_cpu_ms(lab_proc_pid(run->gwd)),
			    sent(run, "sent.gwd")};
	cost.cpu_ms -= run->idle * cost.wall_ms;
	return cost;
}

void cost_add_since(struct cost *sum, const struct run *run, const struct cost *before)
{
	struct cost now = cost_so_far(run);
	sum->cpu_ms += now.cpu_ms - before->cpu_ms;
	sum->sent.bytes += now.sent.bytes - before->sent.bytes;
	sum->sent.messages += now.sent.messages - before->sent.messages;
	sum->sent.transactions += now.sent.transactions - before->sent.transactions;
}

struct cost cost_mean(struct cost sum, unsigned n)
{
	return (struct cost){sum.wall_ms / n,
			     sum.cpu_ms / n,
			     {sum.sent.transactions / n, sum.sent.messages / n, sum.sent.bytes / n}};
}

void cost_measure_idle(struct run *run)
{
	run->idle = 0;
	struct cost before = cost_so_far(run), cost = {0};
	bench_sleep(3000);
	cost_add_since(&cost, run, &before);
	run->idle = cost.cpu_ms / 3000;
}

void cost_add_command(struct cost *sum, const struct run *run, const char *command)
{
	struct cost before = cost_so_far(run);
	bench_gwctl(run->lab, run->router, NULL, "%s", command);
	sum->wall_ms += (double)lab_now_us() / 1e3 - before.wall_ms;
	bench_sleep(FOLLOWS_MS);
	cost_add_since(sum, run, &before);
}
