// SPDX-License-Identifier: GPL-2.0-or-later
// detection: how soon a dead link is noticed, and a repaired one used again, with shipped defaults: lsm,
// keepalived (checking a real behind the link) and gwd. Eight links die one after the other, each in its own
// phase of its probing; a ninth lives on. A blackholed link keeps its carrier.
//   detection SUBJECT...      prints the row of each; the script runs several of them at a time
//
// When gwd noticed is what `gwctl events` says: the time when the change was in force in the kernel. The
// peers' is when they ran their script. Under gwd clients' connections show that it is true.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/vec.h"
#include "test/bench/bench.h"
#include "test/bench/news.h"

#define DYING 8
#define LINKS (DYING + 1)
#define CLIENTS 180
#define WAIT_MS 180000
#define APART_MS 530
#define CARRIERS_APART_MS 1130 // the kernel tells of lost carriers once a second

struct subject;

struct seconds {
	VEC(double) v;
};

struct run {
	struct lab *lab;
	const struct lab_ns *router;
	const struct subject *subject;
	struct lab_proc *daemon;
	struct news news;
	struct seconds down, up;
};

struct subject {
	const char *word, *name, *target;
	int rounds;
	const char *config;
	void (*start)(struct run *run);
	int64_t (*kill)(struct lab *lab, int isp);
	int64_t (*repair)(struct lab *lab, int isp);
	bool routes;  // what it says is in force in the kernel: clients must see it
	bool clients; // they try to connect all the time
};

// ---- who is measured ---------------------------------------------------------------------------

static void start_gwd(struct run *run)
{
	char text[4096] = "";
	size_t n = 0;
	for (int k = 1; k <= LINKS; k++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "gateway g%d { interface = wan%d address = %s address6 = none }\n", k,
				      k, lab_wan_nexthop(run->lab, k, AF_INET));
	run->daemon = bench_gwd(run->lab, run->router,
				lab_file(run->lab, "gwd.conf",
					 "lan { interfaces = { lan0 } }\ncontrol-group = \"\"\n%s\n%s",
					 run->subject->config, text));
}

static void start_lsm(struct run *run)
{
	run->daemon = bench_lsm(run->lab, LINKS, news_recorder(&run->news));
}

// Each real is reached by another link. A real's first state is up, and not told.
static void start_keepalived(struct run *run)
{
	struct buf text = {0};
	const char *script = news_recorder(&run->news);
	buf_puts(&text, "global_defs {\nscript_user root\n}\n"
			"virtual_server 10.0.0.1 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n");
	for (int k = 1; k <= DYING; k++) {
		lab_do(run->router, "ip route replace %s via %s", lab_server_address(AF_INET, k),
		       lab_wan_nexthop(run->lab, k, AF_INET));
		buf_printf(&text,
			   "real_server %s 80 {\nnotify_down \"%s down g%d\"\nnotify_up \"%s up g%d\"\n"
			   "TCP_CHECK {\n}\n}\n",
			   lab_server_address(AF_INET, k), script, k, script, k);
	}
	buf_puts(&text, "}\n");
	run->daemon = bench_keepalived(run->lab, buf_text(&text), DYING);
	buf_free(&text);
}

static const struct subject subjects[] = {
	{"defaults", "gwd, shipped defaults", "down <= 1.5 s, up <= 10 s", 2, "", start_gwd,
	 lab_fault_blackhole, lab_fault_repair, true, false},
	{"fast", "gwd, interval = fast = 100ms", "down <= 0.5 s", 2,
	 "probe next-hop { interval = 100ms fast = 100ms }", start_gwd, lab_fault_blackhole, lab_fault_repair,
	 true, false},
	{"carrier", "gwd, carrier lost", "down <= 0.05 s", 2, "", start_gwd, lab_fault_carrier_off,
	 lab_fault_carrier_on, true, false},
	{"clients", "gwd, interval = 30s, clients connect", "", 1, "probe next-hop { interval = 30s }",
	 start_gwd, lab_fault_blackhole, lab_fault_repair, true, true},
	{"lsm", "lsm", "", 1, NULL, start_lsm, lab_fault_blackhole, lab_fault_repair, false, false},
	{"keepalived", "keepalived, a real behind the link", "", 1, NULL, start_keepalived,
	 lab_fault_blackhole, lab_fault_repair, false, false},
};

// ---- what they told ----------------------------------------------------------------------------

struct hearing {
	struct run *run;
	const char *state;
	int64_t since_ms;
	size_t links;
	int64_t when_ms[LINKS + 1];
};

static bool all_heard(void *arg)
{
	struct hearing *hearing = arg;
	return news_heard(&hearing->run->news, hearing->state, hearing->since_ms, hearing->when_ms, LINKS) >=
	       hearing->links;
}

static void wait_for(struct hearing *hearing)
{
	if (!lab_wait_until(all_heard, hearing, WAIT_MS))
		bench_die("%s: not every link is %s in time: %s", hearing->run->subject->name, hearing->state,
			  lab_proc_output(hearing->run->daemon));
}

// ---- what clients see --------------------------------------------------------------------------

// From a host of its own: clients are pinned to the gateway that they had.
static struct lab_tally connect_all(struct run *run, int host)
{
	return lab_burst_run(run->lab,
			     &(struct lab_burst_spec){.flow = {.from = lab_host(run->lab, host),
							       .to = lab_server_address(AF_INET, 1)},
						      .count = CLIENTS,
						      .clients = CLIENTS});
}

static void check_clients(struct run *run, bool dead)
{
	if (!run->subject->routes)
		return;
	struct lab_tally tally = connect_all(run, dead ? 1 : 2);
	for (int k = 1; k <= DYING; k++)
		if (tally.answered != CLIENTS || !tally.isp[k] != dead)
			bench_die("%s: %d of %d connections answered, %d by link %d which is %s",
				  run->subject->name, tally.answered, CLIENTS, tally.isp[k], k,
				  dead ? "dead" : "up");
}

// ---- a round -----------------------------------------------------------------------------------

// Some connections are tried over each link; those over the dead one wait.
static struct lab_burst *try_to_connect(struct run *run)
{
	return lab_burst_start(run->lab,
			       &(struct lab_burst_spec){.flow = {.from = lab_host(run->lab, 1),
								 .to = lab_server_address(AF_INET, 1)},
							.count = CLIENTS,
							.clients = CLIENTS,
							.at_once = CLIENTS,
							.timeout_ms = 20000});
}

// Seconds from each link's fault or repair to its news.
static void measure(struct run *run, int64_t (*act)(struct lab *lab, int isp), const char *state,
		    bool clients, struct seconds *out)
{
	int64_t acted_ms[LINKS + 1];
	int apart_ms = run->subject->kill == lab_fault_carrier_off ? CARRIERS_APART_MS : APART_MS;
	struct lab_burst *burst[LINKS + 1] = {0};
	for (int k = 1; k <= DYING; k++) {
		acted_ms[k] = act(run->lab, k);
		burst[k] = clients ? try_to_connect(run) : NULL;
		bench_sleep(apart_ms);
	}
	struct hearing hearing = {.run = run, .state = state, .since_ms = acted_ms[1], .links = DYING};
	wait_for(&hearing);
	for (int k = 1; k <= DYING; k++) {
		vec_push(&out->v, (double)(hearing.when_ms[k] - acted_ms[k]) / 1000);
		if (!burst[k])
			continue;
		lab_burst_wait(burst[k]);
		lab_burst_free(burst[k]);
	}
}

static void go_round(struct run *run, int turn)
{
	struct hearing begun = {.run = run, .state = "up", .links = LINKS};
	run->subject->start(run);
	if (run->subject->start != start_keepalived)
		wait_for(&begun);
	bench_sleep(2000 + 370 * turn);
	measure(run, run->subject->kill, "down", run->subject->clients, &run->down);
	check_clients(run, true);
	bench_sleep(3000);
	measure(run, run->subject->repair, "up", false, &run->up);
	check_clients(run, false);
	if (run->subject->routes)
		bench_gwctl(run->lab, run->router, NULL, "flush");
	lab_proc_stop(run->daemon);
}

static void bench_subject(const struct subject *subject)
{
	struct run run = {.subject = subject};
	run.lab = lab_create(&(struct lab_spec){.isps = LINKS, .routes = true});
	run.router = lab_router(run.lab);
	news_open(&run.news, run.lab, subject->routes);
	for (int i = 0; i < subject->rounds; i++)
		go_round(&run, i);
	double down = bench_median(run.down.v.v, run.down.v.n), up = bench_median(run.up.v.v, run.up.v.n);
	bench_row("%s\t%zu\t%.2f\t%.2f\t%.2f\t%.2f\t%s", subject->name, run.down.v.n, down,
		  run.down.v.v[run.down.v.n - 1], up, run.up.v.v[run.up.v.n - 1], subject->target);
	vec_free(&run.down.v);
	vec_free(&run.up.v);
	lab_destroy(run.lab);
}

int bench_detection(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t n = 0;
		while (n < ARRAY_SIZE(subjects) && strcmp(argv[i], subjects[n].word) != 0)
			n++;
		if (n == ARRAY_SIZE(subjects))
			bench_die("detection: whom? There is no %s", argv[i]);
		bench_subject(&subjects[n]);
	}
	return 0;
}
