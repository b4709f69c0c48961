// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_fault: breaking ISP links and mending them. What must happen at a known moment is one system call or
 * one netlink message (lab_nft, lab_ns_link_set); what rebuilds a link runs the same `ip` lines that built it
 * (lab_wan).
 */
#include "test/lab/lab_fault.h"

#include "test/lab/lab_die.h"
#include "test/lab/lab_nft.h"
#include "test/lab/lab_priv.h"
#include "test/lab/lab_proc.h"
#include "test/lab/lab_spawn.h"
#include "test/lab/lab_tun.h"
#include "test/lab/lab_wait.h"
#include "test/lab/lab_wan.h"

#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GENERATIONS_MAX = 60, RUNNING_LIMIT_MS = 2000 };

struct link_of {
	struct lab *lab;
	const struct lab_isp *isp;
	bool running; /* what is waited for */
};

static const struct lab_nft_element blackhole[] = {
	{NFPROTO_INET, "dead", "cust0"},
	{NFPROTO_INET, "dead", "up0"},
	{NFPROTO_ARP, "dead", "cust0"},
};

static const struct lab_nft_element cut = {NFPROTO_INET, "cut", "up0"};

static int64_t switch_elements(struct lab *lab, int isp, const struct lab_nft_element *element, int count,
			       bool add)
{
	struct mnl_socket *nl = lab_isp_get(lab, isp)->nft;
	int64_t begun;

	pthread_mutex_lock(&lab->lock);
	begun = lab_now_ms();
	for (int i = 0; i < count; i++)
		lab_nft_switch(nl, &element[i], add);
	pthread_mutex_unlock(&lab->lock);
	return begun;
}

int64_t lab_fault_blackhole(struct lab *lab, int isp)
{
	return switch_elements(lab, isp, blackhole, 3, true);
}

int64_t lab_fault_cut(struct lab *lab, int isp)
{
	return switch_elements(lab, isp, &cut, 1, true);
}

int64_t lab_fault_loss(struct lab *lab, int isp, double percent)
{
	struct lab_isp *link = lab_isp_get(lab, isp);
	char rules[128] = "flush chain inet lab loss\n";

	link->lossy = percent > 0;
	if (percent > 0)
		sprintf(rules + strlen(rules), "add rule inet lab loss numgen random mod 10000 < %d drop\n",
			(int)(percent * 100));
	lab_nft_load(&link->ns, rules);
	return lab_now_ms();
}

int64_t lab_fault_repair(struct lab *lab, int isp)
{
	if (lab_isp_get(lab, isp)->lossy)
		lab_fault_loss(lab, isp, 0);
	switch_elements(lab, isp, &cut, 1, false);
	return switch_elements(lab, isp, blackhole, 3, false);
}

/* The far end of the router's interface: at the ISP, or at the shared wire. */
static int64_t far_end_set(struct lab *lab, const struct lab_isp *isp, bool up)
{
	if (isp->wire == LAB_WIRE_PPP)
		return lab_tun_carrier(isp->tun, up);
	if (isp->wire == LAB_WIRE_SHARED)
		return lab_ns_link_set(&lab->wire, "router-shared", up);
	return lab_ns_link_set(&isp->ns, "cust0", up);
}

static bool is_running(void *arg)
{
	const struct link_of *link = arg;

	return lab_ns_link_running(&link->lab->router, link->isp->wan) == link->running;
}

/* The kernel takes note of a carrier some time after it came or went; only then does it start to send. (If another fault
 * of the link is still in force, it does not.) */
static void wait_running(struct lab *lab, const struct lab_isp *isp, bool running)
{
	struct link_of link = {lab, isp, running};

	lab_wait_until(is_running, &link, RUNNING_LIMIT_MS);
}

int64_t lab_fault_carrier_off(struct lab *lab, int isp)
{
	int64_t done = far_end_set(lab, lab_isp_get(lab, isp), false);

	wait_running(lab, lab_isp_get(lab, isp), false);
	return done;
}

int64_t lab_fault_carrier_on(struct lab *lab, int isp)
{
	struct lab_isp *link = lab_isp_get(lab, isp);
	int64_t done = far_end_set(lab, link, true);

	if (link->wire ==
	    LAB_WIRE_OWN) /* a link-local address goes with the carrier, and a deleted link has none */
		lab_run(&link->ns, NULL, "ip addr replace fe80::%x/64 dev cust0 nodad", link->index);
	wait_running(lab, link, true);
	return done;
}

/* Runs `ip -batch` lines that `write` makes, in `ns`. */
static void run_lines(struct lab *lab, const struct lab_ns *ns, const struct lab_isp *isp,
		      void (*write)(struct lab *, const struct lab_isp *, FILE *))
{
	static const char *const argv[] = {"ip", "-batch", "-", NULL};
	struct lab_job job;
	char *text;
	size_t length;
	FILE *lines = open_memstream(&text, &length);

	if (!lines)
		lab_die("out of memory");
	write(lab, isp, lines);
	fclose(lines);
	lab_job_start(&job, ns, argv, text);
	lab_job_finish(&job);
	free(text);
}

/* Calls `what` for every ISP on the same interface of the router. */
static void for_each_on_wire(struct lab *lab, const struct lab_isp *isp,
			     void (*what)(struct lab *, struct lab_isp *))
{
	for (int k = 1; k <= lab->isps; k++)
		if (!strcmp(lab->isp[k].wan, isp->wan))
			what(lab, &lab->isp[k]);
}

static void set_up_router(struct lab *lab, struct lab_isp *isp)
{
	run_lines(lab, &lab->router, isp, lab_wan_router);
}

int64_t lab_fault_admin_down(struct lab *lab, int isp)
{
	return lab_ns_link_set(&lab->router, lab_wan_name(lab, isp), false);
}

int64_t lab_fault_admin_up(struct lab *lab, int isp)
{
	struct lab_isp *link = lab_isp_get(lab, isp);

	int64_t done;

	for_each_on_wire(lab, link, set_up_router);
	done = lab_now_ms();
	wait_running(lab, link, true);
	return done;
}

static bool router_has(struct lab *lab, const struct lab_isp *isp)
{
	return lab_run(&lab->router, NULL, "ip link show dev %s", isp->wan) == 0;
}

/* The link's new sources are right from now on. */
static void permit(const struct lab_isp *isp)
{
	char *rules = NULL;

	lab_must(asprintf(&rules, "add element inet lab right4 { %s }\nadd element inet lab right6 { %s }\n",
			  isp->address[LAB_V4], isp->address[LAB_V6]),
		 "formatting");
	lab_nft_load(&isp->ns, rules);
	free(rules);
}

/* Its old ones, which nobody has any more, only for a while: packets with them may be on their way. */
static void forbid(const struct lab_isp *old)
{
	char *rules = NULL;

	lab_must(asprintf(&rules,
			  "delete element inet lab right4 { %s }\nadd element inet lab right4 { %s timeout "
			  "%dms }\n"
			  "delete element inet lab right6 { %s }\nadd element inet lab right6 { %s timeout "
			  "%dms }\n",
			  old->address[LAB_V4], old->address[LAB_V4], LAB_GRACE_MS, old->address[LAB_V6],
			  old->address[LAB_V6], LAB_GRACE_MS),
		 "formatting");
	lab_nft_load(&old->ns, rules);
	free(rules);
}

static void write_internet(struct lab *lab, const struct lab_isp *isp, FILE *lines)
{
	(void)lab;
	lab_wan_internet(isp, lines);
}

int64_t lab_fault_renumber(struct lab *lab, int isp)
{
	struct lab_isp *link = lab_isp_get(lab, isp);
	const struct lab_isp old = *link;
	int64_t done;

	if (link->wire == LAB_WIRE_SHARED && lab->spec.shared == LAB_SHARED_ONE_SUBNET)
		lab_die("the one subnet of two modems cannot be renumbered");
	if (++link->generation > GENERATIONS_MAX)
		lab_die("ISP %d was renumbered more than %d times", isp, GENERATIONS_MAX);
	lab_wan_number(lab, link);
	permit(link);
	run_lines(lab, &lab->internet, link, write_internet);
	if (!router_has(lab, link)) {
		forbid(&old);
		return lab_now_ms();
	}
	run_lines(lab, &link->ns, link, lab_wan_isp);
	run_lines(lab, &lab->router, &old, lab_wan_router_remove);
	done = lab_now_ms();
	forbid(&old);
	run_lines(lab, &lab->router, link, lab_wan_router);
	return done;
}

int64_t lab_fault_delete(struct lab *lab, int isp)
{
	struct lab_isp *link = lab_isp_get(lab, isp);

	if (link->tun) {
		lab_tun_delete(link->tun);
		link->tun = NULL;
	} else if (router_has(lab, link)) {
		lab_do(&lab->router, "ip link del dev %s", link->wan);
	}
	return lab_now_ms();
}

static void attach_shared(struct lab *lab, const struct lab_isp *isp, FILE *lines)
{
	(void)isp;
	lab_wan_shared_port(lab, lines);
}

static void create_link(struct lab *lab, struct lab_isp *isp)
{
	if (isp->wire == LAB_WIRE_PPP)
		lab_tun_create(lab, isp);
	run_lines(lab, &lab->router, isp, lab_wan_link);
	run_lines(lab, &isp->ns, isp, lab_wan_isp);
}

int64_t lab_fault_recreate(struct lab *lab, int isp)
{
	struct lab_isp *link = lab_isp_get(lab, isp);
	int64_t done;

	if (router_has(lab, link))
		return lab_now_ms();
	for_each_on_wire(lab, link, create_link);
	if (link->wire == LAB_WIRE_SHARED)
		run_lines(lab, &lab->wire, link, attach_shared);
	for_each_on_wire(lab, link, set_up_router);
	done = lab_now_ms();
	wait_running(lab, link, true);
	return done;
}
