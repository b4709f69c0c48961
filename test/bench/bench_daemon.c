// SPDX-License-Identifier: GPL-2.0-or-later
// daemon: what gwd itself takes: memory and processor time of an office that is idle, and while conntrack tells of as many
// flows a second as this machine can begin (one scheduler goes by counts, or nobody would listen). probing has the row
// of 1,000 probes a second.
//
// A router's links end in other machines. Here they end in veths, whose other end is served in the sender's own time: so for
// the idle office gwd is kept on one processor and all that arrives anywhere, at it too, is handed to the others
// (receive packet steering), as an interrupt would be. What it costs gwd to send and to be woken is counted. On a
// machine of one processor the other ends are in the figure.
//
// The flows are the lab's own, single datagrams that nobody answers; how many events there were is read from what
// gwd counted. Sender and daemon share the machine.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gwd/base/buf.h"
#include "gwd/base/vec.h"
#include "test/bench/bench.h"

#define LINKS 3
#define SERVICES 5
#define SETTLE_S 60 // until probes that may be put together are
#define IDLE_S 120
#define EVENTS_S 5

static const char *configure(struct lab *lab, bool counting)
{
	struct buf text = {0};
	buf_puts(&text, "lan { interfaces = { lan0 } }\ncontrol-group = \"\"\n");
	if (counting)
		buf_puts(&text, "probe never { fall = 100 timeout = 1s }\n");
	for (int k = 1; k <= LINKS; k++)
		buf_printf(&text, "gateway g%d { interface = wan%d address = %s address6 = none%s }\n", k, k,
			   lab_wan_nexthop(lab, k, AF_INET), counting ? " probes = never" : "");
	if (counting)
		buf_puts(&text, "balance default { scheduler = wlc persistence = off }\n");
	for (int s = 0; s < SERVICES && !counting; s++)
		buf_printf(&text,
			   "service s%d { listen = \"%s:%d\" forward = nat scheduler = rr\n"
			   "real r1 { address = %s port = 80 }\n real r2 { address = %s port = 80 }\n}\n",
			   s, lab_wan_address(lab, 1, AF_INET), 8000 + s, lab_host_address(AF_INET, 1),
			   lab_host_address(AF_INET, 2));
	const char *path = lab_file(lab, "gwd.conf", "%s", buf_text(&text));
	buf_free(&text);
	return path;
}

// What arrives in this place is served by all processors but the first.
static void serve_elsewhere(const struct lab_ns *ns, long processors)
{
	lab_do(ns,
	       "unshare -m sh -ec 'mount -t sysfs sys /sys\n"
	       "for queue in /sys/class/net/*/queues/rx-*/rps_cpus; do echo %x >$queue; done'",
	       (1u << (processors < 8 ? processors : 8)) - 2);
}

static bool keep_apart(struct lab *lab, struct lab_proc *gwd)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	if (processors < 2)
		return false;
	lab_do(lab_router(lab), "taskset -pc 0 %d", (int)lab_proc_pid(gwd));
	serve_elsewhere(lab_router(lab), processors);
	serve_elsewhere(lab_inside(lab), processors);
	for (int i = 1; i <= 2; i++)
		serve_elsewhere(lab_host(lab, i), processors);
	for (int k = 1; k <= LINKS; k++)
		serve_elsewhere(lab_isp(lab, k), processors);
	return true;
}

static long wakeups(pid_t pid)
{
	char path[64], line[256];
	long n = -1;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *file = fopen(path, "r");
	while (file && n < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "voluntary_ctxt_switches: %ld", &n);
	if (n < 0)
		bench_die("%s says nothing of switches", path);
	fclose(file);
	return n;
}

static void measure_idle(void)
{
	static const uint16_t ports[] = {80, 0};
	struct lab *lab = lab_create(&(struct lab_spec){.isps = LINKS, .routes = true});
	for (int i = 1; i <= 2; i++)
		lab_server_start(lab, lab_host(lab, i), ports);
	struct lab_proc *gwd = bench_gwd(lab, lab_router(lab), configure(lab, false));
	pid_t pid = lab_proc_pid(gwd);
	bool apart = keep_apart(lab, gwd);
	bench_sleep(SETTLE_S * 1000);
	int64_t began_us = lab_now_us();
	double cpu_ms = bench_cpu_ms(pid);
	long woken = wakeups(pid);
	bench_sleep(IDLE_S * 1000);
	cpu_ms = bench_cpu_ms(pid) - cpu_ms;
	woken = wakeups(pid) - woken;
	double took_us = (double)(lab_now_us() - began_us);
	bench_row("office, idle: %d links, %d services of 2 reals, shipped probes, %.0f wake-ups/s%s\t%.2f "
		  "%%\t\t%.1f\t< 0.1 %%, <= 10 MB",
		  LINKS, SERVICES, (double)woken * 1e6 / took_us, apart ? "" : ", with the other ends",
		  cpu_ms * 1e5 / took_us, bench_resident_mb(pid));
	lab_proc_stop(gwd);
	lab_destroy(lab);
}

struct telling {
	struct lab *lab;
	double until;
};

static bool all_told(void *arg)
{
	const struct telling *telling = arg;
	double flows[LINKS];
	return bench_live_flows(telling->lab, flows, LINKS) >= telling->until;
}

// Whether that many came: else the row has no figures.
static bool measure_events(int rate)
{
	double flows[LINKS];
	struct lab *lab = lab_create(&(struct lab_spec){.isps = LINKS});
	lab_do(lab_router(lab), "ip route add 10.128.0.0/9 via %s", lab_host_address(AF_INET, 1));
	struct lab_proc *gwd = bench_gwd(lab, lab_router(lab), configure(lab, true));
	bench_gateways_up(gwd, LINKS);
	for (int k = 1; k <= LINKS; k++)
		lab_fault_cut(lab, k);
	struct telling telling = {lab, bench_live_flows(lab, flows, LINKS) + 0.99 * rate * EVENTS_S};
	double cpu_ms = bench_cpu_ms(lab_proc_pid(gwd));
	double achieved = bench_send_flows(lab, rate, EVENTS_S, 0);
	if (!lab_wait_until(all_told, &telling, 10000))
		bench_die("not all of %d flows were counted", rate * EVENTS_S);
	cpu_ms = bench_cpu_ms(lab_proc_pid(gwd)) - cpu_ms;
	double event_us = cpu_ms * 1e3 / (rate * EVENTS_S);
	bool came = achieved >= 0.95 * rate;
	if (came)
		bench_row("%.0f new flows a second told by conntrack, wlc\t%.1f %%\t%.1f\t%.1f\t", achieved,
			  event_us * achieved / 1e4, event_us, bench_resident_mb(lab_proc_pid(gwd)));
	else
		bench_row("%d new flows a second told by conntrack\tfailed: %.0f came", rate, achieved);
	lab_proc_stop(gwd);
	lab_destroy(lab);
	return came;
}

int bench_daemon(int argc, char **argv)
{
	(void)argc, (void)argv;
	bench_row("WHAT\tOF A CORE\tus AN EVENT\tRESIDENT MB\tTARGET");
	measure_idle();
	static const int rates[] = {1000, 10000, 30000};
	bool whole = true;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		whole &= measure_events(rates[i]);
	return whole ? 0 : 1;
}
