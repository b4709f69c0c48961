// SPDX-License-Identifier: GPL-2.0-or-later
// daemon: what gwd itself takes: memory and processor time of an office that is idle, and while conntrack tells of as many
// flows a second as this machine can begin (one scheduler goes by counts, or nobody would listen). probing has the row
// of 1,000 probes a second.
//
// The flows are the lab's own, single datagrams that nobody answers; how many events there were is read from what
// gwd counted. Sender and daemon share the machine.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/vec.h"
#include "test/bench/bench.h"

#define LINKS 3
#define SERVICES 5
#define IDLE_S 30
#define EVENTS_S 3

static bool never(void *arg)
{
	(void)arg;
	return false;
}

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

static void measure_idle(void)
{
	static const uint16_t ports[] = {80, 0};
	struct lab *lab = lab_create(&(struct lab_spec){.isps = LINKS, .routes = true});
	for (int i = 1; i <= 2; i++)
		lab_server_start(lab, lab_host(lab, i), ports);
	struct lab_proc *gwd = bench_gwd(lab, lab_router(lab), configure(lab, false));
	lab_wait_until(never, NULL, 5000);
	int64_t began_us = lab_now_us();
	double cpu_ms = bench_cpu_ms(lab_proc_pid(gwd));
	lab_wait_until(never, NULL, IDLE_S * 1000);
	cpu_ms = bench_cpu_ms(lab_proc_pid(gwd)) - cpu_ms;
	bench_row("office, idle: %d links, %d services of 2 reals, shipped probes\t%.2f %%\t\t%.1f\t< 0.1 "
		  "%%, <= 10 MB",
		  LINKS, SERVICES, cpu_ms * 1e5 / (double)(lab_now_us() - began_us),
		  bench_resident_mb(lab_proc_pid(gwd)));
	lab_proc_stop(gwd);
	lab_destroy(lab);
}

// Sends the first packet of so many flows, evenly.
static void send_flows(struct lab *lab, int rate)
{
	lab_do(lab_host(lab, 1),
	       "python3 - <<'END'\n"
	       "import os, socket, struct, time\n"
	       "rate, n = %d, %d\n"
	       "s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)\n"
	       "dst = socket.inet_aton('198.51.100.1')\n"
	       "udp = struct.pack('!HHHH', 40000, 9, 8, 0)\n"
	       "began = time.monotonic()\n"
	       "child = os.fork()\n" // one process alone does not reach 30,000/s
	       "for i in range(1 if child else 0, n, 2):\n"
	       "    src = struct.pack('!I', 0x0a800000 + i)\n"
	       "    s.sendto(struct.pack('!BBHHHBBH', 0x45, 0, 28, 0, 0, 64, 17, 0) + src + dst + udp,\n"
	       "             ('198.51.100.1', 0))\n"
	       "    ahead = began + (i + 1) / rate - time.monotonic()\n"
	       "    if ahead > 0.0005: time.sleep(ahead)\n"
	       "if child: os.wait()\n"
	       "END",
	       rate, rate * EVENTS_S);
}

static double live_flows(struct lab *lab)
{
	char *output = NULL;
	double sum = 0;
	bench_gwctl(lab, lab_router(lab), &output, "-j status");
	for (const char *at = output; (at = strstr(at, "\"flows\":")); at++)
		sum += atof(at + strlen("\"flows\":"));
	free(output);
	return sum;
}

static void measure_events(int rate)
{
	struct lab *lab = lab_create(&(struct lab_spec){.isps = LINKS});
	lab_do(lab_router(lab), "ip route add 10.128.0.0/9 via %s", lab_host_address(AF_INET, 1));
	struct lab_proc *gwd = bench_gwd(lab, lab_router(lab), configure(lab, true));
	lab_wait_until(never, NULL, 2000);
	for (int k = 1; k <= LINKS; k++)
		lab_fault_cut(lab, k);
	double before = live_flows(lab), cpu_ms = bench_cpu_ms(lab_proc_pid(gwd));
	int64_t began_us = lab_now_us();
	send_flows(lab, rate);
	double took_s = (double)(lab_now_us() - began_us) / 1e6;
	cpu_ms = bench_cpu_ms(lab_proc_pid(gwd)) - cpu_ms;
	double events = live_flows(lab) - before;
	if (events < 0.95 * rate * EVENTS_S)
		bench_die("only %.0f of %d flows were counted", events, rate * EVENTS_S);
	bench_row("%.0f new flows a second told by conntrack, wlc\t%.1f %%\t%.1f\t%.1f\t", events / took_s,
		  cpu_ms / took_s / 10, cpu_ms * 1e3 / events, bench_resident_mb(lab_proc_pid(gwd)));
	lab_proc_stop(gwd);
	lab_destroy(lab);
}

int bench_daemon(int argc, char **argv)
{
	(void)argc, (void)argv;
	bench_row("WHAT\tOF A CORE\tus AN EVENT\tRESIDENT MB\tTARGET");
	measure_idle();
	measure_events(1000);
	measure_events(30000);
	return 0;
}
