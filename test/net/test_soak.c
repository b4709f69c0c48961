// SPDX-License-Identifier: GPL-2.0-or-later
// Links fail in every way, files change, clients come: for SOAK_SECONDS (`make soak`: 1800). One link is left
// alone and loses nothing, no packet has a wrong source, and gwd grows no more than a little.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"
#include "test/net/residue.h"

enum { LINKS = 4, ALONE = 3, GROWTH_KB = 1024, GUARD_MS = 300000, SEED = 7 };

struct soak {
	struct net *net;
	int broken[LINKS + 1]; // which of the faults a link has, + 1
	long rounds, flows;
	int64_t guarded_ms;
};

// ---- links -------------------------------------------------------------------------------------

static int64_t lose(struct lab *lab, int isp)
{
	return lab_fault_loss(lab, isp, 20);
}

static const struct {
	int64_t (*break_it)(struct lab *lab, int isp);
	int64_t (*mend_it)(struct lab *lab, int isp);
} faults[] = {
	{lab_fault_blackhole, lab_fault_repair},
	{lab_fault_cut, lab_fault_repair},
	{lose, lab_fault_repair},
	{lab_fault_carrier_off, lab_fault_carrier_on},
	{lab_fault_admin_down, lab_fault_admin_up},
	{lab_fault_delete, lab_fault_recreate},
};

static void mend(struct soak *soak, int isp)
{
	if (soak->broken[isp])
		faults[soak->broken[isp] - 1].mend_it(soak->net->lab, isp);
	soak->broken[isp] = 0;
}

static void a_link_fails_or_is_mended(struct soak *soak)
{
	int isp = 1 + rand() % LINKS;
	if (isp == ALONE)
		return;
	if (soak->broken[isp]) {
		mend(soak, isp);
		return;
	}
	int fault = rand() % (int)(sizeof(faults) / sizeof(*faults));
	faults[fault].break_it(soak->net->lab, isp);
	soak->broken[isp] = fault + 1;
}

static void an_address_changes(struct soak *soak)
{
	static int times;
	if (times++ < 50)
		lab_fault_renumber(soak->net->lab, LINKS);
}

// ---- what people do ----------------------------------------------------------------------------

static void configure(struct soak *soak)
{
	static const char *const schedulers[] = {"wrr", "rr", "random", "sh", "lc", "wlc", "lowest-latency"};
	int weights[LINKS];
	for (int i = 0; i < LINKS; i++)
		weights[i] = 1 + rand() % 4;
	char *gateways = net_gateways(soak->net->lab, LINKS, weights, true);
	net_configure(
		soak->net,
		"%s balance default { scheduler = %s persistence = 5m }"
		"rule guard { to = 198.51.100.4 gateway = g3 }"
		"service web { listen = { \"100.64.1.2:8000\", \"100.64.2.2:8000\" } protocol = { tcp, udp }"
		" scheduler = %s real a { address = 10.0.0.11 port = 80 weight = %d }"
		" real b { address = 10.0.0.12 port = 80 } }",
		gateways, schedulers[rand() % 7], schedulers[rand() % 6], 1 + rand() % 3);
	free(gateways);
}

static void another_file(struct soak *soak)
{
	configure(soak);
	net_reload(soak->net);
}

static void a_drain(struct soak *soak)
{
	static const char *const names[] = {"g1", "g2", "g4", "web/a", "web/b"};
	const char *name = names[rand() % 5];
	cr_assert_eq(net_gwctl(soak->net, NULL, "drain %s", name), 0);
	cr_assert_eq(net_gwctl(soak->net, NULL, "undrain %s", name), 0);
}

static void the_other_lan_goes(struct soak *soak)
{
	lab_do(lab_router(soak->net->lab), "ip link set lan1 down; ip link set lan1 up");
}

static void somebody_looks(struct soak *soak)
{
	static const char *const commands[] = {"status",
					       "-j status",
					       "flows",
					       "pins",
					       "rules",
					       "doctor",
					       "trace 10.0.0.12 198.51.100.2 tcp 80",
					       "counters"};
	char *output = NULL;
	cr_assert_eq(net_gwctl(soak->net, &output, "%s", commands[rand() % 8]), 0, "%s", output);
	free(output);
}

static void clients_come(struct soak *soak)
{
	struct lab *lab = soak->net->lab;
	bool in = rand() % 3 == 0;
	struct lab_burst *burst = lab_burst_start(
		lab, &(struct lab_burst_spec){.flow = {.from = in ? lab_internet(lab) : lab_host(lab, 1),
						       .to = in ? "100.64.1.2" : "198.51.100.1",
						       .port = in ? 8000 : 80},
					      .count = 20,
					      .udp = rand() % 2,
					      .timeout_ms = 300});
	lab_burst_wait(burst);
	soak->flows += lab_burst_tally(burst).answered;
	lab_burst_free(burst);
}

// ---- the daemon --------------------------------------------------------------------------------

static int seconds(void)
{
	const char *text = getenv("SOAK_SECONDS");
	return text ? atoi(text) : 0;
}

static void soak_until(struct soak *soak, int64_t until_ms)
{
	static void (*const things[])(struct soak *) = {
		a_link_fails_or_is_mended,
		a_link_fails_or_is_mended,
		a_link_fails_or_is_mended,
		clients_come,
		clients_come,
		another_file,
		a_drain,
		somebody_looks,
		an_address_changes,
		the_other_lan_goes,
	};
	while (lab_now_ms() < until_ms) {
		things[rand() % (int)(sizeof(things) / sizeof(*things))](soak);
		soak->rounds++;
		if (lab_now_ms() - soak->guarded_ms > GUARD_MS)
			soak->guarded_ms = net_guard_on(soak->net, ALONE);
	}
}

Test(soak, of_faults_at_random, .timeout = 7200)
{
	if (!seconds())
		cr_skip("it takes a while: make soak");
	struct soak soak = {.net = net_lab(&(struct lab_spec){.isps = 3, .ppp = true, .routes = true})};
	int64_t began = lab_now_ms(), length_ms = seconds() * 1000ll;
	srand(SEED);
	lab_server_start(soak.net->lab, lab_host(soak.net->lab, 1), NULL);
	lab_server_start(soak.net->lab, lab_host(soak.net->lab, 2), NULL);
	configure(&soak);
	net_gwd(soak.net);
	net_wait_up(soak.net);
	soak.guarded_ms = net_guard_on(soak.net, ALONE);
	soak_until(&soak, began + length_ms / 4);
	long before = residue_of(soak.net).resident_kb;
	soak_until(&soak, began + length_ms);
	long after = residue_of(soak.net).resident_kb;
	for (int isp = 1; isp <= LINKS; isp++)
		mend(&soak, isp);
	net_wait_up(soak.net);
	printf("%ld things in %d s, %ld flows answered, resident %ld -> %ld kB\n", soak.rounds, seconds(),
	       soak.flows, before, after);
	cr_expect_gt(soak.flows, 0);
	cr_expect(after - before < GROWTH_KB, "it has grown by %ld kB", after - before);
	net_finish(soak.net);
}
