// SPDX-License-Identifier: GPL-2.0-or-later
// connections: real TCP connections to a published service, a second, and bytes a second, natively in
// namespaces: gwd beside plain DNAT, nftlb and haproxy. A client on the internet, the router, two reals in
// its LAN. All systems take turns in each round, and what counts are ratios within a round: the machine may
// be busy with something else, but then it is so for all of them.
#include <stdio.h>
#include <stdlib.h>

#include "test/bench/bench.h"

#define ROUNDS 5
#define CONNECTIONS 8000
#define AT_ONCE 64
#define BULK_MS 1500
#define VIP_PORT 80
#define REAL_PORT 8080

struct system {
	const char *name;
	struct lab_proc *(*start)(struct lab *lab); // NULL: no process of its own
	void (*stop)(struct lab *lab, struct lab_proc *proc);
	double per_second[ROUNDS], bits[ROUNDS];
	double ratio[ROUNDS], bits_ratio[ROUNDS]; // to plain DNAT in the same round
};

static const char *vip(struct lab *lab)
{
	return lab_wan_address(lab, 1, AF_INET);
}

// ---- the systems -------------------------------------------------------------------------------

static struct lab_proc *start_dnat(struct lab *lab)
{
	char rules[512];
	snprintf(rules, sizeof(rules),
		 "table ip plain { chain in { type nat hook prerouting priority dstnat;\n"
		 "ip daddr %s tcp dport %d dnat ip to numgen inc mod 2 map { 0 : %s, 1 : %s }:%d\n }\n }",
		 vip(lab), VIP_PORT, lab_host_address(AF_INET, 1), lab_host_address(AF_INET, 2), REAL_PORT);
	lab_nft_load(lab_router(lab), rules);
	return NULL;
}

static void stop_dnat(struct lab *lab, struct lab_proc *proc)
{
	(void)proc;
	lab_do(lab_router(lab), "nft delete table ip plain");
}

static struct lab_proc *start_gwd(struct lab *lab)
{
	const char *config =
		lab_file(lab, "gwd.conf",
			 "lan { interfaces = { lan0 } }\ncontrol-group = \"\"\n"
			 "gateway isp { interface = wan1 address = %s address6 = none }\n"
			 "service web { listen = \"%s:%d\" protocol = tcp forward = nat scheduler = rr\n"
			 "  real a { address = %s port = %d }\n  real b { address = %s port = %d } }\n",
			 lab_wan_nexthop(lab, 1, AF_INET), vip(lab), VIP_PORT, lab_host_address(AF_INET, 1),
			 REAL_PORT, lab_host_address(AF_INET, 2), REAL_PORT);
	return bench_gwd(lab, lab_router(lab), config);
}

static void stop_gwd(struct lab *lab, struct lab_proc *proc)
{
	bench_gwctl(lab, lab_router(lab), NULL, "flush");
	lab_proc_stop(proc);
}

static struct lab_proc *start_nftlb(struct lab *lab)
{
	const char *config = lab_file(
		lab, "nftlb.json",
		"{\"farms\":[{\"name\":\"web\",\"family\":\"ipv4\",\"virtual-addr\":\"%s\",\"virtual-ports\":"
		"\"%d\","
		"\"mode\":\"dnat\",\"protocol\":\"tcp\",\"scheduler\":\"rr\",\"state\":\"up\",\"backends\":["
		"{\"name\":\"a\",\"ip-addr\":\"%s\",\"port\":\"%d\",\"state\":\"up\"},"
		"{\"name\":\"b\",\"ip-addr\":\"%s\",\"port\":\"%d\",\"state\":\"up\"}]}]}\n",
		vip(lab), VIP_PORT, lab_host_address(AF_INET, 1), REAL_PORT, lab_host_address(AF_INET, 2),
		REAL_PORT);
	lab_do(lab_router(lab), "nftlb -e -c %s", config);
	return NULL;
}

static void stop_nftlb(struct lab *lab, struct lab_proc *proc)
{
	(void)proc;
	lab_do(lab_router(lab), "nft flush ruleset");
}

static struct lab_proc *start_haproxy(struct lab *lab)
{
	const char *config = lab_file(lab, "haproxy.cfg",
				      "global\n  maxconn 5000\ndefaults\n  mode tcp\n  timeout connect 2s\n"
				      "  timeout client 1m\n  timeout server 1m\nlisten web\n  bind %s:%d\n"
				      "  balance roundrobin\n  server a %s:%d\n  server b %s:%d\n",
				      vip(lab), VIP_PORT, lab_host_address(AF_INET, 1), REAL_PORT,
				      lab_host_address(AF_INET, 2), REAL_PORT);
	return lab_proc_start(lab, lab_router(lab), (const char *[]){"haproxy", "-db", "-f", config, NULL});
}

static void stop_haproxy(struct lab *lab, struct lab_proc *proc)
{
	(void)lab;
	lab_proc_stop(proc);
}

static struct system systems[] = {
	{.name = "plain DNAT", .start = start_dnat, .stop = stop_dnat},
	{.name = "gwd nat", .start = start_gwd, .stop = stop_gwd},
	{.name = "nftlb dnat", .start = start_nftlb, .stop = stop_nftlb},
	{.name = "haproxy tcp", .start = start_haproxy, .stop = stop_haproxy},
};

#define SYSTEMS (sizeof(systems) / sizeof(systems[0]))

// ---- measuring ---------------------------------------------------------------------------------

static struct lab_flow flow_to_vip(struct lab *lab)
{
	return (struct lab_flow){.from = lab_internet(lab), .to = vip(lab), .port = VIP_PORT};
}

static bool answers(void *arg)
{
	struct lab *lab = arg;
	struct lab_flow flow = flow_to_vip(lab);
	return lab_connect(lab, &flow).outcome == LAB_ANSWERED;
}

static double measure_connections(struct lab *lab, const char *name)
{
	struct lab_burst_spec spec = {.flow = flow_to_vip(lab), .count = CONNECTIONS, .at_once = AT_ONCE};
	int64_t began_us = lab_now_us();
	struct lab_tally tally = lab_burst_run(lab, &spec);
	double seconds = (double)(lab_now_us() - began_us) / 1e6;
	if (tally.answered != CONNECTIONS)
		bench_die("%s: %d of %d connections were not answered", name, tally.failed, CONNECTIONS);
	return CONNECTIONS / seconds;
}

static bool bulk_is_over(void *arg)
{
	return lab_now_ms() >= *(const int64_t *)arg;
}

static double measure_bulk(struct lab *lab, const char *name)
{
	struct lab_transfer_spec spec = {.flow = flow_to_vip(lab), .kind = LAB_DOWNLOAD, .rate_bps = -1};
	struct lab_transfer *transfer = lab_transfer_start(lab, &spec);
	if (!lab_transfer_wait_running(transfer, 5000))
		bench_die("%s: no bytes come", name);
	int64_t began_bytes = lab_transfer_peek(transfer).bytes, began_us = lab_now_us();
	int64_t end_ms = lab_now_ms() + BULK_MS;
	lab_wait_until(bulk_is_over, &end_ms, 2 * BULK_MS);
	double seconds = (double)(lab_now_us() - began_us) / 1e6;
	struct lab_transfer_report report = lab_transfer_stop(transfer);
	if (report.end != LAB_END_RUNNING || report.bytes <= began_bytes)
		bench_die("%s: the transfer broke: %s", name, lab_transfer_end_name(report.end));
	return 8 * (double)(report.bytes - began_bytes) / seconds;
}

static void measure(struct lab *lab, struct system *system, int round)
{
	struct lab_proc *proc = system->start(lab);
	if (!lab_wait_until(answers, lab, 10000))
		bench_die("%s does not serve%s%s", system->name, proc ? ": " : "",
			  proc ? lab_proc_output(proc) : "");
	system->per_second[round] = measure_connections(lab, system->name);
	system->bits[round] = measure_bulk(lab, system->name);
	system->ratio[round] = system->per_second[round] / systems[0].per_second[round];
	system->bits_ratio[round] = system->bits[round] / systems[0].bits[round];
	system->stop(lab, proc);
	lab_do(lab_router(lab), "conntrack -F 2>/dev/null");
}

int bench_connections(int argc, char **argv)
{
	static const uint16_t ports[] = {REAL_PORT, 0};
	(void)argc, (void)argv;
	struct lab *lab = lab_create(&(struct lab_spec){.isps = 1, .routes = true});
	for (int host = 1; host <= 2; host++) {
		lab_server_start(lab, lab_host(lab, host), ports);
		lab_do(lab_host(lab, host), "ip route replace default via 10.0.0.1");
	}
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < SYSTEMS; i++)
			measure(lab, &systems[i], round);
	bench_row("SYSTEM\tCONNECTIONS, OF PLAIN DNAT\tBULK, OF PLAIN DNAT");
	for (size_t i = 0; i < SYSTEMS; i++)
		bench_row("%s\t%.2f\t%.2f", systems[i].name, bench_median(systems[i].ratio, ROUNDS),
			  bench_median(systems[i].bits_ratio, ROUNDS));
	lab_destroy(lab);
	return 0;
}
