// SPDX-License-Identifier: GPL-2.0-or-later
// counting: how exactly wlc keeps live flows at 3:2:1 while new ones come at a rate. All flows of a gateway count, its
// probes' too. Nobody answers: the flows are there, and stay, for conntrack.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/bench/bench.h"

#define GATEWAYS 3
#define ROUNDS 3
#define SECONDS 2

static const int weights[GATEWAYS] = {3, 2, 1};

struct settled {
	struct lab *lab;
	double sum; // of live flows that there should be at least
};

static bool all_counted(void *arg)
{
	const struct settled *settled = arg;
	double flows[GATEWAYS];
	return bench_live_flows(settled->lab, flows, GATEWAYS) >= settled->sum;
}

// The furthest that a gateway is from its share, in flows.
static double worst_of(const double flows[GATEWAYS])
{
	double sum = 0, worst = 0;
	for (int i = 0; i < GATEWAYS; i++)
		sum += flows[i];
	for (int i = 0; i < GATEWAYS; i++)
		worst = fmax(worst, fabs(flows[i] - sum * weights[i] / 6));
	return worst;
}

static struct lab *start(void)
{
	struct lab *lab = lab_create(&(struct lab_spec){.isps = GATEWAYS});
	char *text = NULL;
	lab_do(lab_router(lab), "ip route add 10.128.0.0/9 via %s", lab_host_address(AF_INET, 1));
	if (asprintf(&text,
		     "lan { interfaces = { lan0 } }\ncontrol-group = \"\"\n"
		     "probe never { fall = 100 timeout = 1s }\n"
		     "gateway g1 { interface = wan1 address = %s probes = never weight = 3 }\n"
		     "gateway g2 { interface = wan2 address = %s probes = never weight = 2 }\n"
		     "gateway g3 { interface = wan3 address = %s probes = never weight = 1 }\n"
		     "balance default { scheduler = wlc persistence = off }\n",
		     lab_wan_nexthop(lab, 1, AF_INET), lab_wan_nexthop(lab, 2, AF_INET),
		     lab_wan_nexthop(lab, 3, AF_INET)) < 0)
		abort();
	struct lab_proc *gwd = bench_gwd(lab, lab_router(lab), lab_file(lab, "gwd.conf", "%s", text));
	bench_gateways_up(gwd, GATEWAYS);
	for (int i = 1; i <= GATEWAYS; i++)
		lab_fault_cut(lab, i);
	free(text);
	return lab;
}

static void measure(int rate)
{
	double off[ROUNDS], rates[ROUNDS], sum = 0;
	for (int round = 0; round < ROUNDS; round++) {
		struct lab *lab = start();
		double flows[GATEWAYS];
		rates[round] = bench_send_flows(lab, rate, SECONDS, round * 100000);
		struct settled settled = {lab, rate * SECONDS};
		if (!lab_wait_until(all_counted, &settled, 20000))
			bench_die("not all flows are there");
		sum = bench_live_flows(lab, flows, GATEWAYS);
		off[round] = worst_of(flows);
		lab_destroy(lab);
	}
	double median = bench_median(off, ROUNDS);
	bench_row("%d/s\t%.0f/s\t%.0f\t%.1f\t%.1f\t%.2f %%", rate, bench_median(rates, ROUNDS), sum, median,
		  off[ROUNDS - 1], 100 * off[ROUNDS - 1] / sum);
}

int bench_counting(int argc, char **argv)
{
	(void)argc, (void)argv;
	bench_row("new flows\tthat came\tlive at the end\toff 3:2:1, flows\tworst of 3\tof all");
	measure(1000);
	measure(10000);
	measure(30000);
	return 0;
}
