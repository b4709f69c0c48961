// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/net/twins.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"

#define EXAMPLE "conf/examples/two-routers"

static const uint16_t twins_ports[] = {80, 7000, 0}; // of the reals

// ---- wires ---------------------------------------------------------------------------------

// The lab's wires go from one router to one ISP: this puts a bridge in between, at which both routers hang.
static void twins_wire_isp(struct twins *t, int k)
{
	struct lab_ns *isp = lab_isp(t->lab, k), *wire = lab_place(t->lab, "wire");
	lab_do(t->twin[0].ns, "ip link del wan%d", k);
	lab_do(wire,
	       "ip link add w%d type bridge mcast_snooping 0 && ip link set w%d up &&"
	       "ip link add i%d type veth peer name cust0 address 02:00:00:00:%02x:01 netns %s &&"
	       "ip link set i%d master w%d up",
	       k, k, k, k, isp->path, k, k);
	for (int r = 0; r < 2; r++)
		lab_do(wire,
		       "ip link add %c%d type veth peer name wan%d netns %s && ip link set %c%d master w%d "
		       "up",
		       'a' + r, k, k, t->twin[r].ns->path, 'a' + r, k, k);
	lab_do(isp,
	       "ip link set cust0 up && ip addr add 100.64.%d.1/24 dev cust0 &&"
	       "ip addr add 2001:db8:%d::1/64 dev cust0 nodad && ip addr add fe80::%d/64 dev cust0 nodad",
	       k, k, k);
}

static void twins_wire(struct twins *t)
{
	lab_do(lab_place(t->lab, "wire"),
	       "ip link add twin-lan type veth peer name lan0 netns %s && ip link set twin-lan master lan up",
	       t->b.path);
	lab_do(t->twin[0].ns, "ip link add sync0 type veth peer name sync0 netns %s", t->b.path);
	for (int k = 1; k <= 2; k++)
		twins_wire_isp(t, k);
}

// Its own addresses, as the head of the example's gwd.conf has them.
static void twins_number(struct twins *t, int r)
{
	struct lab_ns *ns = t->twin[r].ns;
	lab_do(ns,
	       "ip addr flush dev lan0 scope global; ip link set lo up && ip link set lan0 up && ip link set "
	       "sync0 up &&"
	       "ip addr add 10.0.0.%d/24 dev lan0 && ip addr add fd00:10::%d/64 dev lan0 nodad &&"
	       "ip addr add 192.168.255.%d/24 dev sync0",
	       2 + r, 2 + r, 1 + r);
	for (int k = 1; k <= 2; k++) {
		char owned[64];
		lab_do(ns,
		       "ip link set wan%d up && ip addr add 100.64.%d.%d/24 dev wan%d &&"
		       "ip addr add 2001:db8:%d::%d/64 dev wan%d nodad",
		       k, k, 3 + r, k, k, 3 + r, k);
		snprintf(owned, sizeof(owned), "100.64.%d.%d/32", k, 3 + r);
		lab_wan_owns(t->lab, k, owned);
		snprintf(owned, sizeof(owned), "2001:db8:%d::%d/128", k, 3 + r);
		lab_wan_owns(t->lab, k, owned);
	}
}

static void twins_new_place(struct lab_ns *ns)
{
	static const char *const one[] = {"ipv4/ip_forward", "ipv6/conf/all/forwarding",
					  "ipv6/conf/default/forwarding"};
	static const char *const zero[] = {"ipv4/conf/all/rp_filter",
					   "ipv4/conf/default/rp_filter",
					   "ipv6/conf/all/accept_dad",
					   "ipv6/conf/default/accept_dad",
					   "ipv4/icmp_ratelimit",
					   "ipv6/icmp/ratelimit",
					   "ipv6/conf/all/router_solicitations"};
	lab_ns_create(ns, "router-b");
	for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++)
		lab_ns_sysctl(ns, one[i], "1");
	for (size_t i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
		lab_ns_sysctl(ns, zero[i], "0");
}

// ---- programs ------------------------------------------------------------------------------

// In a mount namespace that has the example in /etc, and a /run of its own that it shares with the router's others.
static struct lab_proc *twins_run(struct twins *t, int r, const char *command)
{
	const char *dir = lab_dir(t->lab);
	char script[2048];
	snprintf(script, sizeof(script),
		 "mkdir -p %s/run-%c && mount --bind %s/run-%c /run && mount --bind %s/etc-%c "
		 "/etc/keepalived &&"
		 "mount --bind %s/etc-%c /etc/conntrackd && exec %s",
		 dir, 'a' + r, dir, 'a' + r, dir, 'a' + r, dir, 'a' + r, command);
	return lab_proc_start(t->lab, t->twin[r].ns,
			      (const char *const[]){"unshare", "-m", "sh", "-c", script, NULL});
}

// On b the two addresses of conntrackd's link change places.
static void twins_files(struct twins *t, int r)
{
	lab_do(lab_internet(t->lab), "mkdir -m 755 -p %s/etc-%c && cp -p %s/* %s/etc-%c/ && chmod 755 %s",
	       lab_dir(t->lab), 'a' + r, EXAMPLE, lab_dir(t->lab), 'a' + r, lab_dir(t->lab));
	if (r == 1)
		lab_do(lab_internet(t->lab),
		       "sed -i '/_[Aa]ddress 192/ { s/255\\.1$/255.x/; s/255\\.2$/255.1/; s/255\\.x$/255.2/ "
		       "}' "
		       "%s/etc-b/conntrackd.conf",
		       lab_dir(t->lab));
}

static void twins_gwd(struct twins *t, int r)
{
	struct twin *twin = &t->twin[r];
	char program[512];
	snprintf(program, sizeof(program), "%s/gwd", net_build());
	twin->gwd = lab_proc_start(
		t->lab, twin->ns,
		(const char *const[]){program, "-c", EXAMPLE "/gwd.conf", "-s", twin->socket, NULL});
	cr_assert(lab_proc_wait_output(twin->gwd, "is ready", 20000), "%s", lab_proc_output(twin->gwd));
}

void twins_enlist(struct twins *t, int which)
{
	char command[64];
	snprintf(command, sizeof(command), "keepalived -P -n -l -D -i %c", 'a' + which);
	t->twin[which].keepalived = twins_run(t, which, command);
	cr_assert(lab_proc_wait_output(t->twin[which].keepalived, "BACKUP STATE", 20000), "%s",
		  lab_proc_output(t->twin[which].keepalived));
}

void twins_retire(struct twins *t, int which)
{
	lab_proc_stop(t->twin[which].keepalived);
	t->twin[which].keepalived = NULL;
}

static void twins_kill(struct lab_proc *proc)
{
	if (!proc)
		return;
	kill(-lab_proc_pid(proc), SIGKILL);
	lab_proc_stop(proc);
}

void twins_die(struct twins *t, int which)
{
	static const char *const links[] = {"wan1", "wan2", "sync0", "lan0"};
	struct twin *twin = &t->twin[which];
	twins_kill(twin->keepalived); // first: it shall not say that it goes
	for (size_t i = 0; i < 4; i++)
		lab_ns_link_set(twin->ns, links[i], false);
	twins_kill(twin->conntrackd);
	twins_kill(twin->gwd);
	twin->keepalived = twin->conntrackd = twin->gwd = NULL;
	twin->dead = true;
}

// ---- looking -------------------------------------------------------------------------------

struct twins_wait {
	struct twins *t;
	int which;
};

static bool twins_is_master(void *arg)
{
	const struct twins_wait *wait = arg;
	return lab_run(wait->t->twin[wait->which].ns, NULL,
		       "ip addr show dev lan0 | grep -q 'inet 10.0.0.1/' && ! nft list table inet "
		       "gwd-standby") == 0;
}

void twins_wait_master(struct twins *t, int which)
{
	struct twins_wait wait = {t, which};
	cr_assert(lab_wait_until(twins_is_master, &wait, 30000), "%c does not take over:\n%s", 'a' + which,
		  lab_proc_output(t->twin[which].keepalived));
}

int twins_gwctl(struct twins *t, int which, char **output, const char *command)
{
	return lab_run(t->twin[which].ns, output, "%s/gwctl -s %s %s", net_build(), t->twin[which].socket,
		       command);
}

char *twins_connections(struct twins *t, int which)
{
	char *text = NULL;
	lab_run(t->twin[which].ns, &text,
		"{ conntrack -L -f ipv4 -o extended; conntrack -L -f ipv6 -o extended; } 2>/dev/null |"
		"grep -E 'ESTABLISHED|OFFLOAD|udp' | grep -v UNREPLIED | grep -v 192.168.255 |"
		"sed -E 's/(6|17) +([0-9]+ )?(ESTABLISHED )?src/src/; s/\\[(ASSURED|OFFLOAD)\\] //g; s/ "
		"use=.*//' | sort");
	return text;
}

static bool twins_all_up(void *arg)
{
	const struct twins_wait *wait = arg;
	char *text = NULL;
	twins_gwctl(wait->t, wait->which, &text, "-j status");
	bool up = strstr(text, "\"up\"") && !strstr(text, "\"down\"") && !strstr(text, "\"unknown\"");
	free(text);
	return up;
}

// ---- beginning and end ---------------------------------------------------------------------

static struct twins *twins_lab(void)
{
	struct twins *t = xcalloc(1, sizeof(*t));
	t->net = net_lab(&(struct lab_spec){.isps = 2, .hosts = 3});
	t->lab = t->net->lab;
	if (lab_run(lab_router(t->lab), NULL, "command -v keepalived && command -v conntrackd"))
		cr_skip("no keepalived or no conntrackd here");
	twins_new_place(&t->b);
	t->twin[0] = (struct twin){.ns = lab_router(t->lab), .socket = lab_path(t->lab, "a.sock")};
	t->twin[1] = (struct twin){.ns = &t->b, .socket = lab_path(t->lab, "b.sock")};
	twins_wire(t);
	for (int h = 1; h <= 2; h++)
		lab_server_start(t->lab, lab_host(t->lab, h), twins_ports);
	return t;
}

struct twins *twins_start(void)
{
	struct twins *t = twins_lab();
	for (int r = 0; r < 2; r++) {
		twins_number(t, r);
		twins_files(t, r);
		twins_gwd(t, r);
		t->twin[r].conntrackd = twins_run(t, r, "conntrackd -C /etc/conntrackd/conntrackd.conf");
		twins_enlist(t, r);
		if (r == 0)
			twins_wait_master(t, 0);
	}
	for (int r = 0; r < 2; r++) {
		struct twins_wait wait = {t, r};
		bool up = lab_wait_until(twins_all_up, &wait, 30000);
		char *status = NULL;
		twins_gwctl(t, r, &status, "status");
		cr_assert(up, "%c: not all is up:\n%s", 'a' + r, status);
		free(status);
	}
	return t;
}

void twins_finish(struct twins *t)
{
	for (int r = 0; r < 2; r++) {
		struct twin *twin = &t->twin[r];
		if (getenv("GWD_LOG"))
			fprintf(stderr, "%s", twin->gwd ? lab_proc_output(twin->gwd) : "");
		if (twin->keepalived)
			lab_proc_stop(twin->keepalived);
		if (twin->conntrackd)
			lab_proc_stop(twin->conntrackd);
		if (twin->gwd)
			cr_assert_eq(lab_proc_stop(twin->gwd), 0, "gwd of %c ended badly", 'a' + r);
	}
	lab_ns_close(&t->b);
	net_finish(t->net);
	free(t);
}
