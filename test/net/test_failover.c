// SPDX-License-Identifier: GPL-2.0-or-later
// A gateway dies: every kind of flow on it goes on or ends at once, and nobody else notices. The rows of
// datapath/outbound.md, "Failover, in order". How fast is measured by the benchmarks.
#include <stdlib.h>
#include <string.h>

#include "test/net/held.h"
#include "test/net/net.h"

static const int weights[] = {3, 2, 1};

static struct net *start(int guard)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	char *gateways = net_gateways(net->lab, 3, weights, false);
	net_configure(net, "%s balance default { persistence = 5m }", gateways);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, guard);
	return net;
}

static struct lab_stream *stream_on(struct net *net, int family, int isp)
{
	return lab_stream_start_on(net->lab,
				   &(struct lab_stream_spec){.flow = {.from = lab_host(net->lab, 1),
								      .to = lab_server_address(family, 1)}},
				   isp);
}

// A long transfer that is carried by this ISP.
static struct lab_transfer *transfer_on(struct net *net, int family, enum lab_transfer_kind kind, int isp)
{
	for (int client = 0; client < 200; client++) {
		char source[64];
		lab_client_address(family, 1, client, source);
		struct lab_transfer *transfer = lab_transfer_start(
			net->lab, &(struct lab_transfer_spec){.flow = {.from = lab_host(net->lab, 1),
								       .to = lab_server_address(family, 2),
								       .source = source},
							      .kind = kind});
		cr_assert(lab_transfer_wait_running(transfer, 3000));
		if (lab_transfer_peek(transfer).isp == isp)
			return transfer;
		lab_transfer_stop(transfer);
	}
	cr_assert(false, "no transfer came to isp%d", isp);
	return NULL;
}

static void udp_goes_on(int family)
{
	struct net *net = start(3);
	struct lab_stream *call = stream_on(net, family, 1);
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	cr_assert(lab_stream_wait_answer(call, 1000), "the stream is dead");
	struct lab_stream_report report = lab_stream_stop(call);
	cr_assert_eq(report.parts, 2, "it was on isp%d after %d parts", report.isp, report.parts);
	cr_assert(report.part[0].isp == 1 && report.part[1].isp != 1);
	net_finish(net);
}

Test(failover, a_udp_flow_goes_on_with_the_same_ports_4)
{
	udp_goes_on(AF_INET);
}

Test(failover, a_udp_flow_goes_on_with_the_same_ports_6)
{
	udp_goes_on(AF_INET6);
}

static void tcp_ends(int family, enum lab_transfer_kind kind)
{
	struct net *net = start(3);
	struct lab_transfer *transfer = transfer_on(net, family, kind, 1);
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	cr_assert(lab_transfer_wait_end(transfer, 2000), "it hangs");
	cr_assert_eq(lab_transfer_stop(transfer).end, LAB_END_RST);
	net_finish(net);
}

Test(failover, an_upload_is_reset_4)
{
	tcp_ends(AF_INET, LAB_UPLOAD);
}

Test(failover, an_idle_connection_is_reset_4)
{
	tcp_ends(AF_INET, LAB_IDLE);
}

Test(failover, a_download_is_reset_4)
{
	tcp_ends(AF_INET, LAB_DOWNLOAD);
}

Test(failover, an_upload_is_reset_6)
{
	tcp_ends(AF_INET6, LAB_UPLOAD);
}

Test(failover, an_idle_connection_is_reset_6)
{
	tcp_ends(AF_INET6, LAB_IDLE);
}

// SYNs that were on their way when the link died get through by another at their next retransmission.
Test(failover, pending_connections_get_through_and_new_ones_at_once)
{
	struct net *net = start(3);
	struct lab_burst_spec spec = {.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
				      .count = 60,
				      .clients = 60,
				      .timeout_ms = 15000};
	lab_fault_blackhole(net->lab, 1);
	struct lab_burst *pending = lab_burst_start(net->lab, &spec);
	net_wait_state(net, "g1", "down", 5000);
	struct lab_tally fresh = lab_burst_run(net->lab, &spec);
	cr_assert_eq(fresh.answered, 60);
	cr_assert_eq(fresh.isp[1], 0);
	cr_assert_lt(fresh.slowest_ms, 900, "a new connection had to retransmit");
	lab_burst_wait(pending);
	cr_assert_eq(lab_burst_tally(pending).answered, 60);
	lab_burst_free(pending);
	net_finish(net);
}

Test(failover, flows_on_other_gateways_lose_nothing)
{
	struct net *net = start(2);
	struct lab_burst *held = held_all(
		net->lab,
		&(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.3"},
					 .count = 600,
					 .clients = 300});
	int on_dead = lab_burst_tally(held).isp[1];
	struct lab_stream *other = stream_on(net, AF_INET, 3);
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	lab_burst_poke(held);
	lab_burst_wait(held);
	struct lab_tally tally = lab_burst_tally(held);
	cr_assert_eq(tally.answered, 600 - on_dead, "%d of %d flows on other links are left", tally.answered,
		     600 - on_dead);
	cr_assert_eq(tally.outcome[LAB_REFUSED], on_dead, "those on the dead one were not reset");
	lab_burst_free(held);
	cr_assert_eq(lab_stream_stop(other).lost, 0);
	net_finish(net);
}

// The segments that wake a host claim to come from its far end. Where the host has gone and main's default
// would take them, they must not get out (net_finish() looks for wrong sources).
Test(failover, what_wakes_a_host_that_is_gone_stays_inside)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3, .routes = true});
	char *gateways = net_gateways(net->lab, 3, weights, false);
	net_configure(net, "%s", gateways);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	struct lab_transfer *idle[] = {transfer_on(net, AF_INET, LAB_IDLE, 2),
				       transfer_on(net, AF_INET6, LAB_IDLE, 2)};
	lab_do(lab_router(net->lab), "ip route del 10.1.0.0/16; ip -6 route del fd00:10:1::/48");
	lab_fault_blackhole(net->lab, 2);
	net_wait_state(net, "g2", "down", 5000);
	for (int i = 0; i < 2; i++)
		cr_expect_eq(lab_transfer_stop(idle[i]).end, LAB_END_RUNNING, "it was woken all the same");
	net_finish(net);
}

Test(failover, carrier_loss_and_admin_down_are_seen_without_a_probe)
{
	struct net *net = start(3);
	struct lab_stream *call = stream_on(net, AF_INET, 1);
	lab_fault_carrier_off(net->lab, 1);
	net_wait_state(net, "g1", "down", 1000);
	cr_assert(lab_stream_wait_answer(call, 1000));
	lab_fault_carrier_on(net->lab, 1);
	net_wait_state(net, "g1", "up", 10000);
	lab_stream_stop(call);
	call = stream_on(net, AF_INET, 1);
	lab_fault_admin_down(net->lab, 1);
	net_wait_state(net, "g1", "down", 1000);
	cr_assert(lab_stream_wait_answer(call, 1000));
	lab_stream_stop(call);
	lab_fault_admin_up(net->lab, 1);
	net_wait_state(net, "g1", "up", 10000);
	call = stream_on(net, AF_INET, 1);
	lab_stream_stop(call);
	net_finish(net);
}

static size_t times_in(const char *text, const char *word)
{
	size_t n = 0;
	while ((text = strstr(text, word))) {
		text += strlen(word);
		n++;
	}
	return n;
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

// A bad plug, with the shipped hold: gone at once, and back only when it has been quiet.
Test(failover, a_carrier_that_flaps_costs_two_transitions)
{
	static const int lasts_ms[] = {500, 900, 2300, 600, 3100, 1200, 700, 4000, 500, 1500};
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	char *output;
	net_configure(net, "gateway g1 { interface = wan1 address = 100.64.1.1 }"
			   "gateway g2 { interface = wan2 address = 100.64.2.1 }"
			   "gateway g3 { interface = wan3 address = 100.64.3.1 }");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	for (size_t i = 0; i < sizeof(lasts_ms) / sizeof(lasts_ms[0]); i++) {
		(i % 2 ? lab_fault_carrier_on : lab_fault_carrier_off)(net->lab, 1);
		lab_wait_until(never, NULL, lasts_ms[i]);
	}
	cr_assert_eq(net_gwctl(net, &output, "-j events"), 0);
	cr_expect_eq(times_in(output, "\"new\":\"down\""), 1, "%s", output);
	free(output);
	net_wait_state(net, "g1", "up", 60000); // as long as the hold has become
	cr_assert_eq(net_gwctl(net, &output, "-j events"), 0);
	cr_expect_eq(times_in(output, "\"name\":\"g1\""), 3, "%s", output); // the first up, down, up
	free(output);
	net_finish(net);
}

Test(failover, only_what_is_beyond_the_next_hop_is_dead)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	net_configure(net, "probe far { targets = { 198.51.100.2, 203.0.113.2 } interval = 200ms fast = 50ms "
			   "timeout = 150ms hold = 0s }"
			   "gateway g1 { interface = wan1 address = 100.64.1.1 probes = far }"
			   "gateway g2 { interface = wan2 address = 100.64.2.1 probes = far }");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	struct lab_stream *call = stream_on(net, AF_INET, 1);
	lab_fault_cut(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	cr_assert(lab_stream_wait_isp(call, 2, 1000));
	lab_stream_stop(call);
	lab_fault_repair(net->lab, 1);
	net_wait_state(net, "g1", "up", 10000);
	net_finish(net);
}

// failback: the others' flows stay, or are reset so that they come back.
static void failback(bool reset)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	net_configure(net,
		      "gateway g1 { interface = wan1 address = 100.64.1.1 probes = quick failback = %s }"
		      "gateway g2 { interface = wan2 address = 100.64.2.1 probes = quick }"
		      "gateway g3 { interface = wan3 address = 100.64.3.1 probes = quick }"
		      "balance default { use g1 { } use g2 { tier = 2 } }"
		      "rule guard { to = 198.51.100.4 gateway = g3 }",
		      reset ? "reset" : "stay");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	lab_fault_blackhole(net->lab, 1);
	net_wait_state(net, "g1", "down", 5000);
	struct lab_stream *call = stream_on(net, AF_INET, 2);
	struct lab_transfer *idle = transfer_on(net, AF_INET, LAB_IDLE, 2);
	lab_fault_repair(net->lab, 1);
	net_wait_state(net, "g1", "up", 10000);
	if (reset) {
		cr_assert(lab_stream_wait_isp(call, 1, 2000));
		cr_assert(lab_transfer_wait_end(idle, 2000));
		cr_assert_eq(lab_transfer_stop(idle).end, LAB_END_RST);
	} else {
		cr_assert(lab_stream_wait_isp(call, 2, 2000));
		cr_assert_eq(lab_transfer_stop(idle).end, LAB_END_RUNNING);
	}
	lab_stream_stop(call);
	net_finish(net);
}

Test(failover, failback_stay)
{
	failback(false);
}

Test(failover, failback_reset)
{
	failback(true);
}
