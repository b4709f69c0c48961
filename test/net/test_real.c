// SPDX-License-Identifier: GPL-2.0-or-later
// A real dies: whoever is connected to it goes on with another one or is told at once, by the link that it came in on,
// and nobody else notices. Backup and sorry server take over and give back without refusing anybody.
#include <stdlib.h>
#include <string.h>

#include "test/net/dying.h"

#define ASK "probe ask { type = tcp interval = 200ms fast = 50ms timeout = 150ms hold = 0s }"

// Two links, reals on hosts 1 and 2 in both families, clients in the internet and on host 3.
static struct inbound *start(void)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 2);
	dying_vips(in);
	inbound_gwd(
		in, ASK
		"service web { listen = { \"100.64.1.17:80\", \"100.64.2.17:80\", \"[2001:db8:1:80::17]:80\" "
		"}"
		" protocol = { tcp, udp } scheduler = rr probes = ask"
		" real www1 { address = 10.0.0.11 port = 8080 } real www2 { address = 10.0.0.12 port = 8080 }"
		" real six1 { address = fd00:10::11 port = 8080 } real six2 { address = fd00:10::12 port = "
		"8080 } }");
	dying_wait_state(in, "web", "www1", "up", 5000);
	dying_wait_state(in, "web", "www2", "up", 5000);
	dying_wait_state(in, "web", "six1", "up", 5000);
	dying_wait_state(in, "web", "six2", "up", 5000);
	net_guard(in->net, 1);
	return in;
}

static struct lab_transfer *transfer(struct inbound *in, struct lab_ns *from, int family, int isp,
				     enum lab_transfer_kind kind)
{
	struct lab_transfer *one = lab_transfer_start(
		in->net->lab,
		&(struct lab_transfer_spec){.flow = {.from = from, .to = dying_vip(family, isp), .port = 80},
					    .kind = kind});
	cr_assert(lab_transfer_wait_running(one, 3000));
	return one;
}

// By turns on both reals: the second of two is on the other one.
static void tcp_ends(int family, int isp, bool lan, enum lab_transfer_kind kind)
{
	struct inbound *in = start();
	struct lab_ns *from = lan ? lab_host(in->net->lab, 3) : lab_internet(in->net->lab);
	struct lab_transfer *both[2];
	int ended = 0;
	for (int i = 0; i < 2; i++)
		both[i] = transfer(in, from, family, isp, kind);
	dying_kill(in, 1);
	dying_wait_state(in, "web", family == AF_INET ? "www1" : "six1", "down", 5000);
	cr_assert(lab_transfer_wait_end(both[0], 1000) || lab_transfer_wait_end(both[1], 1000), "it hangs");
	for (int i = 0; i < 2; i++) {
		struct lab_transfer_report report = lab_transfer_stop(both[i]);
		cr_expect(report.end == LAB_END_RST || report.end == LAB_END_RUNNING, "%s",
			  lab_transfer_end_name(report.end));
		ended += report.end == LAB_END_RST;
	}
	cr_expect_eq(ended, 1, "%d of 2 have ended", ended);
	inbound_finish(in);
}

Test(real, an_idle_client_is_reset)
{
	tcp_ends(AF_INET, 1, false, LAB_IDLE);
}

Test(real, an_idle_client_on_another_link_is_reset)
{
	tcp_ends(AF_INET, 2, false, LAB_IDLE);
}

Test(real, an_idle_client_is_reset_6)
{
	tcp_ends(AF_INET6, 1, false, LAB_IDLE);
}

Test(real, an_idle_client_in_the_lan_is_reset)
{
	tcp_ends(AF_INET, 1, true, LAB_IDLE);
}

Test(real, an_upload_is_reset)
{
	tcp_ends(AF_INET, 2, false, LAB_UPLOAD);
}

Test(real, a_download_is_reset)
{
	tcp_ends(AF_INET, 2, false, LAB_DOWNLOAD);
}

Test(real, a_udp_flow_goes_on_with_another_one)
{
	struct inbound *in = start();
	struct lab_stream *calls[2];
	for (int i = 0; i < 2; i++)
		calls[i] = lab_stream_start(
			in->net->lab, &(struct lab_stream_spec){.flow = {.from = lab_internet(in->net->lab),
									 .to = dying_vip(AF_INET, 2),
									 .port = 80},
								.rate_hz = 200});
	for (int i = 0; i < 2; i++)
		cr_assert(lab_stream_wait_answer(calls[i], 2000));
	dying_kill(in, 1);
	dying_wait_state(in, "web", "www1", "down", 5000);
	for (int i = 0; i < 2; i++)
		cr_expect(lab_stream_wait_answer(calls[i], 1000), "stream %d is dead", i);
	int lost = 0;
	for (int i = 0; i < 2; i++)
		lost += lab_stream_stop(calls[i]).lost > 0;
	cr_expect_eq(lost, 1, "%d of 2 noticed", lost); // one was never on the dead real
	inbound_finish(in);
}
