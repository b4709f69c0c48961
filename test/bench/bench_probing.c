// SPDX-License-Identifier: GPL-2.0-or-later
// probing: what health costs: gwd's processor time when idle (an office of two links, shipped defaults) and with
// 1,000 probes a second, and its memory. The probes are counted at the ISPs.
//
// The whole network is on this machine, so part of what is counted as gwd's is the other end: the kernel
// carries a packet through ISP and server, and the answer back, while gwd sends.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/vec.h"
#include "test/bench/bench.h"

#define SECONDS 20

struct load {
	const char *name, *target;
	int gateways;
	const char *probe; // options
	double least;      // probes a second, or the figure is worth nothing
	bool pings;
};

static const struct load loads[] = {
	{"office: 2 links, shipped defaults", "< 0.1 %", 2, NULL, 1.5, true},
	{"20 links, each 5 targets by icmp", "<= 10 %", 20,
	 "targets = { 198.51.100.1, 198.51.100.2, 198.51.100.3, 198.51.100.4, 203.0.113.1 }", 950, true},
	{"20 links, each 5 targets by tcp", "", 20,
	 "type = tcp port = 80 targets = { 198.51.100.1, 198.51.100.2, 198.51.100.3, 198.51.100.4, "
	 "203.0.113.1 }",
	 950, false},
};

static const char *configure(struct lab *lab, const struct load *load)
{
	char text[8192] = "";
	size_t n = 0;
	for (int k = 1; k <= load->gateways; k++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "gateway g%d { interface = wan%d address = %s address6 = none%s }\n", k,
				      k, lab_wan_nexthop(lab, k, AF_INET),
				      load->probe ? " probes = { often }" : "");
	char probe[512] = "";
	if (load->probe)
		snprintf(probe, sizeof(probe), "probe often { interval = 90ms fast = 90ms %s }", load->probe);
	return lab_file(lab, "gwd.conf", "lan { interfaces = { lan0 } }\ncontrol-group = \"\"\n%s\n%s", probe,
			text);
}

static uint64_t asked(struct lab *lab, const struct load *load)
{
	uint64_t n = 0;
	for (int k = 1; k <= load->gateways; k++) {
		struct lab_counts counts = lab_isp_counts(lab, k, AF_INET);
		n += load->pings ? counts.icmp_packets : counts.tcp_flows;
	}
	return n;
}

static void expect_all_up(struct lab *lab, const struct load *load)
{
	char *status = NULL, *rest;
	int up = 0;
	bench_gwctl(lab, lab_router(lab), &status, "-j status");
	for (rest = status; (rest = strstr(rest, "\"state\":\"up\"")); rest++)
		up++;
	free(status);
	if (up < load->gateways)
		bench_die("%s: %d of %d are up", load->name, up, load->gateways);
}

static void measure(const struct load *load)
{
	struct lab *lab = lab_create(&(struct lab_spec){.isps = load->gateways, .routes = true});
	struct lab_proc *gwd = bench_gwd(lab, lab_router(lab), configure(lab, load));
	bench_sleep(5000);
	expect_all_up(lab, load);
	uint64_t before = asked(lab, load);
	int64_t began_us = lab_now_us();
	double cpu_ms = bench_cpu_ms(lab_proc_pid(gwd));
	bench_sleep(SECONDS * 1000);
	cpu_ms = bench_cpu_ms(lab_proc_pid(gwd)) - cpu_ms;
	double took_ms = (double)(lab_now_us() - began_us) / 1000;
	double rate = (double)(asked(lab, load) - before) * 1000 / took_ms;
	expect_all_up(lab, load);
	if (rate < load->least)
		bench_die("%s: only %.1f probes a second", load->name, rate);
	bench_row("%s\t%.0f\t%.2f %%\t%.1f\t%s", load->name, rate, 100 * cpu_ms / took_ms,
		  bench_resident_mb(lab_proc_pid(gwd)), load->target);
	bench_gwctl(lab, lab_router(lab), NULL, "flush");
	lab_proc_stop(gwd);
	lab_destroy(lab);
}

int bench_probing(int argc, char **argv)
{
	(void)argc, (void)argv;
	bench_row("WHAT\tPROBES/s\tOF A CORE\tRESIDENT MB\tTARGET");
	for (size_t i = 0; i < ARRAY_SIZE(loads); i++)
		measure(&loads[i]);
	return 0;
}
