// SPDX-License-Identifier: GPL-2.0-or-later
// All reals fail and come back while clients come and go all the time: nobody is refused, and nobody who got through is
// left without his answer, if it takes no longer than what gwd leaves to the connections of a dead real.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/dying.h"

enum { ROUNDS = 2, RATE_HZ = 1500, GRACE_MS = 100, WEIGHTS = 100 };

// Health is asked elsewhere than where clients are served, so a real can fail its check and serve all the same.
#define CHECK "probe check { type = tcp port = 7 %s fall = 2 rise = 2 hold = 0s }\n"

enum { FAR = 3, SORRY = 4 };

struct setting {
	struct inbound *in;
	int family;
	bool udp, remote; // the backup is another site's
	bool weighted;    // the scheduler goes by weights
};

// ---- who fails, and how ------------------------------------------------------------------------

static struct lab_ns *place(struct setting *setting, int real)
{
	return setting->remote && real == FAR ? lab_internet(setting->in->net->lab)
					      : lab_host(setting->in->net->lab, real);
}

// Its check fails; what it serves it serves.
static void ail(struct setting *setting, int real)
{
	lab_nft_load(place(setting, real),
		     "table inet ill {\n chain in { type filter hook input priority -300\n"
		     " tcp dport 7 drop\n }\n }");
}

static void recover(struct setting *setting, int real)
{
	lab_do(place(setting, real), "nft delete table inet ill");
}

static void by_hand(struct setting *setting, const char *command, int real)
{
	char *output;
	static const char *const names[] = {"www1", "www2", "far"};
	cr_assert_eq(net_gwctl(setting->in->net, &output, "%s web/%s", command, names[real - 1]), 0, "%s",
		     output);
	free(output);
}

static void disable(struct setting *setting, int real)
{
	by_hand(setting, "disable", real);
}

static void enable(struct setting *setting, int real)
{
	by_hand(setting, "enable", real);
}

struct fault {
	void (*down)(struct setting *setting, int real);
	void (*up)(struct setting *setting, int real);
};

static const struct fault illness = {ail, recover}, order = {disable, enable};

// ---- clients -----------------------------------------------------------------------------------

// An emulated machine bears fewer.
static int fewer(int n)
{
	return n * 1000 / net_patience(1000);
}

static struct lab_burst *come(struct setting *setting)
{
	return lab_burst_start(setting->in->net->lab,
			       &(struct lab_burst_spec){.flow = {.from = lab_internet(setting->in->net->lab),
								 .to = dying_vip(setting->family, 1),
								 .port = 80},
							.count = LAB_BURST_MAX,
							.rate_hz = fewer(RATE_HZ),
							.timeout_ms = net_patience(10000),
							.udp = setting->udp});
}

// A real's TCP connections are ended a moment after its verdict: who was through, and has waited for that long for an answer
// that this busy machine has not come to yet, is reset.
static bool had_his_time(const struct lab_conn *conn)
{
	return conn->outcome == LAB_REFUSED && conn->error == ECONNRESET &&
	       conn->elapsed_us >= GRACE_MS * 1000;
}

// They stop coming. Returns how many the other site has answered: it sees this router as the client.
static int expect_all(struct lab_burst *burst)
{
	lab_burst_enough(burst);
	struct lab_tally tally = lab_burst_tally(burst);
	int slow = 0;
	for (int i = 0; i < tally.answered + tally.failed; i++)
		slow += had_his_time(&lab_burst_conns(burst)[i]);
	cr_expect_eq(tally.failed, slow,
		     "beside %d and %d slow ones: %d refused, %d unreachable, %d closed, %d timed out",
		     tally.answered, slow, tally.outcome[LAB_REFUSED], tally.outcome[LAB_UNREACHABLE],
		     tally.outcome[LAB_CLOSED], tally.outcome[LAB_TIMEOUT]);
	cr_expect_gt(tally.answered, 100);
	lab_burst_free(burst);
	return tally.isp[1] + tally.isp[2];
}

// ---- the service -------------------------------------------------------------------------------

static void start(struct setting *setting)
{
	struct inbound *in = setting->in =
		inbound_lab(&(struct lab_spec){.isps = 2, .hosts = SORRY, .routes = true}, SORRY);
	bool six = setting->family == AF_INET6;
	const char *net = six ? "fd00:10::" : "10.0.0.";
	char far[128];
	snprintf(far, sizeof(far), "address = \"%s13\" port = 8080", net);
	if (setting->remote)
		snprintf(far, sizeof(far), "address = \"%s\" port = 9000 forward = fullnat",
			 lab_server_address(setting->family, 5));
	dying_vips(in);
	inbound_gwd(in,
		    CHECK "service web { listen = \"%s%s%s:80\" protocol = %s scheduler = %s probes = check"
			  " real www1 { address = \"%s11\" port = 8080 }"
			  " real www2 { address = \"%s12\" port = 8080 }"
			  " backup far { %s }"
			  " sorry { address = \"%s14\" port = 8080 } }",
		    net_probe_times(), six ? "[" : "", dying_vip(setting->family, 1), six ? "]" : "",
		    setting->udp ? "udp" : "tcp", setting->weighted ? "wrr" : "rr", net, net, far, net);
	dying_wait_state(in, "web", "www1", "up", 5000);
	dying_wait_state(in, "web", "www2", "up", 5000);
	dying_wait_state(in, "web", "far", "up", 5000);
	net_guard(in->net, 2);
}

// Down to the sorry server and back.
static void down_and_up(struct setting *setting, const struct fault *fault)
{
	for (int real = 1; real < FAR; real++)
		fault->down(setting, real);
	dying_wait_serving(setting->in, "web", "backup", 5000);
	fault->down(setting, FAR);
	dying_wait_serving(setting->in, "web", "sorry", 5000);
	fault->up(setting, FAR);
	dying_wait_serving(setting->in, "web", "backup", 5000);
	for (int real = 1; real < FAR; real++)
		fault->up(setting, real);
	dying_wait_serving(setting->in, "web", "reals", 5000);
}

static void under_load(struct setting setting, const struct fault *fault)
{
	int abroad = 0;
	start(&setting);
	for (int round = 0; round < ROUNDS; round++) {
		struct lab_burst *burst = come(&setting);
		down_and_up(&setting, fault);
		abroad += expect_all(burst);
	}
	for (int real = 1; real <= SORRY; real++)
		cr_expect_gt(setting.remote && real == FAR ? abroad : inbound_served(setting.in, real), 0,
			     "real %d was never asked", real);
	inbound_finish(setting.in);
}

Test(switching, tcp_where_health_fails)
{
	under_load((struct setting){.family = AF_INET}, &illness);
}

Test(switching, tcp_where_health_fails_6)
{
	under_load((struct setting){.family = AF_INET6}, &illness);
}

Test(switching, udp_where_health_fails)
{
	under_load((struct setting){.family = AF_INET, .udp = true}, &illness);
}

Test(switching, tcp_by_hand)
{
	under_load((struct setting){.family = AF_INET}, &order);
}

Test(switching, udp_by_hand_6)
{
	under_load((struct setting){.family = AF_INET6, .udp = true}, &order);
}

Test(switching, tcp_to_another_site_and_back)
{
	under_load((struct setting){.family = AF_INET, .remote = true}, &illness);
}

Test(switching, udp_to_another_site_and_back)
{
	under_load((struct setting){.family = AF_INET, .udp = true, .remote = true}, &order);
}

// ---- weights -----------------------------------------------------------------------------------

static bool one_map_is_left(void *arg)
{
	struct setting *setting = arg;
	return !lab_run(lab_router(setting->in->net->lab), NULL,
			"test $(nft -t list table inet gwd | grep -c 'map pool%c.web.') = 1",
			setting->family == AF_INET6 ? '6' : '4');
}

// The slots that it draws from are others in number each time, and so are its rules; what was there before is
// gone when all is done.
static void under_weights(struct setting setting)
{
	static const unsigned weights[] = {7, 13, 1, 19, 29};
	char *output;
	start(&setting);
	struct lab_burst *burst = come(&setting);
	for (int i = 0; i < fewer(WEIGHTS); i++) {
		cr_assert_eq(net_gwctl(setting.in->net, &output, "weight web/www1 %u",
				       weights[(size_t)i % (sizeof(weights) / sizeof(*weights))]),
			     0, "%s", output);
		free(output);
	}
	expect_all(burst);
	for (int real = 1; real < FAR; real++)
		cr_expect_gt(inbound_served(setting.in, real), 0, "real %d was never asked", real);
	cr_expect(lab_wait_until(one_map_is_left, &setting, net_patience(5000)),
		  "a map of other weights is left");
	inbound_finish(setting.in);
}

Test(switching, tcp_while_weights_change)
{
	under_weights((struct setting){.family = AF_INET, .weighted = true});
}

Test(switching, udp_while_weights_change_6)
{
	under_weights((struct setting){.family = AF_INET6, .udp = true, .weighted = true});
}

// ---- a real that is gone -----------------------------------------------------------------------

// Its programs have ended: its host refuses, clients too until the verdict is there, and none from then on.
Test(switching, whom_a_real_refuses_came_before_its_verdict)
{
	struct setting setting = {.family = AF_INET};
	start(&setting);
	struct lab_burst *burst = come(&setting);
	for (int real = 1; real < FAR; real++)
		lab_nft_load(lab_host(setting.in->net->lab, real),
			     "table inet ill {\n chain in { type filter hook input priority -300\n"
			     " tcp dport < 10000 reject with tcp reset\n }\n }");
	dying_wait_serving(setting.in, "web", "backup", 5000);
	int64_t verdict_ms = lab_now_ms();
	inbound_ask(setting.in, dying_vip(AF_INET, 1), 80, 200);
	lab_burst_enough(burst);
	const struct lab_conn *conns = lab_burst_conns(burst);
	int count = lab_burst_tally(burst).answered + lab_burst_tally(burst).failed;
	for (int i = 0; i < count; i++)
		cr_expect(conns[i].outcome == LAB_ANSWERED || conns[i].began_ms <= verdict_ms,
			  "%s, %d ms after it", lab_outcome_name(conns[i].outcome),
			  (int)(conns[i].began_ms - verdict_ms));
	lab_burst_free(burst);
	inbound_finish(setting.in);
}
