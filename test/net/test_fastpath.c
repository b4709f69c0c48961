// SPDX-License-Identifier: GPL-2.0-or-later
// The fast path: established flows are forwarded by the flowtable, and all that holds for others holds for
// them. Skipped where the kernel has no flowtables; test/vm/run-net runs it on one that has (and
// there, every other suite runs with the fast path on).
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/net/offload.h"

static const int weights[] = {1, 1, 1, 1};

// `globals` are options at the top level; NULL: this kernel has no flowtables, the test is skipped.
static struct net *start(const struct lab_spec *spec, int n, const char *globals)
{
	struct net *net = net_lab(spec);
	offload_or_skip(net);
	char *gateways = net_gateways(net->lab, n, weights, spec->routes);
	net_configure(net, "%s %s balance default { scheduler = rr persistence = 5m }", globals, gateways);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	return net;
}

static struct lab_stream *stream_on(struct net *net, int family, int isp)
{
	return lab_stream_start_on(net->lab,
				   &(struct lab_stream_spec){.flow = {.from = lab_host(net->lab, 1),
								      .to = lab_server_address(family, 1)}},
				   isp);
}

static struct lab_transfer *transfer(struct net *net, int family)
{
	struct lab_transfer *started = lab_transfer_start(
		net->lab, &(struct lab_transfer_spec){.flow = {.from = lab_host(net->lab, 1),
							       .to = lab_server_address(family, 2)},
						      .kind = LAB_UPLOAD});
	cr_assert(lab_transfer_wait_running(started, 3000));
	return started;
}

static bool reports(struct net *net, bool fastpath)
{
	char *output = NULL;
	net_gwctl(net, &output, "-j status");
	bool says = strstr(output, fastpath ? "\"fastpath\":true" : "\"fastpath\":false") != NULL;
	free(output);
	return says;
}

// Counts what passes the forward hook, of that flow.
static void count_forwarded(struct net *net, const char *server)
{
	char *ruleset = NULL;
	cr_assert_geq(asprintf(&ruleset,
			       "table inet seen {\n\tchain f {\n\t\ttype filter hook forward priority 0;\n"
			       "\t\tip daddr %s counter\n\t}\n}\n",
			       server),
		      0);
	lab_nft_load(lab_router(net->lab), ruleset);
	free(ruleset);
}

static int forwarded(struct net *net)
{
	char *output = NULL;
	lab_run(lab_router(net->lab), &output, "nft list table inet seen");
	char *packets = strstr(output, "packets ");
	cr_assert_not_null(packets, "%s", output);
	int n = atoi(packets + 8);
	free(output);
	return n;
}

Test(fastpath, takes_udp_and_tcp_of_both_families)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct net *net = start(&(struct lab_spec){.isps = 3}, 3, "");
	cr_assert(reports(net, true));
	for (int i = 0; i < 2; i++) {
		struct lab_stream *call = stream_on(net, families[i], 1);
		struct lab_transfer *upload = transfer(net, families[i]);
		offload_assert(net, lab_server_address(families[i], 1), "udp");
		offload_assert(net, lab_server_address(families[i], 2), "tcp");
		cr_assert_eq(lab_transfer_stop(upload).end, LAB_END_RUNNING);
		cr_assert_eq(lab_stream_stop(call).lost, 0);
	}
	net_finish(net);
}

Test(fastpath, packets_of_such_a_flow_meet_no_chain)
{
	struct net *net = start(&(struct lab_spec){.isps = 3}, 3, "");
	struct lab_stream *call = stream_on(net, AF_INET, 1);
	offload_assert(net, "198.51.100.1", "udp");
	count_forwarded(net, "198.51.100.1");
	int before = lab_stream_peek(call).answered;
	usleep(1500 * 1000);
	struct lab_stream_report report = lab_stream_stop(call);
	cr_assert_gt(report.answered - before, 200);
	cr_assert_lt(forwarded(net), 20, "%d packets came by", forwarded(net));
	cr_assert_eq(report.lost, 0);
	net_finish(net);
}

Test(fastpath, off_and_auto_by_reload_with_flows_running)
{
	struct net *net = start(&(struct lab_spec){.isps = 3}, 3, "");
	struct lab_stream *call = stream_on(net, AF_INET, 1);
	offload_assert(net, "198.51.100.1", "udp");
	char *gateways = net_gateways(net->lab, 3, weights, false);
	for (int i = 0; i < 2; i++) {
		net_configure(net, "fastpath = %s %s balance default { scheduler = rr persistence = 5m }",
			      i ? "auto" : "off", gateways);
		net_reload(net);
		cr_assert(reports(net, i));
		cr_assert_eq(net_router_shows(net, "nft list flowtables", "flowtable fast"), i);
		cr_assert(lab_stream_wait_answer(call, 1000));
	}
	free(gateways);
	offload_assert(net, "198.51.100.1", "udp");
	struct lab_stream_report report = lab_stream_stop(call);
	cr_assert(report.lost == 0 && report.parts == 1, "lost %d", report.lost);
	net_finish(net);
}

Test(fastpath, follows_a_device_that_is_deleted_and_recreated)
{
	struct net *net = start(&(struct lab_spec){.isps = 3, .routes = true}, 3, "");
	for (int i = 0; i < 3; i++) {
		lab_fault_delete(net->lab, 1);
		net_wait_state(net, "g1", "down", 5000);
		cr_assert(!net_router_shows(net, "nft list flowtables", "wan1"));
		lab_fault_recreate(net->lab, 1);
		net_wait_state(net, "g1", "up", 10000);
		cr_assert(net_router_shows(net, "nft list flowtables", "wan1"));
		struct lab_stream *call = stream_on(net, AF_INET, 1);
		offload_assert(net, "198.51.100.1", "udp");
		lab_stream_stop(call);
	}
	net_finish(net);
}

// Back before gwd could look: another device under the same name.
Test(fastpath, follows_a_device_that_is_replaced_at_once)
{
	struct net *net = start(&(struct lab_spec){.isps = 3, .routes = true}, 3, "");
	lab_proc_signal(net->gwd, SIGSTOP);
	lab_fault_delete(net->lab, 1);
	lab_fault_recreate(net->lab, 1);
	lab_proc_signal(net->gwd, SIGCONT);
	net_wait_state(net, "g1", "up", 10000);
	struct lab_stream *call = stream_on(net, AF_INET, 1);
	offload_assert(net, "198.51.100.1", "udp");
	lab_stream_stop(call);
	net_finish(net);
}

Test(fastpath, works_on_a_point_to_point_link)
{
	struct net *net = start(&(struct lab_spec){.isps = 3, .routes = true, .ppp = true}, 4, "");
	int ppp = lab_isp_of_ppp(net->lab);
	struct lab_stream *call = stream_on(net, AF_INET, ppp);
	offload_assert(net, "198.51.100.1", "udp");
	cr_assert(lab_stream_wait_isp(call, ppp, 1000));
	struct lab_stream_report report = lab_stream_stop(call);
	char text[256];
	lab_stream_text(&report, text);
	cr_assert_eq(report.lost, 0, "%s", text);
	net_finish(net);
}

// Others may route or shape by their bits: such flows are never taken, and keep them.
static void foreign_bits(const char *mark)
{
	struct net *net = start(&(struct lab_spec){.isps = 3}, 3, "");
	char *ruleset = NULL;
	cr_assert_geq(asprintf(&ruleset,
			       "table inet qos {\n\tchain a {\n"
			       "\t\ttype filter hook prerouting priority mangle + 5;\n"
			       "\t\tip daddr 198.51.100.1 %s set %s or 0x00000040\n\t}\n}\n",
			       mark, mark),
		      0);
	lab_nft_load(lab_router(net->lab), ruleset);
	free(ruleset);
	struct lab_stream *marked = stream_on(net, AF_INET, 1);
	struct lab_transfer *other = transfer(net, AF_INET);
	offload_assert(net, "198.51.100.2", "tcp");
	cr_assert(lab_stream_wait_answer(marked, 1000));
	cr_assert_not(offload_has(net, "198.51.100.1", "udp"));
	lab_stream_stop(marked);
	lab_transfer_stop(other);
	net_finish(net);
}

Test(fastpath, leaves_packets_with_foreign_marks_alone)
{
	foreign_bits("meta mark");
}

Test(fastpath, leaves_connections_with_foreign_marks_alone)
{
	foreign_bits("ct mark");
}

// The failover rows with flows that are known to be in the flowtable.
static void dies(int family)
{
	struct net *net = start(&(struct lab_spec){.isps = 3}, 3, "");
	const char *server = lab_server_address(family, 1);
	struct lab_stream *call = stream_on(net, family, 1);
	offload_assert(net, server, "udp");
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	int64_t down_ms = lab_now_ms();
	cr_assert(lab_stream_wait_answer(call, 1000), "the stream is dead");
	offload_assert(net, server, "udp");
	struct lab_stream_report report = lab_stream_stop(call);
	cr_assert_eq(report.parts, 2);
	cr_assert_lt(report.part[1].first_ms - down_ms, 150, "on the other link %d ms after the verdict",
		     (int)(report.part[1].first_ms - down_ms));
	net_finish(net);
}

Test(fastpath, a_udp_flow_leaves_a_dead_gateway_4)
{
	dies(AF_INET);
}

Test(fastpath, a_udp_flow_leaves_a_dead_gateway_6)
{
	dies(AF_INET6);
}

static struct lab_transfer *transfer_on(struct net *net, int family, enum lab_transfer_kind kind, int isp)
{
	for (int i = 0; i < 100; i++) {
		char source[64];
		lab_client_address(family, 1, i, source);
		struct lab_transfer *started = lab_transfer_start(
			net->lab, &(struct lab_transfer_spec){.flow = {.from = lab_host(net->lab, 1),
								       .to = lab_server_address(family, 2),
								       .source = source},
							      .kind = kind});
		cr_assert(lab_transfer_wait_running(started, 10000));
		if (lab_transfer_peek(started).isp == isp)
			return started;
		lab_transfer_stop(started);
	}
	cr_assert(false, "no client is on isp%d", isp);
	return NULL;
}

static void assert_reset(struct lab_transfer *transfer, const char *what)
{
	cr_assert(lab_transfer_wait_end(transfer, 5000), "%s hangs", what);
	cr_assert_eq(lab_transfer_stop(transfer).end, LAB_END_RST, "%s", what);
}

// Nobody on the inside sends: it takes the wake to tell them.
static void dies_with_tcp(int family)
{
	struct net *net = start(&(struct lab_spec){.isps = 3}, 3, "");
	struct lab_transfer *idle = transfer_on(net, family, LAB_IDLE, 1),
			    *download = transfer_on(net, family, LAB_DOWNLOAD, 1);
	offload_assert(net, lab_server_address(family, 2), "tcp");
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	assert_reset(idle, "an idle connection");
	assert_reset(download, "a download");
	net_finish(net);
}

Test(fastpath, an_idle_connection_and_a_download_are_reset_4)
{
	dies_with_tcp(AF_INET);
}

Test(fastpath, an_idle_connection_and_a_download_are_reset_6)
{
	dies_with_tcp(AF_INET6);
}

// failback = reset takes flows out of the flowtable that are well where they are.
static void comes_back(int family)
{
	struct net *net = start(&(struct lab_spec){.isps = 3}, 3, "");
	net_configure(
		net,
		"gateway g1 { interface = wan1 address = 100.64.1.1 address6 = 2001:db8:1::1 probes = quick "
		"failback = reset }"
		"gateway g2 { interface = wan2 address = 100.64.2.1 address6 = 2001:db8:2::1 probes = quick }"
		"gateway g3 { interface = wan3 address = 100.64.3.1 address6 = 2001:db8:3::1 probes = quick }"
		"balance default { use g1 { } use g2 { tier = 2 } } rule guard { to = 198.51.100.4 gateway = "
		"g3 }");
	net_reload(net);
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	struct lab_stream *call = stream_on(net, family, 2);
	struct lab_transfer *upload = transfer_on(net, family, LAB_UPLOAD, 2),
			    *idle = transfer_on(net, family, LAB_IDLE, 2);
	offload_assert(net, lab_server_address(family, 1), "udp");
	offload_assert(net, lab_server_address(family, 2), "tcp");
	lab_fault_repair(net->lab, 1);
	net_wait_state(net, "g1", "up", 10000);
	cr_assert(lab_stream_wait_isp(call, 1, 5000), "the stream stays on the link that stood in");
	assert_reset(upload, "an upload");
	assert_reset(idle, "an idle connection");
	lab_stream_stop(call);
	net_finish(net);
}

Test(fastpath, failback_resets_what_it_has_4)
{
	comes_back(AF_INET);
}

Test(fastpath, failback_resets_what_it_has_6)
{
	comes_back(AF_INET6);
}

Test(fastpath, gwctl_flush_takes_it_out)
{
	struct net *net = start(&(struct lab_spec){.isps = 3, .routes = true}, 3, "");
	struct lab_stream *call = stream_on(net, AF_INET, 1);
	offload_assert(net, "198.51.100.1", "udp");
	lab_stream_stop(call);
	lab_stream_stop(net->guard);
	net->guard = NULL;
	cr_assert_eq(net_gwctl(net, NULL, "flush"), 0);
	cr_assert(!net_router_shows(net, "nft list ruleset", "flowtable"));
	cr_assert(reports(net, false));
	net_reload(net);
	net_wait_up(net);
	call = stream_on(net, AF_INET, 1);
	offload_assert(net, "198.51.100.1", "udp");
	lab_stream_stop(call);
	net_finish(net);
}
