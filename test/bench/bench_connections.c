// SPDX-License-Identifier: GPL-2.0-or-later
// connections [COUNT [ROUNDS]]: real TCP connections to a published service, a second, and bytes a second, in
// namespaces: gwd, nftlb, haproxy and, where the kernel has it, IPVS, each beside plain DNAT. A client on the
// internet, the router, two reals in its LAN. In each round each system and plain DNAT are measured one right
// after the other, in turns first, and what counts is the ratio of the two: the machine may be busy with
// something else, but then it is so for both.
#include <stdio.h>
#include <stdlib.h>

#include "test/bench/bench.h"

#define ROUNDS_MAX 15
#define AT_ONCE 64
#define BULK_MS 1000
#define VIP_PORT 80
#define REAL_PORT 8080

struct system {
	const char *name;
	struct lab_proc *(*start)(struct lab *lab); // NULL: no process of its own
	void (*stop)(struct lab *lab, struct lab_proc *proc);
	const char *needs;                                // a command that fails where the kernel lacks it
	double ratio[ROUNDS_MAX], bits_ratio[ROUNDS_MAX]; // to plain DNAT's beside it
};

struct speed {
	double per_second, bits;
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

static const struct system plain = {.name = "plain DNAT", .start = start_dnat, .stop = stop_dnat};
static struct system systems[] = {
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

// Reals count who begins a connection.
static void count_at_reals(struct lab *lab)
{
	for (int host = 1; host <= 2; host++)
		lab_nft_load(lab_host(lab, host),
			     "table ip seen { chain in { type filter hook input priority 0;\n"
			     "tcp dport 8080 tcp flags & (syn | ack) == syn counter\n }\n }");
}

static int seen_at_real(struct lab *lab, int host)
{
	char *output = NULL;
	lab_run(lab_host(lab, host), &output, "nft list table ip seen | sed -n 's/.*counter packets //p'");
	int seen = atoi(output);
	free(output);
	return seen;
}

// What has been closed is waiting for its time to be over, at both ends: nothing is on its way any more.
static bool all_closed(void *arg)
{
	struct lab *lab = arg;
	return lab_run(lab_internet(lab), NULL,
		       "[ -z \"$(ss -Htn state fin-wait-1 state fin-wait-2 state closing state last-ack)\" "
		       "]") == 0;
}

// Each burst comes from an address of its own: ports that wait for their time to be over are dear to pass by.
static double measure_connections(struct lab *lab, const struct system *system, struct lab_proc *proc,
				  int count)
{
	static int turn;
	struct lab_burst_spec spec = {
		.flow = flow_to_vip(lab), .count = count, .timeout_ms = 20000, .at_once = AT_ONCE};
	spec.flow.source = lab_server_address(AF_INET, 1 + turn++ % LAB_SERVERS);
	int seen[2] = {seen_at_real(lab, 1), seen_at_real(lab, 2)};
	int64_t began_us = lab_now_us();
	struct lab_tally tally = lab_burst_run(lab, &spec);
	double seconds = (double)(lab_now_us() - began_us) / 1e6;
	if (tally.answered != count)
		bench_die("%s: %d of %d connections were not answered: %s", system->name, tally.failed, count,
			  proc ? lab_proc_output(proc) : "");
	for (int i = 0; i < 2; i++)
		if (seen_at_real(lab, i + 1) - seen[i] < count * 2 / 5)
			bench_die("%s: of %d connections only %d came to real %d", system->name, count,
				  seen_at_real(lab, i + 1) - seen[i], i + 1);
	if (!lab_wait_until(all_closed, lab, 20000))
		bench_die("%s: not all connections are closed", system->name);
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

static struct speed measure(struct lab *lab, const struct system *system, int count)
{
	struct lab_proc *proc = system->start(lab);
	if (!lab_wait_until(answers, lab, 60000))
		bench_die("%s does not serve%s%s", system->name, proc ? ": " : "",
			  proc ? lab_proc_output(proc) : "");
	struct speed speed = {measure_connections(lab, system, proc, count), measure_bulk(lab, system->name)};
	system->stop(lab, proc);
	lab_do(lab_router(lab), "conntrack -F 2>/dev/null");
	return speed;
}

static struct speed measure_beside_plain(struct lab *lab, struct system *system, int round, int count)
{
	struct speed speed, beside;
	if (round % 2)
		speed = measure(lab, system, count);
	beside = measure(lab, &plain, count);
	if (round % 2 == 0)
		speed = measure(lab, system, count);
	system->ratio[round] = speed.per_second / beside.per_second;
	system->bits_ratio[round] = speed.bits / beside.bits;
	return beside;
}

static bool here(struct lab *lab, const struct system *system)
{
	return !system->needs || lab_run(lab_router(lab), NULL, "%s", system->needs) == 0;
}

static void report(struct system *system, int rounds)
{
	double connections = bench_median(system->ratio, (size_t)rounds),
	       bulk = bench_median(system->bits_ratio, (size_t)rounds); // sorted now
	bench_row("%s\t%.2f\t%.2f – %.2f\t%.2f\t%.2f – %.2f", system->name, connections, system->ratio[0],
		  system->ratio[rounds - 1], bulk, system->bits_ratio[0], system->bits_ratio[rounds - 1]);
}

static struct lab *start_lab(void)
{
	static const uint16_t ports[] = {REAL_PORT, 0};
	struct lab *lab = lab_create(&(struct lab_spec){.isps = 1, .routes = true});
	for (int host = 1; host <= 2; host++) {
		lab_server_start(lab, lab_host(lab, host), ports);
		lab_do(lab_host(lab, host), "ip route replace default via 10.0.0.1");
	}
	count_at_reals(lab);
	return lab;
}

int bench_connections(int argc, char **argv)
{
	double per_second[ROUNDS_MAX * SYSTEMS], bits[ROUNDS_MAX * SYSTEMS];
	size_t n = 0;
	int count = argc > 1 ? atoi(argv[1]) : 5000, rounds = argc > 2 ? atoi(argv[2]) : 7;
	if (count < 1 || rounds < 1 || rounds > ROUNDS_MAX)
		bench_die("connections: how many, in how many rounds?");
	struct lab *lab = start_lab();
	for (int round = 0; round < rounds; round++)
		for (size_t i = 0; i < SYSTEMS; i++) {
			if (!here(lab, &systems[i]))
				continue;
			struct speed beside = measure_beside_plain(lab, &systems[i], round, count);
			per_second[n] = beside.per_second;
			bits[n++] = beside.bits;
		}
	bench_row("SYSTEM\tCONNECTIONS, OF PLAIN DNAT\tFROM – TO\tBULK, OF PLAIN DNAT\tFROM – TO");
	bench_row("plain DNAT: %.0f/s, %.2f Gbit/s\t1\t\t1\t", bench_median(per_second, n),
		  bench_median(bits, n) / 1e9);
	for (size_t i = 0; i < SYSTEMS; i++)
		if (here(lab, &systems[i]))
			report(&systems[i], rounds);
	lab_destroy(lab);
	return 0;
}
