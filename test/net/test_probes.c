// SPDX-License-Identifier: GPL-2.0-or-later
// Checkers over real links, without the daemon: what is asked really goes out by the link, what is
// believed is true, and a death is found in time.
#include <event2/event.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "gwd/core/verdict.h"
#include "test/net/forger.h"
#include "test/net/watching.h"

static const struct model_probe *paced(uint32_t interval_ms)
{
	static struct model_probe probe;

	probe = watching_shipped;
	probe.interval_ms = interval_ms;
	return &probe;
}

static void watch(struct watched *s, struct watching *w, int isp, int family, const char *target,
		  uint32_t interval_ms)
{
	watching_isp(s, w, isp, family, paced(interval_ms), target);
}

// ---- life and death --------------------------------------------------------------------------

Test(probes, next_hops_and_what_lies_beyond_answer_at_once)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct watching w = watching_start(&(struct lab_spec){.isps = 2, .routes = true});
	struct watched s[4];

	for (size_t f = 0; f < 2; f++) {
		watch(&s[2 * f], &w, 1, families[f], NULL, 1000);
		watch(&s[2 * f + 1], &w, 2, families[f], lab_server_address(families[f], 1), 1000);
	}
	for (size_t i = 0; i < 4; i++)
		watching_wait(&s[i], STATE_UP, 2000);
	watching_run(&w, 2500);
	for (size_t i = 0; i < 4; i++) {
		const struct verdict *v = checker_verdict(s[i].checker);

		cr_expect(v->latency_ms > 0 && v->latency_ms < 100, "%f ms", v->latency_ms);
		cr_expect(v->jitter_ms >= 0 && v->loss < 0.01);
		cr_expect_eq(s[i].changes, 1);
		checker_free(s[i].checker);
	}
	watching_finish(&w);
}

#define CHECKERS 40

// Many checkers, each in a phase of its own, see the same death. How soon is held on simulated time
// (test_watch.c); here it is only printed, since the machine may be busy.
static void see_death(uint32_t interval_ms)
{
	struct watching w = watching_start(&(struct lab_spec){.isps = 2, .routes = true});
	struct watched s[CHECKERS], other;
	int64_t worst = 0;

	for (size_t i = 0; i < CHECKERS; i++) {
		int family = i % 2 ? AF_INET : AF_INET6;

		watch(&s[i], &w, 1, family, i % 4 / 2 ? lab_server_address(family, 1) : NULL, interval_ms);
		watching_run(&w, 15);
	}
	watch(&other, &w, 2, AF_INET, lab_server_address(AF_INET, 1), interval_ms);
	watching_run(&w, 2500);
	int64_t died_ms = lab_fault_blackhole(w.lab, 1);
	watching_run(&w, 4000);
	for (size_t i = 0; i < CHECKERS; i++) {
		cr_assert_eq(s[i].verdict.state, STATE_DOWN, "checker %zu: %s", i, s[i].verdict.reason);
		cr_expect(strstr(s[i].verdict.reason, "no answer from"), "%s", s[i].verdict.reason);
		worst = s[i].changed_ms - died_ms > worst ? s[i].changed_ms - died_ms : worst;
		checker_free(s[i].checker);
	}
	cr_log_info("the last of %d checkers saw it after %lld ms", CHECKERS, (long long)worst);
	cr_expect_eq(other.verdict.state, STATE_UP, "%s", other.verdict.reason);
	cr_expect_eq(other.changes, 1);
	checker_free(other.checker);
	watching_finish(&w);
}

Test(probes, a_death_is_found_by_all_at_the_default_pace)
{
	see_death(1000);
}

Test(probes, a_death_is_found_by_all_at_a_tenth_of_it)
{
	see_death(100);
}

Test(probes, the_next_hop_may_live_while_all_beyond_it_is_dead)
{
	struct watching w = watching_start(&(struct lab_spec){.isps = 1, .routes = true});
	struct watched hop, server;

	watch(&hop, &w, 1, AF_INET, NULL, 1000);
	watch(&server, &w, 1, AF_INET, lab_server_address(AF_INET, 1), 1000);
	watching_wait(&hop, STATE_UP, 2000);
	watching_wait(&server, STATE_UP, 2000);
	lab_fault_cut(w.lab, 1);
	watching_wait(&server, STATE_DOWN, 2000);
	cr_expect_eq(hop.changes, 1, "%s", hop.verdict.reason);
	lab_fault_repair(w.lab, 1);
	watching_wait(&server, STATE_UP, 10000);
	checker_free(hop.checker);
	checker_free(server.checker);
	watching_finish(&w);
}

// ---- answers by another link -------------------------------------------------------------------

// The way back to link 1's address leads over link 2, or is mended.
static void send_back_by_two(struct lab *lab, bool wrong)
{
	const struct lab_ns *net = lab_internet(lab);

	if (wrong) {
		lab_do(net, "ip route replace 100.64.1.0/24 via 172.31.2.2");
		lab_do(net, "ip route replace 2001:db8:1::/64 via fd00:31:2::2");
		lab_do(lab_isp(lab, 2), "ip route replace 100.64.1.0/24 via 100.64.2.2");
		lab_do(lab_isp(lab, 2), "ip route replace 2001:db8:1::/64 via 2001:db8:2::2");
		return;
	}
	lab_do(net, "ip route replace 100.64.1.0/24 via 172.31.1.2");
	lab_do(net, "ip route replace 2001:db8:1::/64 via fd00:31:1::2");
}

static bool came_by_two(struct lab *lab, const char *counter)
{
	char *output;
	lab_run(lab_router(lab), &output, "nft list counter inet t %s", counter);
	bool some = !strstr(output, "packets 0 ");

	free(output);
	return some;
}

// Such an answer tells that the target lives, and nothing of the link that was asked about.
Test(probes, an_answer_by_another_link_is_none)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct watching w = watching_start(&(struct lab_spec){.isps = 2, .routes = true});
	struct model_probe tcp = *paced(1000);
	struct watched s[4];

	tcp.type = PROBE_TCP;
	tcp.port = 80;
	lab_nft_load(lab_router(w.lab),
		     "table inet t {\n"
		     "counter icmp4 { }\ncounter icmp6 { }\ncounter syns { }\n"
		     "chain pre { type filter hook prerouting priority -300;\n"
		     "iifname wan2 ip daddr 100.64.1.2 icmp type echo-reply counter name icmp4\n"
		     "iifname wan2 ip6 daddr 2001:db8:1::2 icmpv6 type echo-reply counter name icmp6\n"
		     "iifname wan2 tcp flags & (syn | ack) == syn | ack counter name syns\n"
		     "}\n}\n");
	for (size_t f = 0; f < 2; f++) {
		watching_isp(&s[2 * f], &w, 1, families[f], paced(1000), lab_server_address(families[f], 1));
		watching_isp(&s[2 * f + 1], &w, 1, families[f], &tcp, lab_server_address(families[f], 1));
	}
	for (size_t i = 0; i < 4; i++)
		watching_wait(&s[i], STATE_UP, 2000);
	send_back_by_two(w.lab, true);
	for (size_t i = 0; i < 4; i++)
		watching_wait(&s[i], STATE_DOWN, 5000);
	watching_run(&w, 3000);
	for (size_t i = 0; i < 4; i++) {
		cr_expect_eq(s[i].verdict.state, STATE_DOWN, "%s", s[i].verdict.reason);
		cr_expect_eq(s[i].changes, 2, "%s", s[i].verdict.reason);
	}
	cr_expect(came_by_two(w.lab, "icmp4") && came_by_two(w.lab, "icmp6") && came_by_two(w.lab, "syns"),
		  "the answers did not come by the other link");
	send_back_by_two(w.lab, false);
	for (size_t i = 0; i < 4; i++) {
		watching_wait(&s[i], STATE_UP, 15000);
		checker_free(s[i].checker);
	}
	watching_finish(&w);
}

// ---- the link changes ------------------------------------------------------------------------

struct asked {
	struct lab *lab;
	int family;
};

static bool next_hop_answers(void *arg)
{
	const struct asked *asked = arg;
	return lab_run(lab_router(asked->lab), NULL, "ping -n -q -c 1 -W 1 %s",
		       lab_wan_nexthop(asked->lab, 1, asked->family)) == 0;
}

static void made_anew(int family)
{
	struct watching w = watching_start(&(struct lab_spec){.isps = 1, .routes = true});
	struct watched s;

	watch(&s, &w, 1, family, NULL, 1000);
	watching_wait(&s, STATE_UP, 2000);
	checker_set_urgent(s.checker, true); // without hold
	lab_fault_delete(w.lab, 1);
	watching_wait(&s, STATE_DOWN, 2000);
	cr_expect(strstr(s.verdict.reason, "can't ask "), "%s", s.verdict.reason);
	lab_fault_recreate(w.lab, 1);
	watching_wait(&s, STATE_UP, 2000); // by itself
	for (int i = 0; i < 3; i++) {
		lab_fault_delete(w.lab, 1);
		lab_fault_recreate(w.lab, 1);
		cr_assert(lab_wait_until(next_hop_answers, &(struct asked){w.lab, family}, 5000));
		int64_t told_ms = lab_now_ms();
		s.binding.ifindex = if_nametoindex("wan1");
		size_t changes = s.changes;
		checker_rebind(s.checker, &s.binding);
		watching_run(&w, 700);
		cr_expect_eq(s.changes, changes, "told at %lld: %s", (long long)told_ms, s.verdict.reason);
		cr_expect_eq(checker_verdict(s.checker)->state, STATE_UP);
	}
	checker_free(s.checker);
	watching_finish(&w);
}

Test(probes, a_device_that_was_made_anew_is_bound_to_again_4)
{
	made_anew(AF_INET);
}

Test(probes, a_device_that_was_made_anew_is_bound_to_again_6)
{
	made_anew(AF_INET6);
}

Test(probes, a_broken_link_is_down_at_once_and_on_hold_when_it_is_whole_again)
{
	struct watching w = watching_start(&(struct lab_spec){.isps = 1});
	struct watched s;

	watch(&s, &w, 1, AF_INET, NULL, 1000);
	watching_wait(&s, STATE_UP, 2000);
	snprintf(s.binding.broken, sizeof(s.binding.broken), "no carrier on wan1");
	checker_rebind(s.checker, &s.binding);
	cr_expect_eq(checker_verdict(s.checker)->state, STATE_DOWN, "before the call returns");
	cr_expect_eq(s.changes, 1, "the callback comes from the loop");
	watching_run(&w, 10);
	cr_expect_eq(s.changes, 2);
	cr_expect_str_eq(s.verdict.reason, "no carrier on wan1");
	s.binding.broken[0] = 0;
	checker_rebind(s.checker, &s.binding);
	int64_t whole_ms = lab_now_ms();
	watching_wait(&s, STATE_UP, 8000);
	cr_expect_geq(s.changed_ms - whole_ms, 5000);
	cr_expect_leq(s.changed_ms - whole_ms, 6500);
	checker_free(s.checker);
	watching_finish(&w);
}

Test(probes, two_links_to_one_target_do_not_share_a_conntrack_entry)
{
	struct watching w = watching_start(&(struct lab_spec){.isps = 3, .routes = true});
	struct watched s[3];

	lab_nft_load(lab_router(w.lab),
		     "table ip t {\n"
		     "chain post { type nat hook postrouting priority 100; masquerade; }\n"
		     "chain in { type filter hook input priority 0; ct state invalid drop; }\n"
		     "}\n");
	for (int i = 0; i < 3; i++) {
		s[i] = (struct watched){.watching = &w};
		snprintf(s[i].binding.ifname, sizeof(s[i].binding.ifname), "wan%d", i + 1);
		addr_parse("10.0.0.1", &s[i].binding.source); // the same for all, and translated
		watching_check(&s[i], paced(100), lab_server_address(AF_INET, 1));
	}
	watching_run(&w, 1500);
	for (int i = 0; i < 3; i++) {
		cr_expect_eq(s[i].verdict.state, STATE_UP, "%s", s[i].verdict.reason);
		cr_expect_eq(s[i].changes, 1);
		cr_expect(checker_verdict(s[i].checker)->loss < 0.01);
		checker_free(s[i].checker);
	}
	watching_finish(&w);
}

// ---- shortage --------------------------------------------------------------------------------

// Without a lab, whose threads need descriptors, too.
Test(probes, without_descriptors_nothing_is_concluded)
{
	struct watching w = {.base = event_base_new()};
	struct watched s;
	struct rlimit usual, none;
	struct lab_ns ns;

	lab_ns_create(&ns, "lonely");
	lab_ns_link_set(&ns, "lo", true);
	lab_ns_enter(&ns);
	w.set = prober_set_new(w.base);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &usual), 0);
	none = usual;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	s = (struct watched){.watching = &w, .binding = {.ifname = "lo"}};
	watching_check(&s, paced(1000), "127.0.0.1");
	watching_run(&w, 1500);
	cr_expect_eq(s.verdict.state, STATE_UNKNOWN);
	cr_expect(strstr(s.verdict.reason, "Too many open files"), "%s", s.verdict.reason);
	setrlimit(RLIMIT_NOFILE, &usual);
	watching_wait(&s, STATE_UP, 2000);
	checker_free(s.checker);
	prober_set_free(w.set);
	event_base_free(w.base);
}

// ---- lies ------------------------------------------------------------------------------------

struct lie {
	int family;
	enum forger_lie lie;
	enum state state; // that it leads to
	const char *reason;
};

#define LIES 8

// Every ISP's next hop tells another lie.
static void expect_lies(const struct lie *lies, int n)
{
	struct watching w = watching_start(&(struct lab_spec){.isps = n});
	struct watched s[LIES];
	struct forger *forger[LIES];

	for (int i = 0; i < n; i++) {
		lab_do(lab_isp(w.lab, i + 1), "ip addr add %s dev lo && ip addr add %s dev lo nodad",
		       "198.51.100.99/32", "2001:db8:aaaa::99/128");
		forger[i] = forger_start(lab_isp(w.lab, i + 1), lies[i].family, lies[i].lie);
		watch(&s[i], &w, i + 1, lies[i].family, NULL, 1000);
	}
	watching_run(&w, 3500);
	for (int i = 0; i < n; i++) {
		cr_expect_eq(s[i].verdict.state, lies[i].state, "row %d: %s", i, s[i].verdict.reason);
		cr_expect(strstr(s[i].verdict.reason, lies[i].reason), "row %d: %s", i, s[i].verdict.reason);
		cr_expect_eq(s[i].changes, 1, "row %d: %s", i, s[i].verdict.reason);
		cr_expect_geq(forger_stop(forger[i]), 2, "row %d: the forger said nothing", i);
		checker_free(s[i].checker);
	}
	watching_finish(&w);
}

Test(probes, no_lie_is_believed_4)
{
	static const struct lie lies[] = {
		{AF_INET, FORGER_HONEST, STATE_UP, "answers"},
		{AF_INET, FORGER_NONCE, STATE_DOWN, "no answer from"},
		{AF_INET, FORGER_ID, STATE_DOWN, "no answer from"},
		{AF_INET, FORGER_SEQUENCE, STATE_DOWN, "no answer from"},
		{AF_INET, FORGER_SOURCE, STATE_DOWN, "no answer from"},
		{AF_INET, FORGER_CHECKSUM, STATE_DOWN, "no answer from"},
		{AF_INET, FORGER_CODE, STATE_DOWN, "no answer from"},
		{AF_INET, FORGER_SHORT, STATE_DOWN, "no answer from"},
	};

	expect_lies(lies, ARRAY_SIZE(lies));
}

Test(probes, no_lie_is_believed_6)
{
	static const struct lie lies[] = {
		{AF_INET6, FORGER_HONEST, STATE_UP, "answers"},
		{AF_INET6, FORGER_NONCE, STATE_DOWN, "no answer from"},
		{AF_INET6, FORGER_ID, STATE_DOWN, "no answer from"},
		{AF_INET6, FORGER_SEQUENCE, STATE_DOWN, "no answer from"},
		{AF_INET6, FORGER_SOURCE, STATE_DOWN, "no answer from"},
		{AF_INET6, FORGER_CODE, STATE_DOWN, "no answer from"},
		{AF_INET6, FORGER_SHORT, STATE_DOWN, "no answer from"},
	};

	expect_lies(lies, ARRAY_SIZE(lies));
}

Test(probes, an_error_counts_when_it_quotes_the_nonce)
{
	static const struct lie lies[] = {
		{AF_INET, FORGER_ERROR, STATE_DOWN, "host unreachable, says 100.64.1.1"},
		{AF_INET6, FORGER_ERROR, STATE_DOWN, "address unreachable, says 2001:db8:2::1"},
		{AF_INET, FORGER_ERROR_LIE, STATE_DOWN, "no answer from"},
		{AF_INET6, FORGER_ERROR_LIE, STATE_DOWN, "no answer from"},
	};

	expect_lies(lies, ARRAY_SIZE(lies));
}
