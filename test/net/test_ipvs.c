// SPDX-License-Identifier: GPL-2.0-or-later
// The same arrivals and departures through ip_vs and through gwd: every real is given as many connections as there, at
// every moment, give or take one. Needs ip_vs in the kernel (Debian's stock kernel has it: test/vm/run-net) and ipvsadm.
//
// Both count a connection as active until it has been closed and as inactive for two minutes from then on
// (TIME_WAIT), which is longer than one scheduler's turn takes. What ip_vs calls inactive earlier, from the first
// FIN on, is not seen: the next event waits until both sides of a closed connection have said so.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "test/net/held.h"
#include "test/net/inbound.h"

enum { REALS = 3, EVENTS = 40, FIRST_PORT = 8001 };

static const char *const schedulers[] = {"rr", "wrr", "lc", "wlc", "sed", "nq", "fo"};
enum { SCHEDULERS = sizeof(schedulers) / sizeof(*schedulers) };

// What happened to the reals of one scheduler.
struct course {
	int live[EVENTS][REALS], total[EVENTS][REALS]; // after each event
};

struct run {
	struct inbound *in;
	int family;
	uint16_t port;
	struct lab_burst *held[EVENTS];
	int real[EVENTS]; // 0 .. REALS - 1
	int arrived, open;
	int now[REALS], ever[REALS];
	bool inside; // reading: below the service's line
	bool (*settled)(void *run);
};

static const char *vip(struct run *run)
{
	return lab_wan_address(run->in->net->lab, 1, run->family);
}

// As it is written before a port.
static const char *bracketed(char text[64], int family, const char *address)
{
	snprintf(text, 64, family == AF_INET ? "%s" : "[%s]", address);
	return text;
}

static void arrive(struct run *run)
{
	int before[REALS], i = run->arrived++;
	for (int r = 0; r < REALS; r++)
		before[r] = inbound_served(run->in, r + 1);
	run->held[i] = held_all(
		run->in->net->lab,
		&(struct lab_burst_spec){
			.flow = {.from = lab_internet(run->in->net->lab), .to = vip(run), .port = run->port},
			.count = 1,
			.timeout_ms = 10000});
	run->real[i] = -1;
	for (int r = 0; r < REALS; r++)
		if (inbound_served(run->in, r + 1) != before[r])
			run->real[i] = r;
	cr_assert_geq(run->real[i], 0);
	run->now[run->real[i]]++;
	run->ever[run->real[i]]++;
	run->open++;
}

// The oldest of this real's, or of the next that has any.
static void depart(struct run *run, int real)
{
	int which = 0;
	while (!run->now[real])
		real = (real + 1) % REALS;
	while (!run->held[which] || run->real[which] != real)
		which++;
	lab_burst_free(run->held[which]);
	run->held[which] = NULL;
	run->now[real]--;
	run->open--;
}

// The same for everybody: by the event's number and the same random numbers.
static void follow(struct run *run, struct course *course)
{
	unsigned seed = 7;
	for (int e = 0; e < EVENTS; e++) {
		int dice = rand_r(&seed), which = rand_r(&seed);
		if (run->open && dice % 3 == 0)
			depart(run, which % REALS);
		else
			arrive(run);
		cr_assert(lab_wait_until(run->settled, run, 20000), "event %d of port %d is not known yet", e,
			  run->port);
		memcpy(course->live[e], run->now, sizeof(run->now));
		memcpy(course->total[e], run->ever, sizeof(run->ever));
	}
	for (int i = 0; i < run->arrived; i++)
		if (run->held[i])
			lab_burst_free(run->held[i]);
}

// ---- ip_vs -------------------------------------------------------------------------------------

struct census {
	int live, closed;
};

// A file of /proc/net on the router, line by line.
static struct census router_census(struct run *run, const char *path,
				   void (*count)(struct run *run, const char *line, struct census *census))
{
	char line[512];
	struct census census = {0};
	int home = lab_ns_enter(lab_router(run->in->net->lab));
	FILE *f = fopen(path, "re");
	lab_ns_leave(home);
	cr_assert_not_null(f, "%s", path);
	run->inside = false;
	while (fgets(line, sizeof(line), f))
		count(run, line, &census);
	fclose(f);
	return census;
}

static bool as_many(struct run *run, struct census census)
{
	return census.live == run->open && census.closed == run->arrived - run->open;
}

// Active and inactive: "  -> 0A00000B:0050      Masq    3      ACTIVE INACTIVE" below the service's line; "[fd00:…]:0050" with
// IPv6.
static void ip_vs_line(struct run *run, const char *line, struct census *census)
{
	char key[16];
	int weight, active, idle;
	snprintf(key, sizeof(key), ":%04X ", run->port);
	if (!strncmp(line, "TCP", 3))
		run->inside = strstr(line, key) != NULL;
	if (!run->inside || sscanf(line, " -> %*s %*s %d %d %d", &weight, &active, &idle) != 3)
		return;
	census->live += active;
	census->closed += idle;
}

static bool ip_vs_settled(void *arg)
{
	return as_many(arg, router_census(arg, "/proc/thread-self/net/ip_vs", ip_vs_line));
}

// It puts what is added last in front.
static void ip_vs_publish(struct inbound *in, int family)
{
	char vip[64], real[64];
	bracketed(vip, family, lab_wan_address(in->net->lab, 1, family));
	for (int s = 0; s < SCHEDULERS; s++) {
		lab_do(lab_router(in->net->lab), "ipvsadm -A -t %s:%d -s %s", vip, FIRST_PORT + s,
		       schedulers[s]);
		for (int r = REALS; r >= 1; r--)
			lab_do(lab_router(in->net->lab), "ipvsadm -a -t %s:%d -r %s:80 -m -w %d", vip,
			       FIRST_PORT + s, bracketed(real, family, lab_host_address(family, r)),
			       REALS + 1 - r);
	}
}

static void through_ip_vs(struct course *courses, int family)
{
	struct inbound *in =
		inbound_lab(&(struct lab_spec){.isps = 1, .hosts = REALS, .routes = true}, REALS);
	ip_vs_publish(in, family);
	for (int s = 0; s < SCHEDULERS; s++) {
		struct run run = {.in = in,
				  .family = family,
				  .port = (uint16_t)(FIRST_PORT + s),
				  .settled = ip_vs_settled};
		follow(&run, &courses[s]);
	}
	lab_destroy(in->net->lab);
}

// ---- gwd ---------------------------------------------------------------------------------------

// The flowtable has a connection only while it is established, and hides its state.
static void conntrack_line(struct run *run, const char *line, struct census *census)
{
	char key[32];
	snprintf(key, sizeof(key), " dport=%u ", run->port);
	if (!strstr(line, key))
		return;
	census->live += strstr(line, "ESTABLISHED") || strstr(line, "[OFFLOAD]");
	census->closed += strstr(line, "TIME_WAIT") || strstr(line, " CLOSE ");
}

// Its loop has come round: it answers, if only that this is no request.
static void gwd_turn(struct run *run)
{
	char answer[256];
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", lab_path(run->in->net->lab, "gwd.sock"));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert(fd >= 0 && !connect(fd, (const struct sockaddr *)&to, sizeof(to)));
	cr_assert_eq(write(fd, "{}\n", 3), 3);
	cr_assert_gt(read(fd, answer, sizeof(answer)), 0);
	close(fd);
}

// Conntrack knows what is open. Then its events are waiting, and once gwd's loop has come round twice they have been
// read, and the slots put right.
static bool gwd_settled(void *arg)
{
	struct run *run = arg;
	if (!as_many(run, router_census(run, "/proc/thread-self/net/nf_conntrack", conntrack_line)))
		return false;
	for (int i = 0; i < 3; i++)
		gwd_turn(run);
	return true;
}

static void through_gwd(struct course *courses, int family)
{
	struct inbound *in =
		inbound_lab(&(struct lab_spec){.isps = 1, .hosts = REALS, .routes = true}, REALS);
	char text[4096] = "", vip[64];
	bracketed(vip, family, lab_wan_address(in->net->lab, 1, family));
	for (int s = 0; s < SCHEDULERS; s++) {
		size_t n = strlen(text);
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "service %s { listen = \"%s:%d\"  scheduler = %s  probes = none\n",
				      schedulers[s], vip, FIRST_PORT + s, schedulers[s]);
		for (int r = 1; r <= REALS; r++)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
					      "  real r%d { address = \"%s\"  port = 80  weight = %d }\n", r,
					      lab_host_address(family, r), REALS + 1 - r);
		snprintf(text + n, sizeof(text) - n, "}\n");
	}
	inbound_gwd(in, "%s", text);
	for (int s = 0; s < SCHEDULERS; s++) {
		struct run run = {.in = in,
				  .family = family,
				  .port = (uint16_t)(FIRST_PORT + s),
				  .settled = gwd_settled};
		follow(&run, &courses[s]);
	}
	inbound_finish(in);
}

// ---- both --------------------------------------------------------------------------------------

// Where live connections decide, they are compared, too.
static void compare(const char *scheduler, const struct course *theirs, const struct course *ours)
{
	bool counts = strcmp(scheduler, "rr") != 0 && strcmp(scheduler, "wrr") != 0;
	for (int e = 0; e < EVENTS; e++)
		for (int r = 0; r < REALS; r++) {
			cr_expect(abs(theirs->total[e][r] - ours->total[e][r]) <= 1,
				  "%s: until event %d real %d had %d, with ip_vs %d", scheduler, e, r + 1,
				  ours->total[e][r], theirs->total[e][r]);
			cr_expect(!counts || abs(theirs->live[e][r] - ours->live[e][r]) <= 1,
				  "%s: after event %d real %d has %d, with ip_vs %d", scheduler, e, r + 1,
				  ours->live[e][r], theirs->live[e][r]);
		}
}

static void with_ip_vs_and_gwd(int family)
{
	static struct course theirs[SCHEDULERS], ours[SCHEDULERS];
	if (access("/proc/net/ip_vs", F_OK))
		cr_skip("this kernel has no ip_vs");
	through_ip_vs(theirs, family);
	through_gwd(ours, family);
	for (int s = 0; s < SCHEDULERS; s++)
		compare(schedulers[s], &theirs[s], &ours[s]);
}

Test(ipvs, every_real_gets_as_many_connections_as_with_ip_vs)
{
	with_ip_vs_and_gwd(AF_INET);
}

Test(ipvs, also_over_ipv6)
{
	with_ip_vs_and_gwd(AF_INET6);
}
