// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_command: what can be typed after `labsh` in a prompt: one table of names, one function each.
 */
#include "test/lab/lab_command.h"

#include "test/lab/lab.h"
#include "test/lab/lab_priv.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { RUNNING_MAX = 16, BAR = 40 };

/* A stream or a transfer that was started and runs on. */
struct running {
	struct lab_stream *stream;
	struct lab_transfer *transfer;
	char what[96];
	int64_t began_ms;
};

struct lab_commander {
	struct lab *lab;
	struct running running[RUNNING_MAX];
	int count;
	const char *fault[LAB_ISPS_MAX + 1]; /* the last one, for `status` */
	int64_t last_fault_ms;
};

struct command {
	const char *name;
	const char *arguments;
	const char *help;
	int (*run)(struct lab_commander *, int argc, char *argv[], FILE *out);
};

/* The words after a command: options with a usual value. */
struct options {
	struct lab_flow flow;
	int count, clients;
	bool udp;
};

/* Reads -6 -u -n COUNT -c CLIENTS -f PLACE -p PORT -s SOURCE [TO]; false, with a message, if they are wrong.
 */
static bool read_options(struct lab_commander *commander, int argc, char *argv[], struct options *options,
			 FILE *out)
{
	int option, family = AF_INET;

	*options = (struct options){.flow = {.from = lab_host(commander->lab, 1)}, .count = 600};
	opterr = 0;
	optind = 0;
	while ((option = getopt(argc, argv, "+6un:c:f:p:s:")) >= 0) {
		if (option == '6')
			family = AF_INET6;
		else if (option == 'u')
			options->udp = true;
		else if (option == 'n')
			options->count = atoi(optarg);
		else if (option == 'c')
			options->clients = atoi(optarg);
		else if (option == 'f')
			options->flow.from = lab_place(commander->lab, optarg);
		else if (option == 'p')
			options->flow.port = (uint16_t)atoi(optarg);
		else if (option == 's')
			options->flow.source = optarg;
		else
			options->count = 0;
	}
	options->flow.to = optind < argc ? argv[optind] : lab_server_address(family, 1);
	if (options->flow.from && options->count > 0 && options->count <= LAB_BURST_MAX &&
	    options->clients >= 0 && options->clients <= LAB_CLIENTS_MAX &&
	    (!options->clients || options->flow.from->host))
		return true;
	fputs("options: -6 -u -n COUNT -c CLIENTS -f PLACE -p PORT -s SOURCE [TO]\n", out);
	return false;
}

/* ---- traffic ---- */

static void print_bar(FILE *out, const char *name, int part, int whole)
{
	int length = whole ? part * BAR / whole : 0;

	fprintf(out, "  %-6s %6d  %3d%%  %.*s\n", name, part, whole ? part * 100 / whole : 0, length,
		"########################################");
}

static int run_client(struct lab_commander *commander, int argc, char *argv[], FILE *out)
{
	struct options options;
	struct lab_tally tally;
	int64_t began = lab_now_ms();

	if (!read_options(commander, argc, argv, &options, out))
		return 2;
	if (!options.clients && !options.flow.source && options.flow.from->host)
		options.clients = options.count;
	tally = lab_burst_run(commander->lab, &(struct lab_burst_spec){.flow = options.flow,
								       .count = options.count,
								       .clients = options.clients,
								       .udp = options.udp});
	fprintf(out, "%d %s flows to %s: %d answered, %d failed, in %d ms\n", options.count,
		options.udp ? "UDP" : "TCP", options.flow.to, tally.answered, tally.failed,
		(int)(lab_now_ms() - began));
	for (int k = 1; k <= lab_isp_count(commander->lab); k++)
		print_bar(out, lab_isp(commander->lab, k)->name, tally.isp[k], tally.answered);
	for (int o = LAB_PENDING; o < LAB_OUTCOMES; o++)
		if (o != LAB_ANSWERED && tally.outcome[o])
			fprintf(out, "  %s: %d\n", lab_outcome_name((enum lab_outcome)o), tally.outcome[o]);
	if (tally.split_clients)
		fprintf(out, "  clients seen on more than one ISP: %d\n", tally.split_clients);
	return 0;
}

static int run_ping(struct lab_commander *commander, int argc, char *argv[], FILE *out)
{
	struct options options;
	struct lab_stream_report report;

	if (!read_options(commander, argc, argv, &options, out))
		return 2;
	report = lab_ping(commander->lab, &options.flow, options.count == 600 ? 5 : options.count);
	fprintf(out, "%s: %d of %d answered, %.2f ms\n", options.flow.to, report.answered, report.sent,
		report.mean_rtt_us / 1000.0);
	return report.answered ? 0 : 1;
}

static int run_start(struct lab_commander *commander, int argc, char *argv[], FILE *out)
{
	static const char *const kind[] = {"idle", "upload", "download"};
	struct running *running = &commander->running[commander->count];
	struct options options;
	int transfer = -1;

	for (int i = 0; i < 3; i++)
		if (argc > 1 && !strcmp(argv[1], kind[i]))
			transfer = i;
	if (argc < 2 || (transfer < 0 && strcmp(argv[1], "stream")) || commander->count == RUNNING_MAX) {
		fprintf(out, "start stream | upload | download | idle; at most %d\n", RUNNING_MAX);
		return 2;
	}
	if (!read_options(commander, argc - 1, argv + 1, &options, out))
		return 2;
	*running = (struct running){.began_ms = lab_now_ms()};
	snprintf(running->what, sizeof(running->what), "%s %s > %.50s", argv[1], options.flow.from->name,
		 options.flow.to);
	if (transfer < 0)
		running->stream = lab_stream_start(
			commander->lab,
			&(struct lab_stream_spec){.flow = options.flow, .limit_s = LAB_STREAM_LIMIT_S});
	else
		running->transfer = lab_transfer_start(
			commander->lab, &(struct lab_transfer_spec){.flow = options.flow,
								    .kind = (enum lab_transfer_kind)transfer,
								    .limit_s = 3600});
	commander->count++;
	return 0;
}

static void print_stream(const struct lab_commander *commander, const struct lab_stream_report *report,
			 FILE *out)
{
	char text[256];

	lab_stream_text(report, text);
	fputs(text, out);
	if (report->lost && report->gap_began_ms && commander->last_fault_ms)
		fprintf(out, "; it began %+d ms after the last fault",
			(int)(report->gap_began_ms - commander->last_fault_ms));
	fputc('\n', out);
}

static void print_transfer(const struct lab_commander *commander, const struct lab_transfer_report *report,
			   FILE *out)
{
	fprintf(out, "isp%d, %lld kB, %s", report->isp, (long long)report->bytes / 1000,
		lab_transfer_end_name(report->end));
	if (report->ended_ms && commander->last_fault_ms)
		fprintf(out, " %+d ms after the last fault",
			(int)(report->ended_ms - commander->last_fault_ms));
	fputc('\n', out);
}

static void print_running(struct lab_commander *commander, bool stop, FILE *out)
{
	for (int i = 0; i < commander->count; i++) {
		struct running *running = &commander->running[i];

		fprintf(out, "%s: ", running->what);
		if (running->stream) {
			struct lab_stream_report report =
				stop ? lab_stream_stop(running->stream) : lab_stream_peek(running->stream);

			print_stream(commander, &report, out);
		} else {
			struct lab_transfer_report report = stop ? lab_transfer_stop(running->transfer)
								 : lab_transfer_peek(running->transfer);

			print_transfer(commander, &report, out);
		}
	}
}

static int run_report(struct lab_commander *commander, int argc, char *argv[], FILE *out)
{
	(void)argc;
	(void)argv;
	print_running(commander, false, out);
	return 0;
}

static int run_stop(struct lab_commander *commander, int argc, char *argv[], FILE *out)
{
	(void)argc;
	(void)argv;
	print_running(commander, true, out);
	commander->count = 0;
	return 0;
}

/* ---- faults ---- */

static const struct {
	const char *name, *now;
	int64_t (*act)(struct lab *lab, int isp);
} faults[] = {
	{"blackhole", "blackhole", lab_fault_blackhole},
	{"cut", "cut", lab_fault_cut},
	{"repair", "", lab_fault_repair},
	{"carrier-off", "no carrier", lab_fault_carrier_off},
	{"carrier-on", "", lab_fault_carrier_on},
	{"down", "down", lab_fault_admin_down},
	{"up", "", lab_fault_admin_up},
	{"delete", "deleted", lab_fault_delete},
	{"recreate", "", lab_fault_recreate},
	{"renumber", "", lab_fault_renumber},
};

static int isp_argument(struct lab_commander *commander, int argc, char *argv[], FILE *out)
{
	int isp = argc > 1 ? atoi(argv[1]) : 0;

	if (isp >= 1 && isp <= lab_isp_count(commander->lab))
		return isp;
	fprintf(out, "%s: the number of an ISP, 1 to %d\n", argv[0], lab_isp_count(commander->lab));
	return 0;
}

static int run_fault(struct lab_commander *commander, int argc, char *argv[], FILE *out)
{
	int isp = isp_argument(commander, argc, argv, out);

	if (!isp)
		return 2;
	for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (strcmp(faults[i].name, argv[0]))
			continue;
		commander->last_fault_ms = faults[i].act(commander->lab, isp);
		commander->fault[isp] = faults[i].now;
	}
	return 0;
}

static int run_loss(struct lab_commander *commander, int argc, char *argv[], FILE *out)
{
	int isp = isp_argument(commander, argc, argv, out);
	double percent = argc > 2 ? atof(argv[2]) : -1;

	if (!isp || percent < 0 || percent > 100) {
		fputs("loss ISP PERCENT\n", out);
		return 2;
	}
	commander->last_fault_ms = lab_fault_loss(commander->lab, isp, percent);
	commander->fault[isp] = percent > 0 ? "loss" : "";
	return 0;
}

/* ---- what there is ---- */

static int run_status(struct lab_commander *commander, int argc, char *argv[], FILE *out)
{
	struct lab *lab = commander->lab;

	(void)argc;
	(void)argv;
	fprintf(out, "ISP  %-5s %-15s %-16s %9s %8s %6s  %s\n", "link", "address", "next hop", "packets",
		"flows", "wrong", "fault");
	for (int k = 1; k <= lab_isp_count(lab); k++)
		fprintf(out, "%3d  %-5s %-15s %-16s %9llu %8llu %6llu  %s\n", k, lab_wan_name(lab, k),
			lab_wan_address(lab, k, AF_INET), lab_wan_nexthop(lab, k, AF_INET),
			(unsigned long long)lab_isp_packets(lab, k),
			(unsigned long long)lab_isp_flows(lab, k),
			(unsigned long long)lab_wrong_source_count(lab, k), commander->fault[k]);
	if (lab_wrong_sources(lab))
		fprintf(out, "first wrong source: %s\n", lab_wrong_first(lab));
	fprintf(out,
		"hosts: host1..host%d (10.0.0.1h, fd00:10::1h); servers: 198.51.100.1-4, 203.0.113.1-4,\n"
		"2001:db8:aaaa::1-4, 2001:db8:bbbb::1-4, ports 7 53 80 443 5060 7000 9000\n",
		lab->spec.hosts);
	return 0;
}

static int run_where(struct lab_commander *commander, int argc, char *argv[], FILE *out)
{
	const struct lab_ns *ns = argc > 1 ? lab_place(commander->lab, argv[1]) : NULL;

	if (ns)
		fprintf(out, "%s\n", ns->path);
	else
		fputs("a place: router, internet, inside, wire, host1.., isp1..\n", out);
	return ns ? 0 : 2;
}

static int run_help(struct lab_commander *commander, int argc, char *argv[], FILE *out);

static const struct command commands[] = {
	{"status", "", "the links, what arrived at each ISP, wrong sources", run_status},
	{"client", "[OPTIONS] [TO]", "a burst of flows and how they were spread", run_client},
	{"ping", "[OPTIONS] [TO]", "ping a server (-n COUNT)", run_ping},
	{"start", "stream|upload|download|idle [OPTIONS] [TO]", "traffic that goes on", run_start},
	{"report", "", "how it stands", run_report},
	{"stop", "", "the same, and stop it", run_stop},
	{"blackhole", "ISP", "packets die at the ISP, next hop included", run_fault},
	{"cut", "ISP", "the next hop answers, nothing beyond does", run_fault},
	{"loss", "ISP PERCENT", "packets are lost at random", run_loss},
	{"repair", "ISP", "undo blackhole, cut and loss", run_fault},
	{"carrier-off", "ISP", "pull the cable", run_fault},
	{"carrier-on", "ISP", "and back", run_fault},
	{"down", "ISP", "`ip link set wan1 down` on the router", run_fault},
	{"up", "ISP", "and back", run_fault},
	{"delete", "ISP", "the router's interface ceases to exist", run_fault},
	{"recreate", "ISP", "and back", run_fault},
	{"renumber", "ISP", "the link gets a new address", run_fault},
	{"on", "PLACE COMMAND...", "run a command elsewhere: host1, isp2, internet, inside", NULL},
	{"where", "PLACE", "its namespace, for nsenter --net=", run_where},
	{"help", "", "this", run_help},
};

static int run_help(struct lab_commander *commander, int argc, char *argv[], FILE *out)
{
	(void)commander;
	(void)argc;
	(void)argv;
	for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		char left[64];

		snprintf(left, sizeof(left), "%s %s", commands[i].name, commands[i].arguments);
		fprintf(out, "  labsh %-53s %s\n", left, commands[i].help);
	}
	fputs("OPTIONS: -6 -u(dp) -n COUNT -c CLIENTS -f PLACE -p PORT -s SOURCE; TO: 198.51.100.1 if not "
	      "given\n",
	      out);
	return 0;
}

struct lab_commander *lab_command_open(struct lab *lab)
{
	struct lab_commander *commander = lab_alloc(1, sizeof(*commander));

	commander->lab = lab;
	for (int k = 0; k <= LAB_ISPS_MAX; k++)
		commander->fault[k] = "";
	return commander;
}

void lab_command_close(struct lab_commander *commander)
{
	for (int i = 0; i < commander->count; i++) {
		if (commander->running[i].stream)
			lab_stream_stop(commander->running[i].stream);
		else
			lab_transfer_stop(commander->running[i].transfer);
	}
	free(commander);
}

int lab_command_run(struct lab_commander *commander, int argc, char *argv[], FILE *out)
{
	for (unsigned i = 0; argc > 0 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, argv[0]) && commands[i].run)
			return commands[i].run(commander, argc, argv, out);
	fprintf(out, "%s: no such command; `labsh help` lists them\n", argc > 0 ? argv[0] : "labsh");
	return 2;
}
