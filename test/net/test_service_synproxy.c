// SPDX-License-Identifier: GPL-2.0-or-later
// syn-proxy: connections work through it over every link, and a flood of SYNs leaves nothing behind.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/inbound.h"

static const char *wan(struct inbound *in, int isp)
{
	return lab_wan_address(in->net->lab, isp, AF_INET);
}

static const char *wan6(struct inbound *in, int isp)
{
	return lab_wan_address(in->net->lab, isp, AF_INET6);
}

static struct inbound *proxied(const char *options)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3, .routes = true}, 2);
	inbound_gwd(
		in,
		"service web { listen = { \"%s:8001\", \"%s:8001\", \"[%s]:8001\", \"[%s]:8001\" }\n"
		"  syn-proxy = yes  scheduler = rr  %s\n"
		"  real r1 { address = 10.0.0.11  port = 80 }  real r2 { address = 10.0.0.12  port = 80 }\n"
		"  real s1 { address = \"fd00:10::11\"  port = 80 } }\n"
		"service none { listen = \"%s:8002\"  syn-proxy = yes\n"
		"  real r1 { address = 10.0.0.11  weight = 0 } }\n",
		wan(in, 1), wan(in, 2), wan6(in, 1), wan6(in, 2), options, wan(in, 2));
	net_guard(in->net, 1);
	return in;
}

static void expect_seen(struct inbound *in, struct lab_ns *from, const char *to, const char *seen)
{
	struct lab_flow flow = {.from = from, .to = to, .port = 8001};
	struct lab_conn conn = lab_connect(in->net->lab, &flow);
	cr_assert_eq(conn.outcome, LAB_ANSWERED, "%s to %s: %s", from->name, to,
		     lab_outcome_name(conn.outcome));
	cr_assert_str_eq(conn.seen, seen ? seen : conn.source);
}

// How many clients have answered the kernel's cookie.
static long cookies(struct inbound *in)
{
	char *output = NULL;
	long n = 0;
	lab_run(lab_router(in->net->lab), &output, "cat /proc/net/stat/synproxy");
	for (char *line = strchr(output, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
		unsigned entries, syn, invalid, valid;
		cr_assert_eq(sscanf(line, " %x %x %x %x", &entries, &syn, &invalid, &valid), 4, "%s", output);
		n += valid;
	}
	free(output);
	return n;
}

static void every_link(const char *options, const char *seen4, const char *seen6)
{
	struct inbound *in = proxied(options);
	struct lab *lab = in->net->lab;
	for (int isp = 1; isp <= 2; isp++) {
		uint64_t before = lab_isp_packets(lab, isp);
		expect_seen(in, lab_internet(lab), wan(in, isp), seen4);
		expect_seen(in, lab_internet(lab), wan6(in, isp), seen6);
		cr_assert_geq(lab_isp_packets(lab, isp), before + 6);
		inbound_ask(in, wan(in, isp), 8001, 20);
		expect_seen(in, lab_host(lab, 3), wan(in, isp), "10.0.0.1");
		expect_seen(in, lab_host(lab, 3), wan6(in, isp), "fd00:10::1");
		expect_seen(in, lab_router(lab), wan(in, isp), seen4);
	}
	cr_assert_gt(cookies(in), 40);
	inbound_finish(in);
}

Test(service_synproxy, over_every_link_in_both_families)
{
	every_link("", NULL, NULL);
}

Test(service_synproxy, with_persistence_and_fullnat)
{
	every_link("persistence = 1m  forward = fullnat", "10.0.0.1", "fd00:10::1");
}

Test(service_synproxy, where_nobody_serves_the_client_is_refused)
{
	struct inbound *in = proxied("");
	struct lab_flow flow = {.from = lab_internet(in->net->lab), .to = wan(in, 2), .port = 8002};
	cr_assert_eq(lab_connect(in->net->lab, &flow).outcome, LAB_REFUSED);
	inbound_finish(in);
}

// Long transfers are not disturbed by the translation of sequence numbers.
Test(service_synproxy, a_transfer)
{
	struct inbound *in = proxied("");
	struct lab_transfer *download = lab_transfer_start(
		in->net->lab,
		&(struct lab_transfer_spec){
			.flow = {.from = lab_internet(in->net->lab), .to = wan(in, 2), .port = 8001},
			.kind = LAB_DOWNLOAD,
			.rate_bps = 80000000});
	cr_assert(lab_transfer_wait_running(download, 3000));
	inbound_ask(in, wan(in, 2), 8001, 20);
	struct lab_transfer_report report = lab_transfer_stop(download);
	cr_assert_eq(report.end, LAB_END_RUNNING, "%s", lab_transfer_end_name(report.end));
	cr_assert_gt(report.bytes, 100000);
	inbound_finish(in);
}

// ---- a flood -----------------------------------------------------------------------------------

enum { FLOOD = 30000 };

static long conntrack_entries(struct inbound *in)
{
	char *output = NULL;
	lab_run(lab_router(in->net->lab), &output, "conntrack -C");
	long n = strtol(output, NULL, 10);
	free(output);
	return n;
}

// While it rages nobody else is refused or left waiting.
Test(service_synproxy, a_flood_leaves_nothing_and_others_are_served)
{
	struct inbound *in = proxied("");
	struct lab *lab = in->net->lab;
	long before = conntrack_entries(in);
	int asked = 0;
	struct lab_flood *flood = lab_flood_start(
		lab,
		&(struct lab_flood_spec){.flow = {.from = lab_internet(lab), .to = wan(in, 1), .port = 8001},
					 .rate_hz = FLOOD / 2,
					 .count = FLOOD});
	for (; lab_flood_sent(flood) < FLOOD; asked += 10) {
		inbound_ask(in, wan(in, 1), 8001, 5);
		inbound_ask(in, wan(in, 2), 8001, 5);
	}
	cr_assert_eq(lab_flood_stop(flood), FLOOD);
	long after = conntrack_entries(in) - asked;
	cr_assert_geq(asked, 20);
	cr_assert_lt(after - before, 500, "%ld entries, %ld before the flood", after, before);
	inbound_ask(in, wan(in, 1), 8001, 20);
	inbound_finish(in);
}
