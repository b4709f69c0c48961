// SPDX-License-Identifier: GPL-2.0-or-later
// connections [COUNT]: real TCP connections to a published service, a second, and bytes a second, in
// namespaces: gwd beside plain DNAT, nftlb, haproxy and, where the kernel has it, IPVS. A client on the
// internet, the router, two reals in its LAN. All systems take turns in each round, another one first each
// time, and what counts are ratios within a round: the machine may be busy with something else, but then it
// is so for all of them.
#include <stdio.h>
#include <stdlib.h>

#include "test/bench/bench.h"

#define ROUNDS 5
#define AT_ONCE 64
#define BULK_MS 1500
#define VIP_PORT 80
#define REAL_PORT 8080

struct system {
	const char *name;
	struct lab_proc *(*start)(struct lab *lab); // NULL: no process of its own
	void (*stop)(struct lab *lab, struct lab_proc *proc);
	const char *needs; // a command that fails where the kernel lacks it
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
			 "probe patient { type = tcp interval = 10s timeout = 5s }\n"
			 "probe link { type = icmp interval = 10s timeout = 5s }\n"
			 "gateway isp { interface = wan1 address = %s address6 = none probes = { link } }\n"
			 "service web { listen = \"%s:%d\" protocol = tcp forward = nat scheduler = rr\n"
			 "  probes = { patient }\n"
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

static struct lab_proc *start_ipvs(struct lab *lab)
{
	lab_do(lab_router(lab), "ipvsadm -A -t %s:%d -s rr", vip(lab), VIP_PORT);
	for (int host = 1; host <= 2; host++)
		lab_do(lab_router(lab), "ipvsadm -a -t %s:%d -r %s:%d -m", vip(lab), VIP_PORT,
		       lab_host_address(AF_INET, host), REAL_PORT);
	return NULL;
}

static void stop_ipvs(struct lab *lab, struct lab_proc *proc)
{
	(void)proc;
	lab_do(lab_router(lab), "ipvsadm -C");
}

static struct system systems[] = {
	{.name = "plain DNAT", .start = start_dnat, .stop = stop_dnat},
	{.name = "gwd nat", .start = start_gwd, .stop = stop_gwd},
	{.name = "nftlb dnat", .start = start_nftlb, .stop = stop_nftlb},
	{.name = "haproxy tcp", .start = start_haproxy, .stop = stop_haproxy},
	{.name = "IPVS NAT", .start = start_ipvs, .stop = stop_ipvs, .needs = "ipvsadm -Ln >/dev/null 2>&1"},
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

static double measure_connections(struct lab *lab, const struct system *system, struct lab_proc *proc,
				  int count)
{
	struct lab_burst_spec spec = {
		.flow = flow_to_vip(lab), .count = count, .timeout_ms = 20000, .at_once = AT_ONCE};
	int64_t began_us = lab_now_us();
	struct lab_tally tally = lab_burst_run(lab, &spec);
	double seconds = (double)(lab_now_us() - began_us) / 1e6;
	if (tally.answered != count)
		bench_die("%s: %d of %d connections were not answered: %s", system->name, tally.failed, count,
			  proc ? lab_proc_output(proc) : "");
	return count / seconds;
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

static void measure(struct lab *lab, struct system *system, int round, int count)
{
	struct lab_proc *proc = system->start(lab);
	if (!lab_wait_until(answers, lab, 60000))
		bench_die("%s does not serve%s%s", system->name, proc ? ": " : "",
			  proc ? lab_proc_output(proc) : "");
	system->per_second[round] = measure_connections(lab, system, proc, count);
	system->bits[round] = measure_bulk(lab, system->name);
	system->stop(lab, proc);
	lab_do(lab_router(lab), "conntrack -F 2>/dev/null");
}

static bool here(struct lab *lab, const struct system *system)
{
	return !system->needs || lab_run(lab_router(lab), NULL, "%s", system->needs) == 0;
}

static void report(const struct system *system, double *ratio, double *bits_ratio)
{
	double connections = bench_median(ratio, ROUNDS),
	       bulk = bench_median(bits_ratio, ROUNDS); // sorted now
	bench_row("%s\t%.2f\t%.2f – %.2f\t%.2f\t%.2f – %.2f", system->name, connections, ratio[0],
		  ratio[ROUNDS - 1], bulk, bits_ratio[0], bits_ratio[ROUNDS - 1]);
}

int bench_connections(int argc, char **argv)
{
	static const uint16_t ports[] = {REAL_PORT, 0};
	int count = argc > 1 ? atoi(argv[1]) : 8000;
	if (count < 1)
		bench_die("connections: how many?");
	struct lab *lab = lab_create(&(struct lab_spec){.isps = 1, .routes = true});
	for (int host = 1; host <= 2; host++) {
		lab_server_start(lab, lab_host(lab, host), ports);
		lab_do(lab_host(lab, host), "ip route replace default via 10.0.0.1");
	}
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < SYSTEMS; i++) {
			struct system *system = &systems[(round + i) % SYSTEMS];
			if (here(lab, system))
				measure(lab, system, round, count);
		}
	bench_row("SYSTEM\tCONNECTIONS, OF PLAIN DNAT\tFROM – TO\tBULK, OF PLAIN DNAT\tFROM – TO");
	for (size_t i = 0; i < SYSTEMS; i++) {
		double ratio[ROUNDS], bits_ratio[ROUNDS];
		for (int round = 0; round < ROUNDS; round++) {
			ratio[round] = systems[i].per_second[round] / systems[0].per_second[round];
			bits_ratio[round] = systems[i].bits[round] / systems[0].bits[round];
		}
		if (here(lab, &systems[i]))
			report(&systems[i], ratio, bits_ratio);
	}
	lab_destroy(lab);
	return 0;
}
