// SPDX-License-Identifier: GPL-2.0-or-later
// failover: what flows on a link notice when it dies, with shipped defaults, while many others are live:
// gaps of a UDP stream and of ping, when a TCP upload and an idle connection are told, how soon a new
// connection succeeds; and what a stream on another link lost. All from the moment of the fault.
#include <stdio.h>
#include <stdlib.h>

#include "test/bench/bench.h"

#define CLIENTS 200
#define WAIT_MS 20000

struct fault {
	const char *name;
	int64_t (*begin)(struct lab *lab, int isp);
};

static const struct fault faults[] = {
	{"blackholed, link up", lab_fault_blackhole},
	{"carrier lost", lab_fault_carrier_off},
	{"set down", lab_fault_admin_down},
	{"deleted", lab_fault_delete},
};

static struct lab_proc *start_gwd(struct lab *lab)
{
	const char *config = lab_file(lab, "gwd.conf",
				      "lan { interfaces = { lan0 } }\ncontrol-group = \"\"\n"
				      "gateway g1 { interface = wan1 address = %s }\n"
				      "gateway g2 { interface = wan2 address = %s }\n"
				      "gateway g3 { interface = wan3 address = %s }\n",
				      lab_wan_nexthop(lab, 1, AF_INET), lab_wan_nexthop(lab, 2, AF_INET),
				      lab_wan_nexthop(lab, 3, AF_INET));
	struct lab_proc *gwd = bench_gwd(lab, lab_router(lab), config);
	for (int i = 1; i <= 3; i++) {
		char text[64];
		snprintf(text, sizeof(text), "g%d: unknown -> up", i);
		if (!lab_proc_wait_output(gwd, text, WAIT_MS))
			bench_die("g%d does not come up", i);
	}
	return gwd;
}

// Flows that conntrack has to look through; each is answered once.
static void fill(struct lab *lab, int flows)
{
	struct lab_burst_spec spec = {
		.flow = {.from = lab_host(lab, 2), .to = lab_server_address(AF_INET, 3)},
		.count = flows,
		.clients = 2000,
		.udp = true,
		.timeout_ms = 5000};
	struct lab_tally tally = lab_burst_run(lab, &spec);
	if (tally.answered < flows * 99 / 100)
		bench_die("%d of %d flows were answered", tally.answered, flows);
}

static struct lab_transfer *transfer_on(struct lab *lab, enum lab_transfer_kind kind, int isp)
{
	char source[64];
	for (int client = 0; client < CLIENTS; client++) {
		lab_client_address(AF_INET, 1, client, source);
		struct lab_transfer *transfer = lab_transfer_start(
			lab, &(struct lab_transfer_spec){.flow = {.from = lab_host(lab, 1),
								  .to = lab_server_address(AF_INET, 2),
								  .source = source},
							 .kind = kind});
		if (lab_transfer_wait_running(transfer, 5000) && lab_transfer_peek(transfer).isp == isp)
			return transfer;
		lab_transfer_stop(transfer);
	}
	bench_die("no transfer came to isp%d", isp);
}

// A client whose pin is on the dead link connects anew until it succeeds.
struct newcomer {
	struct lab *lab;
	char source[64];
};

static bool newcomer_gets_through(void *arg)
{
	struct newcomer *newcomer = arg;
	struct lab_burst_spec spec = {.flow = {.from = lab_host(newcomer->lab, 1),
					       .to = lab_server_address(AF_INET, 1),
					       .source = newcomer->source},
				      .timeout_ms = 50};
	return lab_burst_run(newcomer->lab, &spec).answered == 1;
}

static void newcomer_on(struct newcomer *newcomer, int isp)
{
	for (int client = CLIENTS; client < 2 * CLIENTS; client++) {
		lab_client_address(AF_INET, 1, client, newcomer->source);
		struct lab_flow flow = {.from = lab_host(newcomer->lab, 1),
					.to = lab_server_address(AF_INET, 1),
					.source = newcomer->source};
		if (lab_connect(newcomer->lab, &flow).isp == isp)
			return;
	}
	bench_die("no client came to isp%d", isp);
}

#define HANGS INT64_MAX

// What is told while the fault is still being made counts as at once.
static int64_t told_after_ms(struct lab_transfer *transfer, int64_t began_ms)
{
	bool ended = lab_transfer_wait_end(transfer, WAIT_MS / 2);
	struct lab_transfer_report report = lab_transfer_stop(transfer);
	if (!ended)
		return HANGS;
	if (report.end != LAB_END_RST && report.end != LAB_END_UNREACHABLE)
		bench_die("a connection on the dead link ended by %s", lab_transfer_end_name(report.end));
	return report.ended_ms > began_ms ? report.ended_ms - began_ms : 0;
}

static const char *told_text(char text[16], int64_t ms)
{
	if (ms == HANGS)
		return "hangs";
	snprintf(text, 16, "%d", (int)ms);
	return text;
}

static void measure(const struct fault *fault, int flows)
{
	struct lab *lab = lab_create(&(struct lab_spec){.isps = 3});
	struct lab_proc *gwd = start_gwd(lab);
	fill(lab, flows);
	struct lab_stream_spec udp = {
		.flow = {.from = lab_host(lab, 1), .to = lab_server_address(AF_INET, 1)},
		.limit_s = LAB_STREAM_LIMIT_S};
	struct lab_stream *call = lab_stream_start_on(lab, &udp, 1);
	struct lab_stream *other = lab_stream_start_on(lab, &udp, 3);
	struct lab_transfer *upload = transfer_on(lab, LAB_UPLOAD, 1), *idle = transfer_on(lab, LAB_IDLE, 1);
	struct newcomer newcomer = {.lab = lab};
	newcomer_on(&newcomer, 1);
	int64_t began_ms = fault->begin(lab, 1);
	if (!lab_wait_until(newcomer_gets_through, &newcomer, WAIT_MS))
		bench_die("no new connection gets through");
	int64_t new_ms = lab_now_ms() - began_ms;
	if (!lab_stream_wait_answer(call, WAIT_MS))
		bench_die("the stream on the dead link does not go on");
	int64_t upload_ms = told_after_ms(upload, began_ms), idle_ms = told_after_ms(idle, began_ms);
	struct lab_stream_report moved = lab_stream_stop(call), stayed = lab_stream_stop(other);
	if (lab_wrong_sources(lab))
		bench_die("a packet left with a wrong source: %s", lab_wrong_first(lab));
	char upload_text[16], idle_text[16];
	bench_row("%s\t%d\t%d\t%d\t%s\t%s\t%d of %d", fault->name, flows, moved.gap_ms, (int)new_ms,
		  told_text(upload_text, upload_ms), told_text(idle_text, idle_ms), stayed.lost, stayed.sent);
	lab_proc_stop(gwd);
	lab_destroy(lab);
}

int bench_failover(int argc, char **argv)
{
	static const int counts[] = {100, 10000, 100000};
	(void)argc, (void)argv;
	bench_row("FAULT\tLIVE FLOWS\tUDP GAP ms\tNEW AFTER ms\tUPLOAD RESET AFTER ms\tIDLE RESET AFTER ms\t"
		  "LOST ON ANOTHER LINK");
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		measure(&faults[0], counts[i]);
	for (size_t i = 1; i < sizeof(faults) / sizeof(faults[0]); i++)
		measure(&faults[i], 100);
	return 0;
}
