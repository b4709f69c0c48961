// SPDX-License-Identifier: GPL-2.0-or-later
// failover SYSTEM FAULT FLOWS: a row: what is noticed when a link dies, with shipped defaults and so many other live
// flows. When the system says that it is down; the gaps of a UDP stream and of ping, when a TCP upload and an idle
// connection are told (10 s are waited), how soon the same client's new connection succeeds; and what a stream on another
// link lost. All from the moment of the fault. Two thirds of gwd's flows are on the link that dies, and a third of a peer's.
//
// Gwd's verdict is when it began to act on it: when `gwctl events` says that it is in force, less what that took by its
// log, of which the end of the dead link's flows is told apart. A peer's is when it ran its script.
//
// gwd; lsm, whose script takes the link's next hop out of the default route of a router that masquerades;
// keepalived, to whom each link is the way to a real of an IPVS service (what goes out it can't balance).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/vec.h"
#include "test/bench/bench.h"
#include "test/bench/news.h"

#define LINKS 3
#define DYING 1
#define OTHER 3
#define CLIENTS 200
#define PORT 9000
#define PATIENCE_MS 10000 // after a new connection succeeded
#define LIVE_S 900        // a flow, without a packet: an emulated machine takes minutes for 100,000

static const uint16_t ports[] = {PORT, 7000, 5060, 443};

struct fault {
	const char *word, *name;
	int64_t (*begin)(struct lab *lab, int isp);
};

static const struct fault faults[] = {
	{"blackhole", "blackholed, link up", lab_fault_blackhole},
	{"carrier", "carrier lost", lab_fault_carrier_off},
	{"down", "set down", lab_fault_admin_down},
	{"delete", "deleted", lab_fault_delete},
};

struct system {
	const char *name;
	struct lab_proc *(*start)(struct lab *lab, struct news *news);
	const char *to; // whom clients talk to
	bool pings;     // there is somebody behind the links who answers
	bool promises;  // that nothing hangs, and that no packet has a wrong source
	int port_flows; // that go to one port: a link's own ports for one of an address end at 64,511
	double dying;   // so much of them at least is on the link that dies: lsm's go by chance
	int wait_ms;
};

// ---- the systems -------------------------------------------------------------------------------

static struct lab_proc *start_gwd(struct lab *lab, struct news *news)
{
	(void)news;
	const char *config = lab_file(lab, "gwd.conf",
				      "lan { interfaces = { lan0 } }\ncontrol-group = \"\"\n"
				      "gateway g1 { interface = wan1 address = %s weight = 4 }\n"
				      "gateway g2 { interface = wan2 address = %s }\n"
				      "gateway g3 { interface = wan3 address = %s }\n",
				      lab_wan_nexthop(lab, 1, AF_INET), lab_wan_nexthop(lab, 2, AF_INET),
				      lab_wan_nexthop(lab, 3, AF_INET));
	struct lab_proc *gwd = bench_gwd_verbose(lab, lab_router(lab), config);
	bench_gateways_up(gwd, LINKS);
	return gwd;
}

static void masquerade(struct lab *lab)
{
	lab_nft_load(lab_router(lab),
		     "table ip peer { chain out { type nat hook postrouting priority srcnat;\n"
		     "oifname { wan1, wan2, wan3 } masquerade\n }\n }");
}

static bool all_in_route(void *arg)
{
	return lab_run(lab_router(arg), NULL, "[ $(ip route show default | grep -c nexthop) = %d ]", LINKS) ==
	       0;
}

static struct lab_proc *start_lsm(struct lab *lab, struct news *news)
{
	masquerade(lab);
	const char *script = lab_file(lab, "change",
				      "#!/bin/sh\n%s $1 $2\ncd %s\nexec 9>lock; flock 9\n"
				      "case $1 in up) : >up.$2 ;; down) rm -f up.$2 ;; *) exit ;; esac\n"
				      "hops=; [ ! -e up.g1 ] || hops='nexthop via %s dev wan1'\n"
				      "[ ! -e up.g2 ] || hops=\"$hops nexthop via %s dev wan2\"\n"
				      "[ ! -e up.g3 ] || hops=\"$hops nexthop via %s dev wan3\"\n"
				      "ip route replace default $hops\n",
				      news_recorder(news), lab_dir(lab), lab_wan_nexthop(lab, 1, AF_INET),
				      lab_wan_nexthop(lab, 2, AF_INET), lab_wan_nexthop(lab, 3, AF_INET));
	lab_do(lab_router(lab), "chmod 755 %s", script);
	struct lab_proc *lsm = bench_lsm(lab, LINKS, script);
	if (!lab_wait_until(all_in_route, lab, 60000))
		bench_die("lsm does not find every link: %s", lab_proc_output(lsm));
	return lsm;
}

static struct lab_proc *start_keepalived(struct lab *lab, struct news *news)
{
	const char *script = news_recorder(news);
	masquerade(lab);
	lab_do(lab_router(lab), "sysctl -qw net.ipv4.vs.conntrack=1"); // or its packets are not masqueraded
	lab_do(lab_router(lab), "ipvsadm --set 0 0 %d", LIVE_S);
	struct buf text = {0};
	buf_puts(&text, "global_defs {\nscript_user root\n}\n");
	for (int udp = 0; udp <= 1; udp++) {
		buf_printf(&text,
			   "virtual_server 10.0.0.1 %d {\nlb_algo rr\nlb_kind NAT\nprotocol %s\n"
			   "persistence_timeout 300\n",
			   PORT, udp ? "UDP" : "TCP");
		for (int k = 1; k <= LINKS; k++)
			buf_printf(&text,
				   "real_server %s %d {\nnotify_down \"%s down g%d\"\nTCP_CHECK {\n}\n}\n",
				   lab_server_address(AF_INET, k), PORT, script, k);
		buf_puts(&text, "}\n");
	}
	for (int k = 1; k <= LINKS; k++)
		lab_do(lab_router(lab), "ip route replace %s via %s", lab_server_address(AF_INET, k),
		       lab_wan_nexthop(lab, k, AF_INET));
	struct lab_proc *keepalived = bench_keepalived(lab, buf_text(&text), 2 * LINKS);
	buf_free(&text);
	return keepalived;
}

static const struct system systems[] = {
	{"gwd", start_gwd, "198.51.100.1", true, true, 25000, 0.6, 20000},
	{"lsm", start_lsm, "198.51.100.1", true, false, 25000, 1. / 6, 20000},
	// each link leads to an address of its own; a minute until it notices
	{"keepalived", start_keepalived, "10.0.0.1", false, false, LAB_BURST_MAX, 0.3, 90000},
};

// ---- flows -------------------------------------------------------------------------------------

struct run {
	struct lab *lab;
	const struct system *system;
	struct news news;
	char dying[64], other[64]; // clients by these links
};

static struct lab_flow flow_of(struct run *run, const char *source)
{
	return (struct lab_flow){
		.from = lab_host(run->lab, 1), .to = run->system->to, .port = PORT, .source = source};
}

static void fill_port(struct run *run, uint16_t port, int flows)
{
	struct lab_burst_spec spec = {
		.flow = {.from = lab_host(run->lab, 2), .to = run->system->to, .port = port},
		.count = flows,
		.clients = 2000,
		.udp = true,
		.timeout_ms = 5000};
	struct lab_tally tally = lab_burst_run(run->lab, &spec);
	if (tally.answered < flows * 99 / 100)
		bench_die("%d of %d flows were answered", tally.answered, flows);
}

// Flows that conntrack has to look through; each is answered once, and the first live yet when the link dies.
static void fill(struct run *run, int flows)
{
	lab_do(lab_router(run->lab), "sysctl -qw net.netfilter.nf_conntrack_udp_timeout=%d", LIVE_S);
	size_t i = 0;
	for (int most = run->system->port_flows; flows > 0; flows -= most, i++) {
		if (i == ARRAY_SIZE(ports))
			bench_die("more flows than %zu ports take", i);
		fill_port(run, ports[i], flows < most ? flows : most);
	}
}

// A client all of whose flows go by this link; who came once stays there.
static void client_on(struct run *run, int isp, char source[64])
{
	for (int client = 0; client < CLIENTS; client++) {
		lab_client_address(AF_INET, 1, client, source);
		struct lab_flow flow = flow_of(run, source);
		if (lab_connect(run->lab, &flow).isp == isp && lab_ask(run->lab, &flow).isp == isp)
			return;
	}
	bench_die("no client came to isp%d", isp);
}

static struct lab_stream *stream_of(struct run *run, const char *source, bool ping)
{
	struct lab_stream *stream =
		lab_stream_start(run->lab, &(struct lab_stream_spec){.flow = flow_of(run, source),
								     .rate_hz = 500,
								     .ping = ping,
								     .limit_s = LAB_STREAM_LIMIT_S});
	if (!lab_stream_wait_answer(stream, 5000))
		bench_die("a stream is not answered");
	return stream;
}

static struct lab_transfer *transfer_of(struct run *run, enum lab_transfer_kind kind)
{
	struct lab_transfer *transfer = lab_transfer_start(
		run->lab, &(struct lab_transfer_spec){.flow = flow_of(run, run->dying), .kind = kind});
	if (!lab_transfer_wait_running(transfer, 5000) || lab_transfer_peek(transfer).isp != DYING)
		bench_die("a transfer does not run by isp%d", DYING);
	return transfer;
}

// The client whose flows are on the dead link connects anew until it succeeds.
static bool newcomer_gets_through(void *arg)
{
	struct run *run = arg;
	struct lab_burst_spec spec = {.flow = flow_of(run, run->dying), .timeout_ms = 50};
	return lab_burst_run(run->lab, &spec).answered == 1;
}

// ---- what they tell ----------------------------------------------------------------------------

#define HANGS INT64_MAX
#define NOBODY (-1)

static int until(int64_t when_ms)
{
	int64_t left_ms = when_ms - lab_now_ms();
	return left_ms > 0 ? (int)left_ms : 0;
}

// What is told while the fault is still being made counts as at once.
static int64_t told_after_ms(struct lab_transfer *transfer, int64_t began_ms, int64_t end_ms)
{
	bool ended = lab_transfer_wait_end(transfer, until(end_ms));
	struct lab_transfer_report report = lab_transfer_stop(transfer);
	if (!ended)
		return HANGS;
	if (report.end != LAB_END_RST && report.end != LAB_END_UNREACHABLE)
		bench_die("a connection on the dead link ended by %s", lab_transfer_end_name(report.end));
	return report.ended_ms > began_ms ? report.ended_ms - began_ms : 0;
}

// A stream's longest gap, if it goes on.
static int64_t gap_ms(struct run *run, struct lab_stream *stream)
{
	bool goes_on = lab_stream_wait_answer(stream, PATIENCE_MS);
	struct lab_stream_report report = lab_stream_stop(stream);
	if (!goes_on && run->system->promises)
		bench_die("a stream on the dead link does not go on: %d of %d lost, %d ms", report.lost,
			  report.sent, report.gap_ms);
	return goes_on ? report.gap_ms : HANGS;
}

static const char *ms_text(char text[16], int64_t ms)
{
	if (ms == HANGS)
		return "hangs";
	if (ms == NOBODY)
		return "–";
	snprintf(text, 16, "%d", (int)ms);
	return text;
}

// ---- what the system said ----------------------------------------------------------------------

struct verdict_of {
	int64_t after_ms; // or HANGS: nothing was said
	double ended_ms;  // what it took to end the flows of the dead link; < 0: not told
};

static double number_after(const char *line, const char *words)
{
	const char *at = strstr(line, words);
	return at ? strtod(at + strlen(words), NULL) : 0;
}

// What gwd did between the verdict and the moment at which it was in force, in its own log.
static double applied_ms(struct lab_proc *daemon, double *ended_ms)
{
	char *text = xstrdup(lab_proc_output(daemon)), *rest = text, *line;
	double took_ms = 0;
	*ended_ms = 0;
	while ((line = strsep(&rest, "\n")) && !strstr(line, "gateway: g1: up -> down")) {
		if (strstr(line, "apply: in force after "))
			took_ms = number_after(line, "apply: in force after ");
		if (strstr(line, "failover: g1 "))
			*ended_ms += number_after(line, "flows ended in ");
	}
	free(text);
	return took_ms;
}

static struct verdict_of verdict_of(struct run *run, struct lab_proc *daemon, int64_t began_ms)
{
	struct verdict_of verdict = {.after_ms = HANGS, .ended_ms = -1};
	int64_t when_ms[LINKS + 1];
	news_heard(&run->news, "down", began_ms, when_ms, LINKS);
	if (!when_ms[DYING])
		return verdict;
	double took_ms = run->system->start == start_gwd ? applied_ms(daemon, &verdict.ended_ms) : 0;
	verdict.after_ms = when_ms[DYING] - (int64_t)took_ms - began_ms;
	if (verdict.after_ms < 0) // told while the fault was still being made
		verdict.after_ms = 0;
	return verdict;
}

// ---- a row -------------------------------------------------------------------------------------

struct row {
	struct verdict_of verdict;
	int64_t call_ms, ping_ms, new_ms, upload_ms, idle_ms; // NOBODY: there is none
	int on_dying, ended;                                  // flows: ended are only gwd's
	int lost, sent;
};

static void print(const struct run *run, const struct fault *fault, int flows, const struct row *row)
{
	char text[6][16], ended[48] = "–";
	const char *after = row->verdict.after_ms == HANGS ? "–" : ms_text(text[0], row->verdict.after_ms);
	const char *more = "–";
	if (row->verdict.after_ms != HANGS && row->call_ms != HANGS &&
	    row->call_ms >= row->verdict.after_ms) {
		snprintf(text[1], sizeof(text[1]), "%d", (int)(row->call_ms - row->verdict.after_ms));
		more = text[1];
	}
	if (row->verdict.ended_ms >= 0)
		snprintf(ended, sizeof(ended), "%.1f (%d)", row->verdict.ended_ms, row->ended);
	char call[16];
	bench_row("%s\t%s\t%d (%d)\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%d of %d", run->system->name, fault->name,
		  flows, row->on_dying, after, ms_text(call, row->call_ms), more,
		  ms_text(text[2], row->ping_ms), (int)row->new_ms, ms_text(text[3], row->upload_ms),
		  ms_text(text[4], row->idle_ms), ended, row->lost, row->sent);
}

// So many of conntrack's are translated to the address of the link that is to die.
static int flows_on_dying(struct run *run)
{
	char *text = NULL;
	lab_run(lab_router(run->lab), &text, "conntrack -L --reply-dst %s 2>/dev/null | wc -l",
		lab_wan_address(run->lab, DYING, AF_INET));
	int n = atoi(text);
	free(text);
	return n;
}

// Before the fault.
static int flows_to_die(struct run *run, int flows)
{
	int n = flows_on_dying(run);
	if (n < flows * run->system->dying)
		bench_die("of %d flows only %d are on the link that is to die", flows, n);
	return n;
}

// After it: but for those of probes none is left.
static int flows_ended(struct run *run, int before)
{
	int left = flows_on_dying(run);
	if (left > 10 + before / 100)
		bench_die("%d of %d flows are left on the link that died", left, before);
	return before - left;
}

static void find_clients(struct run *run)
{
	client_on(run, DYING, run->dying);
	client_on(run, OTHER, run->other);
}

// The fault, with everything running; and what came of it.
static void strike(struct run *run, const struct fault *fault, struct lab_proc *daemon, struct row *row)
{
	struct lab_stream *call = stream_of(run, run->dying, false),
			  *other = stream_of(run, run->other, false),
			  *ping = run->system->pings ? stream_of(run, run->dying, true) : NULL;
	struct lab_transfer *upload = transfer_of(run, LAB_UPLOAD), *idle = transfer_of(run, LAB_IDLE);
	if (lab_stream_peek(call).isp != DYING || lab_stream_peek(other).isp != OTHER)
		bench_die("a stream is not where its client is");
	int64_t began_ms = fault->begin(run->lab, DYING);
	if (!lab_wait_until(newcomer_gets_through, run, run->system->wait_ms))
		bench_die("no new connection gets through: %s", lab_proc_output(daemon));
	int64_t now_ms = lab_now_ms(), end_ms = now_ms + PATIENCE_MS;
	row->new_ms = now_ms - began_ms;
	row->call_ms = gap_ms(run, call);
	row->ping_ms = ping ? gap_ms(run, ping) : NOBODY;
	row->upload_ms = told_after_ms(upload, began_ms, end_ms);
	row->idle_ms = told_after_ms(idle, began_ms, end_ms);
	struct lab_stream_report stayed = lab_stream_stop(other);
	row->lost = stayed.lost;
	row->sent = stayed.sent;
	row->verdict = verdict_of(run, daemon, began_ms);
}

static void measure(struct run *run, const struct fault *fault, int flows)
{
	struct row row = {0};
	run->lab = lab_create(&(struct lab_spec){.isps = LINKS, .routes = run->system->start == start_lsm});
	news_open(&run->news, run->lab, run->system->start == start_gwd);
	struct lab_proc *daemon = run->system->start(run->lab, &run->news);
	fill(run, flows);
	find_clients(run);
	row.on_dying = flows_to_die(run, flows);
	strike(run, fault, daemon, &row);
	if (run->news.gwd)
		row.ended = flows_ended(run, row.on_dying);
	if (run->system->promises && lab_wrong_sources(run->lab))
		bench_die("a packet left with a wrong source: %s", lab_wrong_first(run->lab));
	print(run, fault, flows, &row);
	lab_proc_stop(daemon);
	lab_destroy(run->lab);
}

int bench_failover(int argc, char **argv)
{
	struct run run = {0};
	const struct fault *fault = NULL;
	for (size_t i = 0; argc > 3 && i < ARRAY_SIZE(systems); i++)
		if (!strcmp(argv[1], systems[i].name))
			run.system = &systems[i];
	for (size_t i = 0; argc > 3 && i < ARRAY_SIZE(faults); i++)
		if (!strcmp(argv[2], faults[i].word))
			fault = &faults[i];
	if (!run.system || !fault)
		bench_die("failover: which SYSTEM, FAULT, and how many FLOWS?");
	measure(&run, fault, atoi(argv[3]));
	return 0;
}
