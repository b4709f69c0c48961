/*
 * demo: gwd's main job, shown as it happens (`make demo`).
 *
 * A network of namespaces with three ISPs is built inside this process, gwd runs on its router, clients on
 * the LAN use it, a link dies and comes back. Every figure that is printed was measured in this run. On a
 * terminal it ends at a prompt on the router.
 */
#include "test/lab/lab.h"
#include "test/lab/lab_prompt.h"
#include "test/lab/lab_transfer.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char config[] =
	"lan { interfaces = { lan0 } }\n"
	"gateway fiber { interface = wan1  weight = 3  address = 100.64.1.1  address6 = 2001:db8:1::1 }\n"
	"gateway dsl   { interface = wan2  weight = 2  address = 100.64.2.1  address6 = 2001:db8:2::1 }\n"
	"gateway lte   { interface = wan3  weight = 1  address = 100.64.3.1  address6 = 2001:db8:3::1 }\n"
	"control-group = \"\"\n";

static const char *const isp_names[] = {"?", "fiber", "dsl", "lte"};

struct demo {
	struct lab *lab;
	struct lab_proc *gwd;
	const char *build;
	bool color;
};

static void say(const struct demo *demo, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct demo *demo, const char *format, ...)
{
	va_list ap;

	fputs(demo->color ? "\n\033[1m" : "\n", stdout);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	puts(demo->color ? "\033[0m" : "");
	fflush(stdout);
}

/* ---- gwd and gwctl ---- */

static bool start_gwd(struct demo *demo)
{
	char program[512];
	const char *file = lab_file(demo->lab, "gwd.conf", "%s", config);

	snprintf(program, sizeof(program), "%s/gwd", demo->build);
	demo->gwd = lab_proc_start(
		demo->lab, lab_router(demo->lab),
		(const char *[]){program, "-c", file, "-s", lab_path(demo->lab, "gwd.sock"), NULL});
	if (lab_proc_wait_output(demo->gwd, "is ready", 10000))
		return true;
	fprintf(stderr, "gwd did not start:\n%s", lab_proc_output(demo->gwd));
	return false;
}

static char *gwctl(struct demo *demo, const char *arguments)
{
	char *output = NULL;

	lab_run(lab_router(demo->lab), &output, "%s/gwctl -s %s %s", demo->build,
		lab_path(demo->lab, "gwd.sock"), arguments);
	return output;
}

static void show_status(struct demo *demo)
{
	char *status = gwctl(demo, "status");

	printf("$ gwctl status\n%s", status);
	free(status);
	fflush(stdout);
}

/* ---- waiting for a state of the link fiber ---- */

struct awaited {
	struct demo *demo;
	const char *state;
};

/* Of both families: a gateway is up as soon as one of them is. */
static bool fiber_is(void *arg)
{
	struct awaited *awaited = arg;
	char *json = gwctl(awaited->demo, "-j status");
	json_t *root = json_loads(json, 0, NULL),
	       *fiber = json_array_get(json_object_get(root, "gateways"), 0);
	bool is = root != NULL;

	for (int i = 0; i < 2; i++) {
		json_t *family = json_object_get(fiber, i ? "ipv6" : "ipv4");
		const char *state = json_string_value(json_object_get(family, "state"));
		is = is && state && !strcmp(state, awaited->state);
	}
	json_decref(root);
	free(json);
	return is;
}

static int64_t await_fiber(struct demo *demo, const char *state, int64_t since_ms)
{
	struct awaited awaited = {demo, state};

	if (!lab_wait_until(fiber_is, &awaited, 30000)) {
		char *status = gwctl(demo, "status");
		fprintf(stderr, "fiber did not become %s:\n%s%s", state, status, lab_proc_output(demo->gwd));
		exit(1);
	}
	return lab_now_ms() - since_ms;
}

/* ---- traffic ---- */

static void show_spread(struct demo *demo, int family, int flows, int clients)
{
	struct lab_tally tally = lab_burst_run(
		demo->lab, &(struct lab_burst_spec){.flow = {.from = lab_host(demo->lab, 1),
							     .to = lab_server_address(family, 1)},
						    .count = flows,
						    .clients = clients});

	printf("  %s: %d connections of %d clients, %d answered, %d clients on more than one link\n",
	       family == AF_INET ? "IPv4" : "IPv6", flows, clients, tally.answered, tally.split_clients);
	for (int isp = 1; isp <= 3; isp++) {
		printf("    %-6s %4d  ", isp_names[isp], tally.isp[isp]);
		for (int i = 0; i < tally.isp[isp] * 40 / flows; i++)
			fputs("#", stdout);
		puts("");
	}
	fflush(stdout);
}

static struct lab_stream *stream_on(struct demo *demo, int isp)
{
	return lab_stream_start_on(
		demo->lab,
		&(struct lab_stream_spec){.flow = {.from = lab_host(demo->lab, 1), .to = "198.51.100.2"}},
		isp);
}

static struct lab_transfer *transfer_on(struct demo *demo, enum lab_transfer_kind kind, int isp)
{
	for (int client = 0; client < 200; client++) {
		char source[64];
		struct lab_transfer *transfer;

		lab_client_address(AF_INET, 2, client, source);
		transfer = lab_transfer_start(
			demo->lab, &(struct lab_transfer_spec){.flow = {.from = lab_host(demo->lab, 2),
									.to = "198.51.100.3",
									.source = source},
							       .kind = kind});
		if (lab_transfer_wait_running(transfer, 3000) && lab_transfer_peek(transfer).isp == isp)
			return transfer;
		lab_transfer_stop(transfer);
	}
	fprintf(stderr, "no connection came to %s\n", isp_names[isp]);
	exit(1);
}

static void show_stream(const char *what, struct lab_stream *stream)
{
	char text[256];
	struct lab_stream_report report = lab_stream_stop(stream);

	lab_stream_text(&report, text);
	printf("  %-34s %s\n", what, text);
}

static void show_transfer(const char *what, struct lab_transfer *transfer, int64_t dead_ms)
{
	struct lab_transfer_report report;

	lab_transfer_wait_end(transfer, 3000);
	report = lab_transfer_stop(transfer);
	if (report.end == LAB_END_RUNNING)
		printf("  %-34s still hangs\n", what);
	else
		printf("  %-34s %s, %lld ms after the link died\n", what, lab_transfer_end_name(report.end),
		       (long long)(report.ended_ms - dead_ms));
}

/* ---- the story ---- */

static void show_death(struct demo *demo)
{
	struct lab_stream *on_dead = stream_on(demo, 1), *on_dsl = stream_on(demo, 2),
			  *on_lte = stream_on(demo, 3);
	struct lab_transfer *upload = transfer_on(demo, LAB_UPLOAD, 1),
			    *idle = transfer_on(demo, LAB_IDLE, 1);
	int64_t dead_ms, noticed_ms;

	say(demo, "3. fiber dies silently: its link stays up, every packet on it is lost.");
	dead_ms = lab_fault_blackhole(demo->lab, 1);
	noticed_ms = await_fiber(demo, "down", dead_ms);
	printf("  noticed, and in force in the kernel, after %lld ms (default probe: one ping a second)\n",
	       (long long)noticed_ms);
	lab_stream_wait_answer(on_dead, 2000);
	show_transfer("TCP upload on fiber:", upload, dead_ms);
	show_transfer("idle TCP connection on fiber:", idle, dead_ms);
	show_stream("UDP 1 kHz on fiber, same ports:", on_dead);
	show_stream("UDP 1 kHz on dsl:", on_dsl);
	show_stream("UDP 1 kHz on lte:", on_lte);
	say(demo, "   New connections use what is left, 2:1.");
	show_spread(demo, AF_INET, 300, 100);
	puts("");
	show_status(demo);
}

static int show(struct demo *demo)
{
	say(demo,
	    "1. An office: a LAN, a router with gwd, three ISPs, the internet. All of gwd's configuration:");
	printf("%s\n", config);
	if (!start_gwd(demo))
		return 1;
	await_fiber(demo, "up", lab_now_ms());
	show_status(demo);
	say(demo, "2. The LAN opens connections: spread 3:2:1, and every client keeps its link.");
	show_spread(demo, AF_INET, 600, 300);
	show_spread(demo, AF_INET6, 600, 300);
	show_death(demo);
	say(demo, "4. fiber is repaired.");
	printf("  in use again after %lld ms (it must answer for 5 s first, so that a flapping link is not "
	       "trusted)\n",
	       (long long)await_fiber(demo, "up", lab_fault_repair(demo->lab, 1)));
	show_spread(demo, AF_INET, 600, 300);
	say(demo, "5. On all three links: %llu packets with a wrong source address left the router.",
	    (unsigned long long)lab_wrong_sources(demo->lab));
	return lab_wrong_sources(demo->lab) ? 1 : 0;
}

static void prompt(struct demo *demo)
{
	char path[2048];

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return;
	say(demo, "You are on the router now. Try: gwctl status, labsh blackhole 2, labsh client -n 600, "
		  "labsh help.");
	snprintf(path, sizeof(path), "%s:%s", demo->build, getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
	setenv("PATH", path, 1);
	setenv("GWD_SOCKET", lab_path(demo->lab, "gwd.sock"), 1);
	lab_prompt(demo->lab, NULL);
}

int main(int argc, char *argv[])
{
	struct demo demo = {.color = isatty(STDOUT_FILENO)};
	char *slash = realpath("/proc/self/exe", NULL);
	int status;

	(void)argc, (void)argv;
	*strrchr(slash, '/') = 0; /* gwd and gwctl lie beside this program */
	demo.build = slash;
	if (lab_missing()) {
		fprintf(stderr, "demo: no network can be built here: %s\n", lab_missing());
		return 1;
	}
	demo.lab = lab_create(&(struct lab_spec){.isps = 3});
	status = show(&demo);
	if (!status)
		prompt(&demo);
	if (demo.gwd)
		lab_proc_stop(demo.gwd);
	lab_destroy(demo.lab);
	free(slash);
	return status;
}
