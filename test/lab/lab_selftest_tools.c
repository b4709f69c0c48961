// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_selftest_tools: every traffic tool reports exactly what was done to its packets; inbound flows;
 * programs; waiting.
 */
#include "test/lab/lab.h"
#include "test/lab/lab_selftest.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLOSED_PORT = 4, EXTRA_PORT = 2222, WAIT_MS = 5000 };

static struct lab_flow flow_of_host1(struct lab *lab, int family)
{
	return (struct lab_flow){.from = lab_host(lab, 1), .to = lab_server_address(family, 1), .port = 80};
}

/* ---- bursts ---- */

static void check_spread(struct lab *lab, int family, bool udp)
{
	struct lab_burst_spec spec = {
		.flow = flow_of_host1(lab, family), .count = 600, .clients = 300, .udp = udp};
	uint64_t before = lab_isp_flows(lab, 1);
	struct lab_burst *burst = lab_burst_start(lab, &spec);
	struct lab_tally tally;
	const struct lab_conn *conn;
	char client[64];

	lab_burst_wait(burst);
	tally = lab_burst_tally(burst);
	conn = &lab_burst_conns(burst)[299];
	lab_client_address(family, 1, 299, client);
	lab_check(tally.answered == 600 && tally.isp[1] == 600 && tally.failed == 0 &&
			  tally.split_clients == 0,
		  "600 flows by ISP 1: %d answered, %d by it, %d split", tally.answered, tally.isp[1],
		  tally.split_clients);
	lab_check(!strcmp(conn->source, client) && !strcmp(conn->seen, lab_wan_address(lab, 1, family)),
		  "flow 299 is from %s and seen as %s", conn->source, conn->seen);
	lab_check(lab_isp_flows(lab, 1) - before == 600, "ISP 1 counted %d new flows",
		  (int)(lab_isp_flows(lab, 1) - before));
	lab_burst_free(burst);
}

static void check_outcome(struct lab *lab, const char *to, uint16_t port, bool udp, int count,
			  enum lab_outcome wanted)
{
	struct lab_burst_spec spec = {
		.flow = flow_of_host1(lab, AF_INET), .timeout_ms = 300, .udp = udp, .count = count};
	struct lab_tally tally;

	spec.flow.to = to;
	spec.flow.port = port;
	tally = lab_burst_run(lab, &spec);
	for (int o = LAB_PENDING; o < LAB_OUTCOMES; o++)
		lab_check(tally.outcome[o] == (o == (int)wanted ? count : 0), "%s port %d %s: %d are %s", to,
			  port, udp ? "UDP" : "TCP", tally.outcome[o], lab_outcome_name((enum lab_outcome)o));
}

static void check_outcomes(struct lab *lab)
{
	check_outcome(lab, lab_server_address(AF_INET, 1), CLOSED_PORT, false, 3, LAB_REFUSED);
	check_outcome(lab, lab_server_address(AF_INET6, 1), CLOSED_PORT, true, 3, LAB_REFUSED);
	check_outcome(lab, "192.0.2.1", 80, false, 1,
		      LAB_UNREACHABLE); /* the internet has no route to it; it says so once a second */
	lab_fault_blackhole(lab, 1);
	check_outcome(lab, lab_server_address(AF_INET, 1), 80, false, 3, LAB_TIMEOUT);
	check_outcome(lab, lab_server_address(AF_INET6, 1), 80, true, 3, LAB_TIMEOUT);
	lab_fault_repair(lab, 1);
}

/* Flows held open answer again, until something takes them away. */
static void check_hold(struct lab *lab, bool udp)
{
	struct lab_burst_spec spec = {.flow = flow_of_host1(lab, AF_INET),
				      .count = 1000,
				      .clients = 1000,
				      .hold = true,
				      .udp = udp,
				      .timeout_ms = 4000,
				      .at_once = 1000};
	struct lab_burst *burst;

	spec.flow.port = 443;
	burst = lab_burst_start(lab, &spec);
	lab_burst_wait(burst);
	lab_check(lab_burst_tally(burst).answered == 1000, "1000 flows held: %d",
		  lab_burst_tally(burst).answered);
	for (int i = 0; i < 2; i++) {
		lab_burst_poke(burst);
		lab_burst_wait(burst);
		lab_check(lab_burst_tally(burst).answered == 1000, "1000 flows poked: %d",
			  lab_burst_tally(burst).answered);
	}
	lab_fault_cut(lab, 1);
	lab_burst_poke(burst);
	lab_burst_wait(burst);
	lab_check(lab_burst_tally(burst).outcome[LAB_TIMEOUT] == 1000, "1000 flows poked in vain: %d",
		  lab_burst_tally(burst).outcome[LAB_TIMEOUT]);
	lab_fault_repair(lab, 1);
	lab_burst_free(burst);
}

/* Source port and DSCP are what was asked for: counted on the router. */
static void check_marks_of_flow(struct lab *lab)
{
	struct lab_flow flow = flow_of_host1(lab, AF_INET);
	struct lab_conn conn;
	char *output;

	flow.source_port = 3333;
	flow.dscp = 46;
	lab_nft_load(lab_router(lab),
		     "table inet m { chain f { type filter hook forward priority 0;\n"
		     "ip dscp ef udp sport 3333 counter\nip6 dscp ef tcp sport 3333 counter\n}\n}\n");
	conn = lab_ask(lab, &flow);
	lab_check(conn.isp == 1 && conn.source_port == 3333, "a UDP flow from port %d", conn.source_port);
	flow.to = lab_server_address(AF_INET6, 1);
	conn = lab_connect(lab, &flow);
	lab_check(conn.isp == 1 && conn.source_port == 3333, "a TCP flow from port %d", conn.source_port);
	lab_run(lab_router(lab), &output, "nft list table inet m");
	lab_check(strstr(output, "udp sport 3333 counter packets 1 ") != NULL &&
			  strstr(output, "tcp sport 3333 counter packets 0 ") == NULL,
		  "both are marked EF:\n%s", output);
	free(output);
}

static void check_split(struct lab *lab)
{
	struct lab_burst_spec spec = {
		.flow = flow_of_host1(lab, AF_INET), .count = 200, .clients = 100, .at_once = 1};
	struct lab_burst *burst;
	struct lab_tally tally;

	spec.flow.port = 9000;
	lab_selftest_steer(lab, "10.1.0.0/27", 1);
	lab_do(lab_router(lab),
	       "nft add table ip s; nft add chain ip s p '{ type filter hook prerouting priority -150; }';"
	       "nft add rule ip s p ip saddr 10.1.0.1-10.1.0.10 ct state new numgen inc mod 2 0 ct mark set "
	       "2;"
	       "nft add rule ip s p iifname lan0 meta mark set ct mark; ip rule add fwmark 2 lookup 1002 "
	       "pref 50");
	lab_selftest_steer(lab, "10.255.0.0/16", 2); /* fills table 1002 */
	burst = lab_burst_start(lab, &spec);
	lab_burst_wait(burst);
	tally = lab_burst_tally(burst);
	lab_check(tally.isp[1] == 190 && tally.isp[2] == 10, "190 and 10 flows: %d and %d", tally.isp[1],
		  tally.isp[2]);
	lab_burst_free(burst);
}

void lab_selftest_bursts(void)
{
	struct lab *lab = lab_selftest_create(&(struct lab_spec){.isps = 2});

	lab_selftest_steer_host(lab, 1, 1);
	for (int i = 0; i < 4; i++)
		check_spread(lab, i & 1 ? AF_INET6 : AF_INET, i & 2);
	check_outcomes(lab);
	check_hold(lab, false);
	check_hold(lab, true);
	check_marks_of_flow(lab);
	check_split(lab);
	lab_check_no_wrong_source(lab);
	lab_destroy(lab);
}

/* ---- streams ---- */

/* One in ten is dropped on the router: known losses, known gaps. */
static void check_known_loss(struct lab *lab, bool ping, int family)
{
	struct lab_stream_spec spec = {.flow = flow_of_host1(lab, family),
				       .count = 1000,
				       .rate_hz = 2000,
				       .last_ms = 200,
				       .ping = ping};
	struct lab_stream_report report;

	lab_nft_load(lab_router(lab), "table inet d { chain f { type filter hook forward priority 0;\n"
				      "iifname lan0 numgen inc mod 10 == 5 drop\n}\n}\n");
	report = lab_stream_finish(lab_stream_start(lab, &spec));
	lab_do(lab_router(lab), "nft delete table inet d");
	lab_check(report.sent == 1000 && report.lost == 100 && report.answered == 900 &&
			  report.duplicates == 0,
		  "of 1000, 100 lost: %d of %d", report.lost, report.sent);
	lab_check(report.errors == 0 && report.gap_ms <= 100, "a gap of one packet: %d ms", report.gap_ms);
	lab_check(report.isp == (ping ? 0 : 1), "its ISP is %d", report.isp);
	report = lab_stream_finish(lab_stream_start(lab, &spec));
	lab_check(report.sent == 1000 && report.lost == 0 && report.gap_ms == 0 && report.gap_began_ms == 0 &&
			  report.mean_rtt_us > 0 && report.worst_rtt_us >= report.mean_rtt_us,
		  "of 1000, none lost: %d", report.lost);
}

/* Translation without conntrack, so that a flow can change its ISP while it runs. What leaves by wan2 leaves twice. */
static const char stateless[] =
	"flush ruleset\n"
	"table ip x { chain a { type filter hook prerouting priority -300;\n"
	"notrack\niifname \"wan*\" udp dport 5555 ip daddr set 10.0.0.11\n}\n"
	"chain b { type filter hook postrouting priority 100;\n"
	"oifname wan1 udp sport 5555 ip saddr set 100.64.1.2\n"
	"oifname wan2 udp sport 5555 ip saddr set 100.64.2.2 dup to 100.64.2.1 device wan2\n"
	"}\n}\n";

/* Moved from ISP 1 to ISP 2 and back: three parts, and the answers of the second come twice. */
static void check_parts(struct lab *lab)
{
	struct lab_stream_spec spec = {.flow = flow_of_host1(lab, AF_INET)};
	struct lab_stream_report report;
	struct lab_stream *stream;

	lab_nft_load(lab_router(lab), stateless);
	spec.flow.source_port = 5555;
	stream = lab_stream_start(lab, &spec);
	for (int isp = 1; isp <= 3; isp++) {
		lab_selftest_steer_host(lab, 1, isp == 2 ? 2 : 1);
		lab_check(lab_stream_wait_isp(stream, isp == 2 ? 2 : 1, WAIT_MS), "carried by %d", isp);
	}
	report = lab_stream_stop(stream);
	lab_check(report.parts == 3 && report.part[0].isp == 1 && report.part[1].isp == 2 &&
			  report.part[2].isp == 1,
		  "three parts: %d", report.parts);
	lab_check(report.part[0].answered + report.part[1].answered + report.part[2].answered ==
			  report.answered,
		  "which add up");
	lab_check(report.duplicates == report.part[1].answered,
		  "%d answers of the %d of the second part came twice", report.duplicates,
		  report.part[1].answered);
	lab_check(report.part[0].last_ms <= report.part[1].first_ms &&
			  report.part[1].last_ms <= report.part[2].first_ms,
		  "in order");
}

void lab_selftest_streams(void)
{
	struct lab *lab = lab_selftest_create(&(struct lab_spec){.isps = 2});

	lab_selftest_steer_host(lab, 1, 1);
	lab_ping(lab, &(struct lab_flow){.from = lab_host(lab, 1), .to = lab_server_address(AF_INET, 1)}, 1);
	lab_ping(lab, &(struct lab_flow){.from = lab_host(lab, 1), .to = lab_server_address(AF_INET6, 1)}, 1);
	check_known_loss(lab, false, AF_INET);
	check_known_loss(lab, false, AF_INET6);
	check_known_loss(lab, true, AF_INET);
	check_known_loss(lab, true, AF_INET6);
	lab_check_no_wrong_source(lab);
	check_parts(lab);
	lab_destroy(lab);
}

/* ---- transfers ---- */

static void check_transfer(struct lab *lab, enum lab_transfer_kind kind, int family)
{
	struct lab_transfer_spec spec = {.flow = flow_of_host1(lab, family), .kind = kind};
	struct lab_transfer *transfer = lab_transfer_start(lab, &spec);
	struct lab_transfer_report report;
	int64_t before, loaded;

	lab_check(lab_transfer_wait_running(transfer, WAIT_MS), "a transfer of kind %d runs", kind);
	report = lab_transfer_peek(transfer);
	lab_check(report.isp == 1 && !report.ended_ms && report.end == LAB_END_RUNNING, "by ISP %d",
		  report.isp);
	before = lab_now_ms();
	lab_nft_load(lab_router(lab), "table inet r { chain f { type filter hook forward priority 0;\n"
				      "iifname lan0 tcp dport 80 reject with tcp reset\n}\n}\n");
	loaded = lab_now_ms();
	if (kind == LAB_IDLE)
		lab_check(!lab_transfer_wait_end(transfer, 300), "an idle one notices nothing");
	else
		lab_check(lab_transfer_wait_end(transfer, WAIT_MS), "a busy one is reset");
	lab_do(lab_router(lab), "nft delete table inet r");
	report = lab_transfer_stop(transfer);
	lab_check(report.end == (kind == LAB_IDLE ? LAB_END_RUNNING : LAB_END_RST), "it ended by %s",
		  lab_transfer_end_name(report.end));
	lab_check(kind == LAB_IDLE || (report.ended_ms >= before && report.ended_ms - loaded < 1000),
		  "%d ms after the rule", (int)(report.ended_ms - loaded));
	lab_check(kind == LAB_IDLE ? report.bytes == 0 : report.bytes > 0 && report.last_progress_ms > 0,
		  "%lld bytes", (long long)report.bytes);
}

/* A server that goes away closes its connections. */
static void check_fin(struct lab *lab)
{
	struct lab_server *server =
		lab_server_start(lab, lab_internet(lab), (const uint16_t[]){EXTRA_PORT, 0});
	struct lab_transfer_spec spec = {.flow = flow_of_host1(lab, AF_INET), .kind = LAB_IDLE};
	struct lab_transfer *transfer;
	struct lab_transfer_report report;

	spec.flow.port = EXTRA_PORT;
	transfer = lab_transfer_start(lab, &spec);
	lab_check(lab_transfer_wait_running(transfer, WAIT_MS), "an idle connection");
	lab_server_stop(server);
	lab_check(lab_transfer_wait_end(transfer, WAIT_MS), "ends with its server");
	report = lab_transfer_stop(transfer);
	lab_check(report.end == LAB_END_FIN, "by %s", lab_transfer_end_name(report.end));
	transfer = lab_transfer_start(lab, &spec);
	lab_check(lab_transfer_wait_end(transfer, WAIT_MS), "and is refused from then on");
	lab_check(lab_transfer_stop(transfer).end == LAB_END_REFUSED, "as such");
}

/* The far end falls silent; a host that gives up soon. */
static void check_timeout(struct lab *lab)
{
	struct lab_transfer_spec spec = {.flow = flow_of_host1(lab, AF_INET), .kind = LAB_UPLOAD};
	struct lab_transfer *transfer;
	struct lab_transfer_report report;
	int64_t dead;

	lab_ns_sysctl(lab_host(lab, 1), "ipv4/tcp_retries2", "1");
	transfer = lab_transfer_start(lab, &spec);
	lab_check(lab_transfer_wait_running(transfer, WAIT_MS), "an upload");
	dead = lab_fault_blackhole(lab, 1);
	lab_check(lab_transfer_wait_end(transfer, 20000), "which TCP gives up");
	lab_fault_repair(lab, 1);
	report = lab_transfer_stop(transfer);
	lab_check(report.end == LAB_END_TIMEOUT && report.ended_ms > dead, "by %s",
		  lab_transfer_end_name(report.end));
	lab_check(report.last_progress_ms <= dead + 50, "no progress after the fault");
}

/* About the rate asked for, in both directions. */
static void check_rate(struct lab *lab, enum lab_transfer_kind kind)
{
	struct lab_transfer_spec spec = {.flow = flow_of_host1(lab, AF_INET), .kind = kind, .limit_s = 1};
	struct lab_transfer_report report;
	struct lab_transfer *transfer;

	spec.rate_bps = 4000000;
	transfer = lab_transfer_start(lab, &spec);
	lab_transfer_wait_end(transfer, 1200); /* it closes by itself */
	report = lab_transfer_stop(transfer);
	lab_check(report.bytes > 300000 && report.bytes < 600000, "500 kB in a second: %lld",
		  (long long)report.bytes);
}

void lab_selftest_transfers(void)
{
	struct lab *lab = lab_selftest_create(&(struct lab_spec){.isps = 2});

	lab_selftest_steer_host(lab, 1, 1);
	for (int f = 0; f < 2; f++) {
		check_transfer(lab, LAB_IDLE, f ? AF_INET6 : AF_INET);
		check_transfer(lab, LAB_UPLOAD, f ? AF_INET6 : AF_INET);
		check_transfer(lab, LAB_DOWNLOAD, f ? AF_INET6 : AF_INET);
	}
	check_rate(lab, LAB_UPLOAD);
	check_rate(lab, LAB_DOWNLOAD);
	check_fin(lab);
	check_timeout(lab);
	lab_check_no_wrong_source(lab);
	lab_destroy(lab);
}

/* ---- inbound ---- */

/* From the internet to the router by ISP k, and to a LAN host behind a port forward. */
static void check_inbound(struct lab *lab, int isp, int family)
{
	struct lab_flow flow = {.from = lab_internet(lab), .to = lab_wan_public(lab, isp, family)};
	uint64_t before = lab_isp_packets(lab, isp);

	lab_selftest_steer(lab, lab_wan_address(lab, isp, family), isp);
	lab_selftest_steer_host(lab, 1, isp);
	flow.port = EXTRA_PORT;
	lab_check(lab_connect(lab, &flow).outcome == LAB_ANSWERED, "TCP to the router at %s", flow.to);
	lab_check(lab_ask(lab, &flow).outcome == LAB_ANSWERED, "UDP to the router at %s", flow.to);
	flow.port = 8080;
	lab_check(lab_connect(lab, &flow).outcome == LAB_ANSWERED, "TCP to host1 at %s", flow.to);
	lab_check(lab_ask(lab, &flow).outcome == LAB_ANSWERED, "UDP to host1 at %s", flow.to);
	lab_check(lab_isp_packets(lab, isp) > before, "the replies left by ISP %d", isp);
}

static void check_inbound_everywhere(const struct lab_spec *spec)
{
	struct lab *lab = lab_selftest_create(spec);

	lab_server_start(lab, lab_router(lab), (const uint16_t[]){EXTRA_PORT, 0});
	lab_server_start(lab, lab_host(lab, 1), (const uint16_t[]){EXTRA_PORT, 0});
	lab_nft_load(lab_router(lab), "table inet p { chain a { type nat hook prerouting priority -100;\n"
				      "iifname { wan1, wan2, ppp0 } meta l4proto { tcp, udp } th dport 8080"
				      " dnat ip to 10.0.0.11:2222\n"
				      "iifname { wan1, wan2, ppp0 } meta l4proto { tcp, udp } th dport 8080"
				      " dnat ip6 to [fd00:10::11]:2222\n}\n}\n");
	for (int k = 1; k <= lab_isp_count(lab); k++) {
		check_inbound(lab, k, AF_INET);
		check_inbound(lab, k, AF_INET6);
	}
	lab_check_no_wrong_source(lab);
	lab_destroy(lab);
}

void lab_selftest_inbound(void)
{
	check_inbound_everywhere(&(struct lab_spec){.isps = 2, .ppp = true});
	check_inbound_everywhere(&(struct lab_spec){.isps = 1, .shared = LAB_SHARED_ONE_SUBNET});
}
