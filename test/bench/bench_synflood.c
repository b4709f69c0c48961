// SPDX-License-Identifier: GPL-2.0-or-later
// synflood [RATE]: what a flood of SYNs to a service costs others who come to it: the time of a connection (handshake,
// question, answer), with the flood and without it, turn by turn, and how many were lost; with syn-proxy and without.
#include <stdio.h>
#include <stdlib.h>

#include "test/bench/bench.h"

#define ROUNDS 5
#define ASKED 400
#define VIP_PORT 80
#define REAL_PORT 8080

struct proxying {
	const char *word;
	double quiet_us[ROUNDS], flooded_us[ROUNDS], ratio[ROUNDS];
	double rate[ROUNDS], entries[ROUNDS];
	int lost;
};

static struct lab *start(const char *word, struct lab_proc **gwd)
{
	static const uint16_t ports[] = {REAL_PORT, 0};
	struct lab *lab = lab_create(&(struct lab_spec){.isps = 1, .routes = true});
	for (int host = 1; host <= 2; host++)
		lab_server_start(lab, lab_host(lab, host), ports);
	const char *config =
		lab_file(lab, "gwd.conf",
			 "lan { interfaces = { lan0 } }\ncontrol-group = \"\"\n"
			 "gateway isp { interface = wan1 address = %s address6 = none }\n"
			 "service web { listen = \"%s:%d\" scheduler = rr probes = none syn-proxy = %s\n"
			 "  real a { address = %s port = %d }\n  real b { address = %s port = %d } }\n",
			 lab_wan_nexthop(lab, 1, AF_INET), lab_wan_address(lab, 1, AF_INET), VIP_PORT, word,
			 lab_host_address(AF_INET, 1), REAL_PORT, lab_host_address(AF_INET, 2), REAL_PORT);
	*gwd = bench_gwd(lab, lab_router(lab), config);
	if (!lab_proc_wait_output(*gwd, "isp: unknown -> up", 20000))
		bench_die("the gateway does not come up");
	return lab;
}

static struct lab_flow flow(struct lab *lab)
{
	return (struct lab_flow){
		.from = lab_internet(lab), .to = lab_wan_address(lab, 1, AF_INET), .port = VIP_PORT};
}

// The median of connections made one after the other; adds to `lost` those that were not answered.
static double ask(struct lab *lab, int *lost)
{
	double took_us[ASKED];
	int n = 0;
	for (int i = 0; i < ASKED; i++) {
		struct lab_flow to = flow(lab);
		struct lab_conn conn = lab_connect(lab, &to);
		if (conn.outcome == LAB_ANSWERED)
			took_us[n++] = conn.elapsed_us;
	}
	*lost += ASKED - n;
	return n ? bench_median(took_us, (size_t)n) : 0;
}

static double entries(struct lab *lab)
{
	char *output = NULL;
	lab_run(lab_router(lab), &output, "conntrack -C");
	double n = atof(output);
	free(output);
	return n;
}

static void measure(struct proxying *proxying, int round, int rate)
{
	struct lab_proc *gwd;
	struct lab *lab = start(proxying->word, &gwd);
	struct lab_flood_spec spec = {.flow = flow(lab), .rate_hz = rate, .count = LAB_FLOOD_MAX};
	int quiet_lost = 0;
	ask(lab, &quiet_lost); // everybody knows everybody's hardware address
	proxying->quiet_us[round] = ask(lab, &quiet_lost);
	if (quiet_lost)
		bench_die("syn-proxy = %s: %d were lost without a flood", proxying->word, quiet_lost);
	double before = entries(lab);
	int64_t began_us = lab_now_us();
	struct lab_flood *flood = lab_flood_start(lab, &spec);
	proxying->flooded_us[round] = ask(lab, &proxying->lost);
	double seconds = (double)(lab_now_us() - began_us) / 1e6;
	proxying->rate[round] = lab_flood_stop(flood) / seconds;
	if (proxying->rate[round] < 0.5 * rate)
		bench_die("of %d SYNs a second only %.0f went out", rate, proxying->rate[round]);
	proxying->entries[round] = entries(lab) - before - ASKED;
	proxying->ratio[round] = proxying->flooded_us[round] / proxying->quiet_us[round];
	lab_proc_stop(gwd);
	lab_destroy(lab);
}

static void report(struct proxying *proxying)
{
	double ratio = bench_median(proxying->ratio, ROUNDS); // sorted now
	bench_row("%s\t%.0f\t%.0f\t%.0f\t%.2f\t%.2f – %.2f\t%d of %d\t%.0f", proxying->word,
		  bench_median(proxying->rate, ROUNDS), bench_median(proxying->quiet_us, ROUNDS),
		  bench_median(proxying->flooded_us, ROUNDS), ratio, proxying->ratio[0],
		  proxying->ratio[ROUNDS - 1], proxying->lost, ROUNDS * ASKED,
		  bench_median(proxying->entries, ROUNDS));
}

int bench_synflood(int argc, char **argv)
{
	static struct proxying both[] = {{.word = "yes"}, {.word = "no"}};
	int rate = argc > 1 ? atoi(argv[1]) : 20000;
	if (rate < 1)
		bench_die("synflood: how many a second?");
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < 2; i++)
			measure(&both[i], round, rate);
	bench_row("SYN-PROXY\tSYNS/S\tUS QUIET\tUS FLOODED\tRATIO\tFROM – TO\tLOST\tENTRIES LEFT");
	for (int i = 0; i < 2; i++)
		report(&both[i]);
	return 0;
}
