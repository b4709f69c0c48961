// SPDX-License-Identifier: GPL-2.0-or-later
// control-plane SERVICES|gateways [loads]: what many services of 100 reals each cost gwd itself: the first load, one member
// changed, a reload, a restart that finds its table; beside `nft -f` of the same ruleset, nftlb with the same farms and, where
// the kernel has it, `ipvsadm -R`. The loads take turns in three rounds, and the median counts. With `loads` there is one
// round of nothing else, without nftlb: for an emulated machine, where they take minutes.
//
// A change is left alone for as long as anything follows from it, and all that gwd takes until then is its price; what it
// takes in the same time when nothing happens is taken off. Traffic to one of the services goes on all the while, and what
// it lost is in the table too.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "gwd/base/err.h"
#include "nft/conntrack.h"
#include "test/bench/bench.h"
#include "test/bench/netlink_count.h"
#include "test/bench/services.h"

#define ROUNDS 3
#define CHANGES 10
#define FOLLOWS_MS 400 // nothing follows from a change any more
#define TOGETHER 20    // reals that die in a row
#define MINUTE_MS 61000
#define LEAST_MS 0.1 // of processor time
#define PEER_S 50    // a peer that takes longer is ended
#define LOADS_S 200  // the same where loads are all that there is

struct cost {
	double wall_ms, cpu_ms;
	struct netlink_count sent;
};

struct run {
	struct lab *lab;
	const struct lab_ns *router;
	int services;
	bool loads; // nothing else
	const char *config;
	struct lab_proc *gwd;
	double idle; // of a processor
};

// ---- measuring ---------------------------------------------------------------------------------

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

// A command in a place; what took too long costs nothing, and says so in the table.
static struct cost command_cost(const struct run *run, const struct lab_ns *ns, const char *command)
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

static struct cost start_cost(struct run *run)
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

// What gwd has taken and sent so far, as if nothing had happened otherwise.
static struct cost so_far(const struct run *run)
{
	struct cost cost = {(double)lab_now_us() / 1e3, bench_cpu_ms(lab_proc_pid(run->gwd)),
			    sent(run, "sent.gwd")};
	cost.cpu_ms -= run->idle * cost.wall_ms;
	return cost;
}

static void add_since(struct cost *sum, const struct run *run, const struct cost *before)
{
	struct cost now = so_far(run);
	sum->cpu_ms += now.cpu_ms - before->cpu_ms;
	sum->sent.bytes += now.sent.bytes - before->sent.bytes;
	sum->sent.messages += now.sent.messages - before->sent.messages;
	sum->sent.transactions += now.sent.transactions - before->sent.transactions;
}

static struct cost mean(struct cost sum, unsigned n)
{
	return (struct cost){sum.wall_ms / n,
			     sum.cpu_ms / n,
			     {sum.sent.transactions / n, sum.sent.messages / n, sum.sent.bytes / n}};
}

static void measure_idle(struct run *run)
{
	run->idle = 0;
	struct cost before = so_far(run), cost = {0};
	bench_sleep(3000);
	add_since(&cost, run, &before);
	run->idle = cost.cpu_ms / 3000;
}

// One command, and all that follows from it.
static void add_command(struct cost *sum, const struct run *run, const char *command)
{
	struct cost before = so_far(run);
	bench_gwctl(run->lab, run->router, NULL, "%s", command);
	sum->wall_ms += (double)lab_now_us() / 1e3 - before.wall_ms;
	bench_sleep(FOLLOWS_MS);
	add_since(sum, run, &before);
}

static void row(const struct run *run, const char *what, const struct cost *cost, const char *note)
{
	char wall[32], cpu[32], size[32];
	snprintf(wall, sizeof(wall), cost->wall_ms < 0 ? "> %.0f" : "%.1f",
		 cost->wall_ms < 0 ? (run->loads ? LOADS_S : PEER_S) * 1e3 : cost->wall_ms);
	// what it takes when nothing happens was taken off, which is known no better than this
	snprintf(cpu, sizeof(cpu), cost->cpu_ms < LEAST_MS ? "< %.1f" : "%.1f",
		 cost->cpu_ms < LEAST_MS ? LEAST_MS : cost->cpu_ms);
	snprintf(size, sizeof(size), "%d × %d", run->services, SERVICES_REALS);
	bench_row("%s\t%s\t%s\t%s\t%llu\t%llu\t%llu\t%s", run->services ? size : "254 gateways", what, wall,
		  cpu, (unsigned long long)cost->sent.transactions, (unsigned long long)cost->sent.messages,
		  (unsigned long long)cost->sent.bytes, note);
}

static void row_of_note(const struct run *run, const char *what, const char *note)
{
	bench_row("%d × %d\t%s\t\t\t\t\t\t%s", run->services, SERVICES_REALS, what, note);
}

// The two commands take turns.
static void rows_of_pair(const struct run *run, const char *what, const char *back, const char *first,
			 const char *second, unsigned n)
{
	struct cost out = {0}, in = {0};
	for (unsigned i = 0; i < n; i++) {
		add_command(&out, run, first);
		add_command(&in, run, second);
	}
	out = mean(out, n);
	in = mean(in, n);
	row(run, what, &out, "");
	row(run, back, &in, "");
}

// ---- loads -------------------------------------------------------------------------------------

enum system { GWD, NFT, NFTLB, IPVS, SYSTEMS };

static void clear(const struct run *run)
{
	lab_do(lab_inside(run->lab), "nft flush ruleset");
}

static struct cost load(struct run *run, enum system system)
{
	char command[512];
	struct cost cost = {0};
	switch (system) {
	case GWD:
		return start_cost(run);
	case NFT:
		snprintf(command, sizeof(command), "nft -f %s", lab_path(run->lab, "rules.nft"));
		cost = command_cost(run, lab_inside(run->lab), command);
		clear(run);
		return cost;
	case NFTLB:
		snprintf(command, sizeof(command), "nftlb -e -c %s", services_nftlb(run->lab, run->services));
		cost = command_cost(run, lab_inside(run->lab), command);
		clear(run);
		return cost;
	case IPVS:
		snprintf(command, sizeof(command), "ipvsadm -R < %s", services_ipvs(run->lab, run->services));
		cost = command_cost(run, lab_inside(run->lab), command);
		lab_do(lab_inside(run->lab), "ipvsadm -C");
		return cost;
	case SYSTEMS:
		break;
	}
	return cost;
}

static void keep_rules(const struct run *run)
{
	bench_gwctl(run->lab, run->router, NULL, "rules > %s", lab_path(run->lab, "rules"));
	lab_do(run->router, "sed -n '/^nft -f/,/^END/p' %s | sed '1d;$d' > %s", lab_path(run->lab, "rules"),
	       lab_path(run->lab, "rules.nft"));
}

static void stop_gwd(struct run *run)
{
	bench_gwctl(run->lab, run->router, NULL, "flush");
	lab_proc_stop(run->gwd);
}

static double peak_mb(pid_t pid)
{
	char path[64], line[128];
	unsigned long kb = 0;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "VmHWM: %lu", &kb);
	if (file)
		fclose(file);
	return (double)kb / 1e3;
}

// gwd is left running.
static void measure_loads(struct run *run)
{
	static const char *const names[] = {"gwd, first load", "nft -f of gwd's ruleset",
					    "nftlb, the same farms", "ipvsadm -R, the same services"};
	struct cost costs[SYSTEMS][ROUNDS];
	char note[64];
	int rounds = run->loads ? 1 : ROUNDS;
	bool ipvs = !lab_run(lab_inside(run->lab), NULL, "ipvsadm -Ln");
	for (int round = 0; round < rounds; round++)
		for (enum system system = GWD; system < (ipvs ? SYSTEMS : IPVS); system++) {
			if (system == NFTLB && run->loads)
				continue;
			if (system == GWD && round)
				stop_gwd(run);
			if (system == NFTLB && round && costs[NFTLB][0].wall_ms < 0) {
				costs[NFTLB][round] = costs[NFTLB][0]; // once is enough
				continue;
			}
			costs[system][round] = load(run, system);
			if (system == GWD && !round)
				keep_rules(run);
		}
	snprintf(note, sizeof(note), "%.1f, %.1f at most", bench_resident_mb(lab_proc_pid(run->gwd)),
		 peak_mb(lab_proc_pid(run->gwd)));
	for (enum system system = GWD; system < (ipvs ? SYSTEMS : IPVS); system++) {
		double wall[ROUNDS], cpu[ROUNDS];
		if (system == NFTLB && run->loads)
			continue;
		for (int round = 0; round < rounds; round++) {
			wall[round] = costs[system][round].wall_ms;
			cpu[round] = costs[system][round].cpu_ms;
		}
		struct cost median = {bench_median(wall, rounds), bench_median(cpu, rounds),
				      costs[system][0].sent};
		row(run, names[system], &median, "");
	}
	row_of_note(run, "gwd, MB resident", note);
}

// ---- changes -----------------------------------------------------------------------------------

static void measure_together(const struct run *run)
{
	char command[64];
	struct cost cost = {0}, before = so_far(run);
	for (int i = 0; i < TOGETHER; i++) {
		snprintf(command, sizeof(command), "disable s%d/r%d", 1 + i % 5, 10 + i);
		bench_gwctl(run->lab, run->router, NULL, "%s", command);
	}
	cost.wall_ms = (double)lab_now_us() / 1e3 - before.wall_ms;
	bench_sleep(FOLLOWS_MS);
	add_since(&cost, run, &before);
	cost = mean(cost, TOGETHER);
	row(run, "gwd, one of 20 reals out in a row", &cost, "");
	for (int i = 0; i < TOGETHER; i++) {
		snprintf(command, sizeof(command), "enable s%d/r%d", 1 + i % 5, 10 + i);
		bench_gwctl(run->lab, run->router, NULL, "%s", command);
	}
}

static double thread_ms(void)
{
	struct timespec used;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

// What the kernel takes to look through its connections, which has to be done when a real goes.
static void row_of_floor(const struct run *run)
{
	double wall[CHANGES], cpu[CHANGES];
	char note[64] = "";
	struct err err;
	int before = lab_ns_enter(run->router);
	struct conntrack *ct = conntrack_open(&err);
	for (int i = 0; i < CHANGES; i++) {
		uint64_t flows;
		int64_t began_us = lab_now_us();
		cpu[i] = -thread_ms();
		if (!ct || conntrack_count(ct, UINT32_MAX, &flows, 1, &err))
			bench_die("conntrack: %s", err.text);
		cpu[i] += thread_ms();
		wall[i] = (double)(lab_now_us() - began_us) / 1e3;
		bench_sleep(50);
	}
	conntrack_close(ct);
	lab_ns_leave(before);
	FILE *file = fopen("/proc/sys/net/netfilter/nf_conntrack_buckets", "r");
	unsigned long buckets = 0;
	if (file && fscanf(file, "%lu", &buckets) == 1)
		snprintf(note, sizeof(note), "%lu buckets", buckets);
	if (file)
		fclose(file);
	struct cost cost = {bench_median(wall, CHANGES), bench_median(cpu, CHANGES), {0}};
	row(run, "a look through conntrack by itself", &cost, note);
}

static void measure_changes(struct run *run)
{
	row_of_floor(run);
	measure_idle(run);
	rows_of_pair(run, "gwd, one real out", "gwd, one real in", "disable s1/r7", "enable s1/r7", CHANGES);
	rows_of_pair(run, "gwd, one weight", "gwd, one weight back", "weight s1/r7 2", "weight s1/r7 1",
		     CHANGES);
	measure_together(run);
}

// Among it the minute's comparison with the kernel. Only where that could be dear.
static void measure_minute(const struct run *run)
{
	struct cost before = so_far(run), cost = {0};
	if (run->services < 1000)
		return;
	bench_sleep(MINUTE_MS);
	cost.cpu_ms = bench_cpu_ms(lab_proc_pid(run->gwd)) - before.cpu_ms - run->idle * before.wall_ms;
	cost.wall_ms = MINUTE_MS;
	row(run, "gwd, a minute of nothing", &cost, "with its comparison");
}

static void row_of_command(const struct run *run, const char *what, const char *command)
{
	struct cost cost = {0};
	add_command(&cost, run, command);
	row(run, what, &cost, "");
}

// The file says something else.
static void row_of_reload(const struct run *run, const char *what, struct services_change change)
{
	services_gwd(run->lab, run->services, change); // of the same name
	row_of_command(run, what, "reload");
}

static void measure_reloads(const struct run *run)
{
	row_of_command(run, "gwd, reload of the same file", "reload");
	row_of_reload(run, "gwd, reload with another weight", (struct services_change){.weight = 2});
	row_of_reload(run, "gwd, reload with one real more",
		      (struct services_change){.weight = 2, .reals = 1});
	row_of_reload(run, "gwd, reload without that real", (struct services_change){.weight = 2});
	row_of_reload(run, "gwd, reload with one service more",
		      (struct services_change){.weight = 2, .services = 1});
	row_of_reload(run, "gwd, reload without that service", (struct services_change){.weight = 2});
	bench_sleep(2500); // what is left of these is gone then
}

static void measure_services(struct run *run)
{
	char lost[64];
	run->config = services_gwd(run->lab, run->services, (struct services_change){.weight = 1});
	measure_loads(run);
	if (run->loads) {
		stop_gwd(run);
		return;
	}
	struct lab_stream *stream = lab_stream_start(
		run->lab, &(struct lab_stream_spec){.flow = {.from = lab_internet(run->lab),
							     .to = lab_wan_address(run->lab, 1, AF_INET),
							     .port = SERVICES_PORT},
						    .limit_s = LAB_STREAM_LIMIT_S});
	if (!lab_stream_wait_answer(stream, 5000))
		bench_die("the service does not answer");
	measure_changes(run);
	measure_reloads(run);
	lab_proc_signal(run->gwd, 9);
	lab_proc_stop(run->gwd);
	struct cost restart = start_cost(run);
	row(run, "gwd, restart after kill -9", &restart, "");
	if (!lab_stream_wait_answer(stream, 5000))
		bench_die("the service does not answer any more");
	struct lab_stream_report report = lab_stream_stop(stream);
	snprintf(lost, sizeof(lost), "%d of %d lost", report.lost, report.sent);
	row_of_note(run, "traffic meanwhile", lost);
	bench_sleep(2000); // what follows from a start
	measure_idle(run);
	measure_minute(run);
	rows_of_pair(run, "gwd, a gateway out", "gwd, a gateway in", "disable isp", "enable isp", 2);
	stop_gwd(run);
}

static void measure_gateways(struct run *run)
{
	char note[64];
	run->config = services_gateways(run->lab, 254);
	struct cost cost = start_cost(run);
	snprintf(note, sizeof(note), "%.1f MB resident", bench_resident_mb(lab_proc_pid(run->gwd)));
	row(run, "gwd, first load", &cost, note);
	row_of_command(run, "gwd, reload of the same file", "reload");
	lab_proc_stop(run->gwd);
}

int bench_control_plane(int argc, char **argv)
{
	static const uint16_t ports[] = {SERVICES_PORT, 0};
	int services = argc > 1 ? atoi(argv[1]) : 0;
	struct lab *lab = lab_create(&(struct lab_spec){.isps = 1, .routes = true});
	struct run run = {.lab = lab,
			  .router = lab_router(lab),
			  .services = services,
			  .loads = argc > 2 && !strcmp(argv[2], "loads")};
	lab_server_start(lab, lab_host(lab, 1), ports);
	lab_do(lab_host(lab, 1), "ip route replace default via 10.0.0.1");
	if (services > 0)
		measure_services(&run);
	else
		measure_gateways(&run);
	lab_destroy(lab);
	return 0;
}
