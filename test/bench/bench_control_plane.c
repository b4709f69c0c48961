// SPDX-License-Identifier: GPL-2.0-or-later
// control-plane: what many services of 100 reals each cost gwd itself: the first load, one real taken out and
// put back, a reload, a restart that finds its table; beside `nft -f` of the same ruleset and nftlb with
// the same farms. Traffic to one of the services goes on all the while, and what it lost is in the table too.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "gwd/base/buf.h"
#include "test/bench/bench.h"

#define REALS 100
#define CHANGES 20
#define PEER_S 50 // a peer that takes longer is ended
#define REAL_PORT 9000

struct cost {
	double wall_ms, cpu_ms;
};

struct run {
	struct lab *lab;
	const struct lab_ns *router;
	int services;
	const char *config;
	struct lab_proc *gwd;
};

// ---- configurations ----------------------------------------------------------------------------

static void real_address(char text[32], int service, int real)
{
	if (service == 0 && real == 0)
		snprintf(text, 32, "%s", lab_host_address(AF_INET, 1)); // the one that has traffic
	else
		snprintf(text, 32, "10.%d.%d.%d", 100 + service / 200, service % 200, 1 + real);
}

static void vip_address(char text[32], struct lab *lab, int service)
{
	if (service == 0)
		snprintf(text, 32, "%s", lab_wan_address(lab, 1, AF_INET));
	else
		snprintf(text, 32, "198.18.%d.%d", service / 250, 1 + service % 250);
}

static const char *gwd_config(const struct run *run, unsigned weight)
{
	struct buf text = {0};
	char vip[32], real[32];
	buf_printf(&text,
		   "lan { interfaces = { lan0 } }\ncontrol-group = \"\"\n"
		   "gateway isp { interface = wan1 address = %s address6 = none }\n",
		   lab_wan_nexthop(run->lab, 1, AF_INET));
	for (int s = 0; s < run->services; s++) {
		vip_address(vip, run->lab, s);
		buf_printf(&text,
			   "service s%d { listen = \"%s:%d\" protocol = udp forward = nat scheduler = rr "
			   "probes = none\n",
			   s, vip, REAL_PORT);
		for (int r = 0; r < (s == 0 ? 1 : REALS); r++) {
			real_address(real, s, r);
			buf_printf(&text, "real r%d { address = %s port = %d weight = %u }\n", r, real,
				   REAL_PORT, s == 1 && r == 0 ? weight : 1);
		}
		buf_puts(&text, "}\n");
	}
	const char *path = lab_file(run->lab, "gwd.conf", "%s", buf_text(&text));
	buf_free(&text);
	return path;
}

static const char *gateways_config(const struct run *run, int gateways)
{
	struct buf text = {0};
	buf_puts(&text, "lan { interfaces = { lan0 } }\ncontrol-group = \"\"\n");
	for (int i = 0; i < gateways; i++)
		buf_printf(&text, "gateway g%d { interface = nowhere%d address = 192.0.2.%d }\n", i, i,
			   1 + i);
	const char *path = lab_file(run->lab, "gwd.conf", "%s", buf_text(&text));
	buf_free(&text);
	return path;
}

static const char *nftlb_config(const struct run *run)
{
	struct buf text = {0};
	char vip[32], real[32];
	buf_puts(&text, "{\"farms\":[");
	for (int s = 0; s < run->services; s++) {
		vip_address(vip, run->lab, s);
		buf_printf(&text,
			   "%s{\"name\":\"s%d\",\"family\":\"ipv4\",\"virtual-addr\":\"%s\",\"virtual-"
			   "ports\":\"%d\","
			   "\"mode\":\"dnat\",\"protocol\":\"udp\",\"scheduler\":\"rr\",\"state\":\"up\","
			   "\"backends\":[",
			   s ? "," : "", s, vip, REAL_PORT);
		for (int r = 0; r < REALS; r++) {
			real_address(real, s, r);
			buf_printf(&text,
				   "%s{\"name\":\"r%d\",\"ip-addr\":\"%s\",\"port\":\"%d\",\"state\":\"up\"}",
				   r ? "," : "", r, real, REAL_PORT);
		}
		buf_puts(&text, "]}");
	}
	buf_puts(&text, "]}\n");
	const char *path = lab_file(run->lab, "nftlb.json", "%s", buf_text(&text));
	buf_free(&text);
	return path;
}

// ---- measuring ---------------------------------------------------------------------------------

static double children_ms(void)
{
	struct rusage use;
	getrusage(RUSAGE_CHILDREN, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e3 +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e3;
}

// A command in a place; what took too long costs nothing, and says so in the table.
static struct cost command_cost(const struct lab_ns *ns, const char *command)
{
	double cpu_ms = children_ms();
	int64_t began_us = lab_now_us();
	char *output = NULL;
	int status = lab_run(ns, &output, "timeout %d %s", PEER_S, command);
	struct cost cost = {(double)(lab_now_us() - began_us) / 1e3, children_ms() - cpu_ms};
	if (status == 124)
		cost.wall_ms = -1;
	else if (status != 0)
		bench_die("%s: %s", command, output);
	free(output);
	return cost;
}

static struct cost start_cost(struct run *run)
{
	int64_t began_us = lab_now_us();
	run->gwd = bench_gwd(run->lab, run->router, run->config);
	return (struct cost){(double)(lab_now_us() - began_us) / 1e3, bench_cpu_ms(lab_proc_pid(run->gwd))};
}

// The two commands take turns.
static struct cost control_cost(struct run *run, const char *odd, const char *even, int times)
{
	double cpu_ms = bench_cpu_ms(lab_proc_pid(run->gwd));
	int64_t began_us = lab_now_us();
	for (int i = 0; i < times; i++)
		bench_gwctl(run->lab, run->router, NULL, "%s", i % 2 ? even : odd);
	return (struct cost){(double)(lab_now_us() - began_us) / 1e3 / times,
			     (bench_cpu_ms(lab_proc_pid(run->gwd)) - cpu_ms) / times};
}

static void row(const struct run *run, const char *what, struct cost cost, const char *note)
{
	char wall[32];
	snprintf(wall, sizeof(wall), cost.wall_ms < 0 ? "> %.0f" : "%.1f",
		 cost.wall_ms < 0 ? PEER_S * 1e3 : cost.wall_ms);
	bench_row("%d × %d\t%s\t%s\t%.1f\t%s", run->services, REALS, what, wall, cost.cpu_ms, note);
}

// ---- the benchmark -----------------------------------------------------------------------------

static void measure_peers(struct run *run)
{
	char command[512];
	bench_gwctl(run->lab, run->router, NULL, "rules > %s", lab_path(run->lab, "rules"));
	lab_do(run->router, "sed -n '/^nft -f/,/^END/p' %s | sed '1d;$d' > %s", lab_path(run->lab, "rules"),
	       lab_path(run->lab, "rules.nft"));
	snprintf(command, sizeof(command), "nft -f %s", lab_path(run->lab, "rules.nft"));
	row(run, "nft -f of gwd's ruleset", command_cost(lab_inside(run->lab), command), "");
	lab_do(lab_inside(run->lab), "nft flush ruleset");
	snprintf(command, sizeof(command), "nftlb -e -c %s", nftlb_config(run));
	row(run, "nftlb, the same farms", command_cost(lab_inside(run->lab), command), "");
	lab_do(lab_inside(run->lab), "nft flush ruleset");
}

static void measure_services(struct run *run)
{
	char lost[64], memory[64];
	run->config = gwd_config(run, 1);
	struct cost first = start_cost(run);
	snprintf(memory, sizeof(memory), "resident %.1f MB", bench_resident_mb(lab_proc_pid(run->gwd)));
	row(run, "gwd, first load", first, memory);
	measure_peers(run);
	struct lab_stream *stream = lab_stream_start(
		run->lab, &(struct lab_stream_spec){.flow = {.from = lab_internet(run->lab),
							     .to = lab_wan_address(run->lab, 1, AF_INET),
							     .port = REAL_PORT},
						    .limit_s = LAB_STREAM_LIMIT_S});
	if (!lab_stream_wait_answer(stream, 5000))
		bench_die("the service does not answer");
	row(run, "gwd, one real out or in", control_cost(run, "disable s1/r7", "enable s1/r7", CHANGES), "");
	row(run, "gwd, reload of the same file", control_cost(run, "reload", "reload", 1), "");
	run->config = gwd_config(run, 2);
	row(run, "gwd, reload with another weight", control_cost(run, "reload", "reload", 1), "");
	lab_proc_signal(run->gwd, 9);
	lab_proc_stop(run->gwd);
	row(run, "gwd, restart after kill -9", start_cost(run), "");
	if (!lab_stream_wait_answer(stream, 5000))
		bench_die("the service does not answer any more");
	struct lab_stream_report report = lab_stream_stop(stream);
	snprintf(lost, sizeof(lost), "%d of %d packets lost", report.lost, report.sent);
	row(run, "traffic meanwhile", (struct cost){0, 0}, lost);
	bench_gwctl(run->lab, run->router, NULL, "flush");
	lab_proc_stop(run->gwd);
}

int bench_control_plane(int argc, char **argv)
{
	static const uint16_t ports[] = {REAL_PORT, 0};
	int sizes[] = {10, 100, 1000}, n = 3;
	if (argc > 1)
		sizes[0] = atoi(argv[1]), n = 1;
	struct lab *lab = lab_create(&(struct lab_spec){.isps = 1, .routes = true});
	lab_server_start(lab, lab_host(lab, 1), ports);
	lab_do(lab_host(lab, 1), "ip route replace default via 10.0.0.1");
	bench_row("SERVICES × REALS\tWHAT\tWALL ms\tCPU ms\t");
	for (int i = 0; i < n; i++)
		measure_services(&(struct run){.lab = lab, .router = lab_router(lab), .services = sizes[i]});
	struct run run = {.lab = lab, .router = lab_router(lab)};
	run.config = gateways_config(&run, 254);
	struct cost cost = start_cost(&run);
	bench_row("254 gateways\tgwd, first load\t%.1f\t%.1f\tresident %.1f MB", cost.wall_ms, cost.cpu_ms,
		  bench_resident_mb(lab_proc_pid(run.gwd)));
	cost = control_cost(&run, "reload", "reload", 1);
	bench_row("254 gateways\tgwd, reload of the same file\t%.1f\t%.1f\t", cost.wall_ms, cost.cpu_ms);
	lab_proc_stop(run.gwd);
	lab_destroy(lab);
	return 0;
}
