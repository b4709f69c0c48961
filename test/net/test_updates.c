// SPDX-License-Identifier: GPL-2.0-or-later
// Members come and go thousands of times while clients come all the time, to links and to a service: each of the changes is
// one transaction, and no packet meets a moment without a member. `make long` makes 40,000 of them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/client.h"
#include "gwd/request.h"
#include "nft/nft.h"
#include "nft/nft_priv.h"
#include "test/lab/lab_ns.h"
#include "test/net/inbound.h"

enum { UPDATES = 4000, RATE_HZ = 800 };

static int updates(void)
{
	const char *text = getenv("UPDATES");
	return text ? atoi(text) : UPDATES;
}

static void command(struct net *net, const char *verb, const char *name)
{
	struct request request = {.command = verb, .args = {name}, .n_args = 1};
	struct buf answer = {0};
	struct err err = {0};
	int status = -1,
	    r = client_ask(lab_path(net->lab, "gwd.sock"), &request, &status, &answer, NULL, &err);
	cr_assert(!r && !status, "%s %s: %s%s", verb, name, err.text, buf_text(&answer));
	buf_free(&answer);
}

// One of each kind is always left.
static void update(struct net *net, int i)
{
	static const char *const names[] = {"g1", "web/a", "g2", "web/b"};
	command(net, i / 4 % 2 ? "undrain" : "drain", names[i % 4]);
}

static struct lab_burst *come(struct inbound *in, bool inbound, bool udp)
{
	struct lab *lab = in->net->lab;
	return lab_burst_start(
		lab, &(struct lab_burst_spec){.flow = {.from = inbound ? lab_internet(lab) : lab_host(lab, 1),
						       .to = inbound ? "100.64.3.2" : "198.51.100.1",
						       .port = 80},
					      .count = LAB_BURST_MAX,
					      .rate_hz = RATE_HZ,
					      .timeout_ms = 10000,
					      .udp = udp});
}

static void all_are_answered(struct lab_burst *burst)
{
	lab_burst_enough(burst);
	struct lab_tally tally = lab_burst_tally(burst);
	cr_expect_eq(tally.failed, 0, "beside %d: %d refused, %d unreachable, %d closed, %d timed out",
		     tally.answered, tally.outcome[LAB_REFUSED], tally.outcome[LAB_UNREACHABLE],
		     tally.outcome[LAB_CLOSED], tally.outcome[LAB_TIMEOUT]);
	cr_expect_gt(tally.answered, 1000);
	lab_burst_free(burst);
}

// How many transactions there were, whoever made them.
static uint32_t generation(struct net *net)
{
	struct err err = {0};
	uint32_t generation = 0;
	int before = lab_ns_enter(lab_router(net->lab));
	struct nft *nft = nft_open(&err);
	lab_ns_leave(before);
	cr_assert(nft && !nft_read_genid(nft, &generation, &err), "%s", err.text);
	nft_close(nft);
	return generation;
}

Test(updates, of_members_under_traffic_miss_nobody, .timeout = 300)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 4, .hosts = 3}, 3);
	inbound_gwd(in, "balance default { scheduler = rr persistence = off gateways = { g1, g2, g3 } }"
			"rule guard { to = 198.51.100.4 gateway = g4 }"
			"service web { listen = \"100.64.3.2:80\" protocol = { tcp, udp } scheduler = rr"
			" real a { address = 10.0.0.11 } real b { address = 10.0.0.12 } real c { address = "
			"10.0.0.13 } }");
	net_guard(in->net, 4);
	struct lab_burst *out = come(in, false, true), *to_service = come(in, true, false);
	uint32_t before = generation(in->net);
	for (int i = 0; i < updates(); i++)
		update(in->net, i);
	cr_expect_eq((int)(generation(in->net) - before), updates());
	all_are_answered(out);
	all_are_answered(to_service);
	inbound_finish(in);
}
