// SPDX-License-Identifier: GPL-2.0-or-later
// Published services on the fast path: their flows are carried by it, each by the link that it came in on; a dead real's
// leave it; and who closes gives its place back from there, too. Skipped where the kernel has no flowtables;
// test/vm/run-net runs it on one that has.
#include <stdlib.h>

#include "test/net/dying.h"
#include "test/net/offload.h"

// gentle: a machine without KVM takes its time
#define ASK "probe ask { type = tcp interval = 1s fast = 500ms timeout = 2s hold = 0s }"

// One service on two links, both families, with reals on hosts 1 and 2.
static struct inbound *start(const char *options)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 3);
	offload_or_skip(in->net);
	dying_vips(in);
	inbound_gwd(
		in,
		ASK
		"service web { listen = { \"100.64.2.17:80\", \"[2001:db8:2:80::17]:80\" } protocol = { tcp, "
		"udp }"
		" scheduler = rr probes = ask %s"
		" real www1 { address = 10.0.0.11 port = 8080 } real www2 { address = 10.0.0.12 port = 8080 }"
		" real six1 { address = fd00:10::11 port = 8080 } real six2 { address = fd00:10::12 port = "
		"8080 } }",
		options);
	static const char *const reals[] = {"www1", "www2", "six1", "six2"};
	for (int i = 0; i < 4; i++)
		dying_wait_state(in, "web", reals[i], "up", 15000);
	net_guard(in->net, 1);
	return in;
}

static struct lab_flow to_service(struct inbound *in, int family)
{
	return (struct lab_flow){.from = lab_internet(in->net->lab), .to = dying_vip(family, 2), .port = 80};
}

static struct lab_transfer *upload(struct inbound *in, int family)
{
	struct lab_transfer *started =
		lab_transfer_start(in->net->lab, &(struct lab_transfer_spec){.flow = to_service(in, family),
									     .kind = LAB_UPLOAD});
	cr_assert(lab_transfer_wait_running(started, 3000));
	return started;
}

static struct lab_stream *call(struct inbound *in, int family)
{
	struct lab_stream *started = lab_stream_start(
		in->net->lab, &(struct lab_stream_spec){.flow = to_service(in, family), .rate_hz = 100});
	cr_assert(lab_stream_wait_answer(started, 3000));
	return started;
}

static void carried(const char *options)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct inbound *in = start(options);
	for (int i = 0; i < 2; i++) {
		struct lab_transfer *sends = upload(in, families[i]);
		struct lab_stream *talks = call(in, families[i]);
		offload_assert(in->net, dying_vip(families[i], 2), "tcp");
		offload_assert(in->net, dying_vip(families[i], 2), "udp");
		uint64_t before = lab_isp_packets(in->net->lab, 2);
		cr_assert(lab_stream_wait_answer(talks, 1000));
		cr_assert_gt(lab_isp_packets(in->net->lab, 2), before, "answered by another link");
		cr_assert_eq(lab_transfer_stop(sends).end, LAB_END_RUNNING);
		cr_assert_eq(lab_stream_stop(talks).lost, 0);
	}
	inbound_finish(in);
}

Test(service_fastpath, carries_what_is_translated_once)
{
	carried("");
}

Test(service_fastpath, carries_what_is_translated_twice)
{
	carried("forward = fullnat persistence = 1m persist-mask = 24");
}

Test(service_fastpath, a_dead_reals_flows_leave_it)
{
	struct inbound *in = start("");
	struct lab_transfer *sends[2] = {upload(in, AF_INET), upload(in, AF_INET)}; // by turns: one on each
	struct lab_stream *talks[2] = {call(in, AF_INET), call(in, AF_INET)};
	int ended = 0;
	offload_assert(in->net, dying_vip(AF_INET, 2), "tcp");
	offload_assert(in->net, dying_vip(AF_INET, 2), "udp");
	dying_kill(in, 1);
	dying_wait_state(in, "web", "www1", "down", 20000);
	cr_assert(lab_transfer_wait_end(sends[0], 2000) || lab_transfer_wait_end(sends[1], 2000), "it hangs");
	for (int i = 0; i < 2; i++) {
		ended += lab_transfer_stop(sends[i]).end == LAB_END_RST;
		cr_expect(lab_stream_wait_answer(talks[i], 2000), "call %d is dead", i);
		lab_stream_stop(talks[i]);
	}
	cr_expect_eq(ended, 1, "%d of 2 have ended", ended);
	inbound_finish(in);
}
