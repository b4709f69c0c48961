// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_selftest_faults: every fault does what it says on every kind of link, can be undone, and leaves the
 * others alone.
 *
 * host1 is sent by the link under test, host2 by another; a control flow of host2 runs all the time and loses
 * nothing.
 */
#include "test/lab/lab.h"
#include "test/lab/lab_selftest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTROL_ISP = 2, SETTLE_MS = 3000 };

static const int families[] = {AF_INET, AF_INET6};

/* ---- what a link can do just now ---- */

struct reach {
	struct lab *lab;
	struct lab_flow flow;
	bool wanted;
};

static bool reach_is(void *arg)
{
	struct reach *reach = arg;
	struct lab_stream_spec ping = {.flow = reach->flow, .count = 1, .ping = true, .last_ms = 100};
	struct lab_stream_report report = lab_stream_finish(lab_stream_start(reach->lab, &ping));

	return (report.answered == 1) == reach->wanted;
}

static void check_reach(struct lab *lab, const struct lab_flow *flow, bool wanted, const char *when)
{
	struct reach reach = {lab, *flow, wanted};

	lab_check(lab_wait_until(reach_is, &reach, SETTLE_MS), "%s: %s %s from %s", when, flow->to,
		  wanted ? "answers" : "is silent", flow->from->name);
}

/* The next hop, seen from the router over this link, and a server, seen from host1. */
static void check_link(struct lab *lab, int isp, bool next_hop, bool beyond, const char *when)
{
	for (int f = 0; f < 2; f++) {
		struct lab_flow near = {.from = lab_router(lab),
					.to = lab_wan_nexthop(lab, isp, families[f]),
					.device = lab_wan_name(lab, isp)};
		struct lab_flow far = {.from = lab_host(lab, 1), .to = lab_server_address(families[f], 1)};

		check_reach(lab, &near, next_hop, when);
		check_reach(lab, &far, beyond, when);
	}
}

static bool router_shows(struct lab *lab, const char *command, const char *text)
{
	char *output;
	bool found;

	lab_run(lab_router(lab), &output, "%s", command);
	found = strstr(output, text) != NULL;
	free(output);
	return found;
}

static struct lab_stream *start_control(struct lab *lab)
{
	lab_selftest_steer_host(lab, 1, 1);
	lab_selftest_steer_host(lab, 2, CONTROL_ISP);
	return lab_stream_start_on(lab,
				   &(struct lab_stream_spec){.flow = {.from = lab_host(lab, 2),
								      .to = lab_server_address(AF_INET, 2)}},
				   CONTROL_ISP);
}

static void end_control(struct lab_stream *control)
{
	struct lab_stream_report report = lab_stream_stop(control);
	char text[256];

	lab_stream_text(&report, text);
	lab_check(report.lost == 0 && report.sent > 0, "the control flow lost nothing: %s", text);
}

/* ---- packets ---- */

static void check_blackhole(struct lab *lab, int isp)
{
	lab_fault_blackhole(lab, isp);
	lab_fault_blackhole(lab, isp);
	lab_check(lab_ns_link_running(lab_router(lab), lab_wan_name(lab, isp)), "blackhole: the link is up");
	check_link(lab, isp, false, false, "blackhole");
	lab_do(lab_router(lab), "ip neigh flush dev %s", lab_wan_name(lab, isp));
	check_link(lab, isp, false, false, "blackhole, neighbours forgotten");
	lab_fault_repair(lab, isp);
	check_link(lab, isp, true, true, "repair of a blackhole");
}

static void check_cut(struct lab *lab, int isp)
{
	lab_fault_cut(lab, isp);
	check_link(lab, isp, true, false, "cut");
	lab_fault_repair(lab, isp);
	lab_fault_repair(lab, isp);
	check_link(lab, isp, true, true, "repair of a cut");
}

/* A fifth of the packets, once on the way to the ISP, once on the way back through it: 36 % of round trips.
 */
static void check_loss(struct lab *lab, int isp)
{
	struct lab_stream_spec spec = {
		.flow = {.from = lab_host(lab, 1), .to = lab_server_address(AF_INET, 1)},
		.count = 2000,
		.rate_hz = 2000};
	struct lab_stream_report report;

	lab_fault_loss(lab, isp, 20);
	report = lab_stream_finish(lab_stream_start(lab, &spec));
	lab_check(report.lost > 600 && report.lost < 840, "loss of 20%%: %d of 2000, not about 720",
		  report.lost);
	lab_fault_loss(lab, isp, 0);
	report = lab_stream_finish(lab_stream_start(lab, &spec));
	lab_check(report.lost == 0, "no loss any more: %d", report.lost);
}

/* The gap that a stream reports is the fault's, to within what this machine's scheduling allows. */
static void check_gap(struct lab *lab, int isp)
{
	struct lab_stream *stream = lab_stream_start(
		lab, &(struct lab_stream_spec){
			     .flow = {.from = lab_host(lab, 1), .to = lab_server_address(AF_INET6, 3)}});
	struct lab_stream_report report;
	int64_t dead, repaired;
	int slack_ms;

	lab_check(lab_stream_wait_isp(stream, isp, SETTLE_MS), "the stream runs by ISP %d", isp);
	dead = lab_fault_blackhole(lab, isp);
	lab_check(!lab_stream_wait_answer(stream, 200), "nothing is answered");
	repaired = lab_fault_repair(lab, isp);
	lab_check(lab_stream_wait_answer(stream, SETTLE_MS), "and is again");
	report = lab_stream_stop(stream);
	slack_ms =
		25 + 2 * report.worst_rtt_us / 1000; /* what held up an answer may have held up the sender */
	lab_check(abs(report.gap_ms - (int)(repaired - dead)) <= slack_ms,
		  "a gap of %d ms, the fault lasted %d ms", report.gap_ms, (int)(repaired - dead));
	lab_check(llabs(report.gap_began_ms - dead) <= slack_ms, "it began %d ms after the fault",
		  (int)(report.gap_began_ms - dead));
	lab_check(report.lost > 0 && report.lost <= report.gap_ms + 1, "%d lost in %d ms", report.lost,
		  report.gap_ms);
	lab_check(report.parts == 1 && report.part[0].isp == isp, "all of it by ISP %d", isp);
}

void lab_selftest_faults(void)
{
	struct lab *lab = lab_selftest_create(&(struct lab_spec){.isps = 2});
	struct lab_stream *control = start_control(lab);

	check_link(lab, 1, true, true, "at first");
	check_blackhole(lab, 1);
	check_cut(lab, 1);
	check_loss(lab, 1);
	check_gap(lab, 1);
	end_control(control);
	lab_check_no_wrong_source(lab);
	lab_destroy(lab);
}

/* ---- links and addresses ---- */

static void check_carrier(struct lab *lab, int isp)
{
	const char *wan = lab_wan_name(lab, isp);

	lab_fault_carrier_off(lab, isp);
	lab_check(!lab_ns_link_running(lab_router(lab), wan), "carrier off: %s is not running", wan);
	lab_check(router_shows(lab, "ip addr", lab_wan_address(lab, isp, AF_INET)),
		  "carrier off: the address stays");
	lab_check(router_shows(lab, "ip addr", lab_wan_address(lab, isp, AF_INET6)),
		  "carrier off: the v6 one too");
	check_link(lab, isp, false, false, "carrier off");
	lab_fault_carrier_on(lab, isp);
	lab_check(lab_ns_link_running(lab_router(lab), wan), "carrier on: %s is running", wan);
	lab_selftest_steer_host(lab, 1, isp);
	check_link(lab, isp, true, true, "carrier on");
}

static void check_admin(struct lab *lab, int isp)
{
	lab_fault_admin_down(lab, isp);
	lab_check(!router_shows(lab, "ip addr", lab_wan_address(lab, isp, AF_INET6)),
		  "admin down: the v6 address goes");
	check_link(lab, isp, false, false, "admin down");
	lab_fault_admin_up(lab, isp);
	lab_check(router_shows(lab, "ip addr", lab_wan_address(lab, isp, AF_INET6)),
		  "admin up: the v6 address is back");
	lab_selftest_steer_host(lab, 1, isp);
	check_link(lab, isp, true, true, "admin up");
}

static int index_of(struct lab *lab, const char *wan)
{
	char *output;
	int index;

	lab_run(lab_router(lab), &output, "ip -o link show dev %s", wan);
	index = atoi(output);
	free(output);
	return index;
}

/* The router's translation follows the link's address. */
static void translate_anew(struct lab *lab, int isp)
{
	if (isp == lab_isp_of_ppp(lab))
		return; /* it is masqueraded */
	lab_do(lab_router(lab),
	       "nft add rule inet t post meta nfproto ipv4 rt nexthop %s snat ip to %s;"
	       "nft add rule inet t post meta nfproto ipv6 rt nexthop %s snat ip6 to %s",
	       lab_wan_nexthop(lab, isp, AF_INET), lab_wan_address(lab, isp, AF_INET),
	       lab_wan_nexthop(lab, isp, AF_INET6), lab_wan_address(lab, isp, AF_INET6));
}

static void check_delete(struct lab *lab, int isp)
{
	const char *wan = lab_wan_name(lab, isp);
	int before = index_of(lab, wan);
	struct lab_flow far = {.from = lab_host(lab, 1), .to = lab_server_address(AF_INET, 1)};

	lab_fault_delete(lab, isp);
	lab_fault_delete(lab, isp);
	lab_check(!router_shows(lab, "ip link", wan), "%s is deleted", wan);
	check_reach(lab, &far, false, "deleted");
	lab_fault_recreate(lab, isp);
	lab_fault_recreate(lab, isp);
	lab_check(index_of(lab, wan) > before, "%s has a new index, %d after %d", wan, index_of(lab, wan),
		  before);
	lab_selftest_steer_host(lab, 1, isp);
	check_link(lab, isp, true, true, "recreated");
}

/* What the internet sees is the new address; the old one is wrong after the grace. */
static void check_renumber(struct lab *lab, int isp)
{
	struct lab_flow flow = {.from = lab_host(lab, 1), .to = lab_server_address(AF_INET, 4), .port = 443};
	struct lab_conn conn;
	char old[64];

	snprintf(old, sizeof(old), "%s", lab_wan_address(lab, isp, AF_INET));
	lab_fault_renumber(lab, isp);
	translate_anew(lab, isp);
	lab_selftest_steer_host(lab, 1, isp);
	lab_check(strcmp(old, lab_wan_address(lab, isp, AF_INET)) != 0, "a new address");
	lab_check(!router_shows(lab, "ip addr", old), "the old address is gone");
	conn = lab_connect(lab, &flow);
	lab_check(conn.isp == isp && !strcmp(conn.seen, lab_wan_address(lab, isp, AF_INET)),
		  "seen is %s, not %s", conn.seen, lab_wan_address(lab, isp, AF_INET));
	flow.to = lab_server_address(AF_INET6, 4);
	conn = lab_connect(lab, &flow);
	lab_check(conn.isp == isp && !strcmp(conn.seen, lab_wan_address(lab, isp, AF_INET6)),
		  "seen is %s, not %s", conn.seen, lab_wan_address(lab, isp, AF_INET6));
	check_link(lab, isp, true, true, "renumbered");
}

void lab_selftest_faults_of_addresses(void)
{
	struct lab *lab = lab_selftest_create(&(struct lab_spec){.isps = 2, .routes = true});
	struct lab_stream *control = start_control(lab);

	check_carrier(lab, 1);
	check_admin(lab, 1);
	check_delete(lab, 1);
	check_renumber(lab, 1);
	check_renumber(lab, 1);
	lab_check(router_shows(lab, "ip route",
			       "default via 100.66.1.1 dev wan1 proto dhcp src 100.66.1.2 metric 101"),
		  "the default route follows");
	check_blackhole(lab, 1);
	end_control(control);
	lab_check_no_wrong_source(lab);
	lab_destroy(lab);
}

/* Another session of the same link: deleted, renumbered, back. */
void lab_selftest_faults_of_ppp(void)
{
	struct lab *lab = lab_selftest_create(&(struct lab_spec){.isps = 2, .ppp = true});
	struct lab_stream *control = start_control(lab);
	int ppp = lab_isp_of_ppp(lab);

	lab_selftest_steer_host(lab, 1, ppp);
	check_link(lab, ppp, true, true, "ppp");
	check_blackhole(lab, ppp);
	check_cut(lab, ppp);
	check_gap(lab, ppp);
	check_carrier(lab, ppp);
	check_admin(lab, ppp);
	check_delete(lab, ppp);
	lab_fault_delete(lab, ppp);
	lab_fault_renumber(lab, ppp);
	lab_fault_recreate(lab, ppp);
	lab_check(router_shows(lab, "ip addr show dev ppp0", "100.65.3.2 peer 100.65.3.1/32"),
		  "a new session's address");
	lab_selftest_steer_host(lab, 1, ppp);
	check_link(lab, ppp, true, true, "a new session");
	check_renumber(lab, ppp);
	end_control(control);
	lab_check_no_wrong_source(lab);
	lab_destroy(lab);
}

/* A fault of one ISP on the wire leaves the other alone; the wire's faults concern both. */
void lab_selftest_faults_of_shared_wire(void)
{
	struct lab *lab = lab_selftest_create(
		&(struct lab_spec){.isps = 2, .hosts = 3, .shared = LAB_SHARED_TWO_SUBNETS});
	struct lab_stream *control = start_control(lab);
	struct lab_stream *neighbour;

	lab_selftest_steer_host(lab, 1, 3);
	lab_selftest_steer_host(lab, 3, 4);
	neighbour =
		lab_stream_start_on(lab,
				    &(struct lab_stream_spec){.flow = {.from = lab_host(lab, 3),
								       .to = lab_server_address(AF_INET, 1)}},
				    4);
	check_blackhole(lab, 3);
	check_cut(lab, 3);
	end_control(neighbour);
	check_carrier(lab, 3);
	check_admin(lab, 3);
	check_delete(lab, 3);
	check_renumber(lab, 4);
	lab_selftest_steer_host(lab, 1, 3);
	check_link(lab, 3, true, true, "the other of the wire");
	end_control(control);
	lab_check_no_wrong_source(lab);
	lab_destroy(lab);
}
