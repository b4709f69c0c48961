// SPDX-License-Identifier: GPL-2.0-or-later
// control-plane SERVICES|gateways [loads]: what many services of 100 reals each cost gwd itself: the first load, one member
// changed, a reload, a restart that finds its table; and the same of 254 gateways; beside `nft -f` of the same ruleset, nftlb
// with the same farms and, where the kernel has it, `ipvsadm -R`. The loads take turns in three rounds, and the median
// counts. With `loads` there is one round of nothing else, without nftlb: for an emulated machine, where they take minutes.
//
// Traffic to one of the services (out by one of the gateways) goes on all the while, and what it lost is in the table too.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gwd/base/err.h"
#include "nft/conntrack.h"
#include "test/bench/bench.h"
#include "test/bench/control_cost.h"
#include "test/bench/services.h"

#define ROUNDS 3
#define GATEWAYS 254
#define CHANGES 10
#define TOGETHER 20 // reals that die in a row
#define MINUTE_MS 61000
#define LEAST_MS 0.1 // of processor time

// ---- rows --------------------------------------------------------------------------------------

// How many there are of what.
static const char *size_of(const struct run *run, char text[32])
{
	if (run->services)
		snprintf(text, 32, "%d × %d", run->services, SERVICES_REALS);
	else
		snprintf(text, 32, "%d gateways", GATEWAYS);
	return text;
}

static void row(const struct run *run, const char *what, const struct cost *cost, const char *note)
{
	char wall[32], cpu[32], size[32];
	snprintf(wall, sizeof(wall), cost->wall_ms < 0 ? "> %.0f" : "%.1f",
		 cost->wall_ms < 0 ? (run->loads ? LOADS_S : PEER_S) * 1e3 : cost->wall_ms);
	// what it takes when nothing happens was taken off, which is known no better than this
	snprintf(cpu, sizeof(cpu), cost->cpu_ms < LEAST_MS ? "< %.1f" : "%.1f",
		 cost->cpu_ms < LEAST_MS ? LEAST_MS : cost->cpu_ms);
	bench_row("%s\t%s\t%s\t%s\t%llu\t%llu\t%llu\t%s", size_of(run, size), what, wall, cpu,
		  (unsigned long long)cost->sent.transactions, (unsigned long long)cost->sent.messages,
		  (unsigned long long)cost->sent.bytes, note);
}

static void row_of_note(const struct run *run, const char *what, const char *note)
{
	char size[32];
	bench_row("%s\t%s\t\t\t\t\t\t%s", size_of(run, size), what, note);
}

// The two commands take turns.
static void rows_of_pair(const struct run *run, const char *what, const char *back, const char *first,
			 const char *second, unsigned n)
{
	struct cost out = {0}, in = {0};
	for (unsigned i = 0; i < n; i++) {
		cost_add_command(&out, run, first);
		cost_add_command(&in, run, second);
	}
	out = cost_mean(out, n);
	in = cost_mean(in, n);
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
		return cost_of_start(run);
	case NFT:
		snprintf(command, sizeof(command), "nft -f %s", lab_path(run->lab, "rules.nft"));
		cost = cost_of_command(run, lab_inside(run->lab), command);
		clear(run);
		return cost;
	case NFTLB:
		snprintf(command, sizeof(command), "nftlb -e -c %s", services_nftlb(run->lab, run->services));
		cost = cost_of_command(run, lab_inside(run->lab), command);
		clear(run);
		return cost;
	case IPVS:
		snprintf(command, sizeof(command), "ipvsadm -R < %s", services_ipvs(run->lab, run->services));
		cost = cost_of_command(run, lab_inside(run->lab), command);
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
	struct cost cost = {0}, before = cost_so_far(run);
	for (int i = 0; i < TOGETHER; i++) {
		snprintf(command, sizeof(command), "disable s%d/r%d", 1 + i % 5, 10 + i);
		bench_gwctl(run->lab, run->router, NULL, "%s", command);
	}
	cost.wall_ms = (double)lab_now_us() / 1e3 - before.wall_ms;
	bench_sleep(FOLLOWS_MS);
	cost_add_since(&cost, run, &before);
	cost = cost_mean(cost, TOGETHER);
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
	cost_measure_idle(run);
	rows_of_pair(run, "gwd, one real out", "gwd, one real in", "disable s1/r7", "enable s1/r7", CHANGES);
	rows_of_pair(run, "gwd, one weight", "gwd, one weight back", "weight s1/r7 2", "weight s1/r7 1",
		     CHANGES);
	measure_together(run);
}

// Among it the minute's comparison with the kernel. Only where that could be dear.
static void measure_minute(const struct run *run)
{
	struct cost before = cost_so_far(run), cost = {0};
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
	cost_add_command(&cost, run, command);
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

static void measure_restart(struct run *run)
{
	lab_proc_signal(run->gwd, 9);
	lab_proc_stop(run->gwd);
	struct cost restart = cost_of_start(run);
	row(run, "gwd, restart after kill -9", &restart, "");
}

static struct lab_stream *stream_of(const struct run *run, struct lab_flow flow)
{
	struct lab_stream *stream = lab_stream_start(
		run->lab, &(struct lab_stream_spec){.flow = flow, .limit_s = LAB_STREAM_LIMIT_S});
	if (!lab_stream_wait_answer(stream, 5000))
		bench_die("there is no traffic");
	return stream;
}

static void row_of_traffic(const struct run *run, struct lab_stream *stream)
{
	char lost[64];
	if (!lab_stream_wait_answer(stream, 5000))
		bench_die("there is no traffic any more");
	struct lab_stream_report report = lab_stream_stop(stream);
	snprintf(lost, sizeof(lost), "%d of %d lost", report.lost, report.sent);
	row_of_note(run, "traffic meanwhile", lost);
}

static void measure_services(struct run *run)
{
	run->config = services_gwd(run->lab, run->services, (struct services_change){.weight = 1});
	measure_loads(run);
	if (run->loads) {
		stop_gwd(run);
		return;
	}
	struct lab_stream *stream =
		stream_of(run, (struct lab_flow){.from = lab_internet(run->lab),
						 .to = lab_wan_address(run->lab, 1, AF_INET),
						 .port = SERVICES_PORT});
	measure_changes(run);
	measure_reloads(run);
	measure_restart(run);
	row_of_traffic(run, stream);
	bench_sleep(2000); // what follows from a start
	cost_measure_idle(run);
	measure_minute(run);
	rows_of_pair(run, "gwd, a gateway out", "gwd, a gateway in", "disable isp", "enable isp", 2);
	stop_gwd(run);
}

// Links of their own on the first one's wire, all to the same router, which answers each one's probes. Nobody has to ask
// for an address: the kernel's table of neighbours is not made for so many at once.
static void make_gateways(const struct run *run)
{
	lab_do(lab_isp(run->lab, 1),
	       "ip link set cust0 address 02:00:00:fe:00:00; for i in $(seq %d); do "
	       "m=02:00:00:fe:01:$(printf %%02x $i); echo addr add 172.30.$i.1/30 dev cust0; "
	       "echo neigh replace 172.30.$i.2 lladdr $m dev cust0 nud permanent; done | ip -batch -",
	       GATEWAYS);
	lab_do(lab_internet(run->lab), "ip route add 172.30.0.0/16 via 172.31.1.2");
	lab_do(run->router,
	       "ip route del default dev wan1; for i in $(seq %d); do "
	       "m=02:00:00:fe:01:$(printf %%02x $i); "
	       "echo link add link$i link wan1 address $m type macvlan mode private; "
	       "echo addr add 172.30.$i.2/30 dev link$i; echo link set link$i up; "
	       "echo neigh replace 172.30.$i.1 lladdr 02:00:00:fe:00:00 dev link$i nud permanent; "
	       "done | ip -batch -",
	       GATEWAYS);
}

static void row_of_coming_up(const struct run *run)
{
	struct cost before = cost_so_far(run), cost = {0};
	bench_gateways_up(run->gwd, GATEWAYS);
	cost.wall_ms = (double)lab_now_us() / 1e3 - before.wall_ms;
	bench_sleep(FOLLOWS_MS);
	cost_add_since(&cost, run, &before);
	row(run, "gwd, until all are up", &cost, "");
}

static void measure_gateways(struct run *run)
{
	char note[64];
	make_gateways(run);
	run->config = services_gateways(run->lab, GATEWAYS, 1);
	struct cost cost = cost_of_start(run);
	row(run, "gwd, first load", &cost, "");
	row_of_coming_up(run);
	keep_rules(run);
	cost = load(run, NFT);
	row(run, "nft -f of gwd's ruleset", &cost, "");
	struct lab_stream *stream =
		stream_of(run, (struct lab_flow){.from = lab_host(run->lab, 1), .to = "198.51.100.1"});
	bench_sleep(3000); // probes are fast at first
	cost_measure_idle(run);
	snprintf(note, sizeof(note), "%.1f, %.1f at most", bench_resident_mb(lab_proc_pid(run->gwd)),
		 peak_mb(lab_proc_pid(run->gwd)));
	row_of_note(run, "gwd, MB resident", note);
	rows_of_pair(run, "gwd, a gateway out", "gwd, a gateway in", "disable g7", "enable g7", CHANGES);
	row_of_command(run, "gwd, reload of the same file", "reload");
	services_gateways(run->lab, GATEWAYS, 2); // of the same name
	row_of_command(run, "gwd, reload with another weight", "reload");
	measure_restart(run);
	row_of_traffic(run, stream);
	stop_gwd(run);
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
