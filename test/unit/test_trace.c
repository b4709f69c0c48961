// SPDX-License-Identifier: GPL-2.0-or-later
// What the net test's random flows don't meet, or only by chance.
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/base/jhash.h"
#include "gwd/core/facts.h"
#include "gwd/core/names.h"
#include "gwd/core/trace.h"
#include "gwd/trace_ask.h"
#include "gwd/trace_print.h"
#include "test/unit/fixture.h"

// What the kernel would say: one pin, one count of turns.
struct kernel {
	const char *pins; // map that has one, or NULL
	uint32_t mark;
	uint64_t taken;
};

static bool kernel_pin(void *arg, enum plan_table table, const char *map, const uint8_t *key, unsigned size,
		       uint32_t *mark, uint64_t *left_ms)
{
	const struct kernel *kernel = arg;
	const uint8_t client[] = {10, 0, 0, 9};
	(void)table;
	if (!kernel->pins || strcmp(kernel->pins, map) != 0)
		return false;
	cr_assert(size == 4 && !memcmp(key, client, 4));
	*mark = kernel->mark;
	*left_ms = 5000;
	return true;
}

static bool kernel_taken(void *arg, const char *chain, uint64_t *taken)
{
	cr_assert_str_eq(chain, "group4.default");
	*taken = ((const struct kernel *)arg)->taken;
	return true;
}

static struct addr addr(const char *text)
{
	struct addr a;
	cr_assert(addr_parse(text, &a), "%s", text);
	return a;
}

static struct trace_flow flow(const char *from, const char *to)
{
	return (struct trace_flow){.from = addr(from), .to = addr(to)};
}

static void add_net(struct fixture *f, const char *to, uint32_t oif)
{
	struct fact_net net = {.oif = oif};
	cr_assert(prefix_parse(to, &net.to), "%s", to);
	vec_push(&f->facts.nets, net);
}

static struct trace_world outward(const char *iif, struct kernel *kernel)
{
	struct trace_world world = {.route = TRACE_ROUTE_OUT,
				    .route_is_default = true,
				    .oif = "wan1",
				    .from_here = !*iif,
				    .pin = kernel_pin,
				    .taken = kernel_taken,
				    .arg = kernel};
	strcpy(world.iif, iif);
	return world;
}

static struct trace run(const struct plan *plan, struct trace_flow f, struct trace_world world)
{
	struct trace trace = {0};
	trace_run(&trace, plan, &f, &world);
	return trace;
}

Test(trace, jhash_is_the_kernels)
{
	// lookup3's own example, and what nft's `jhash ip saddr mod 509 seed 0x67776400` has for 10.0.0.1
	cr_expect_eq(jhash("Four score and seven years ago", 30, 0), 0x17770551);
	cr_expect_eq(jhash("", 0, 0), 0xdeadbeef);
	cr_expect_eq(jhash_mod("\x0a\x00\x00\x01", 4, 509, PLAN_HASH_SEED), 126);
}

Test(trace, a_pin_counts_while_its_gateway_is_live)
{
	struct fixture *f = fixture_new(3);
	struct kernel kernel = {.pins = "pin4.default"};
	f->balances[0].persistence_ms = 5000;
	for (int dead = 0; dead < 2; dead++) {
		struct plan plan = {0};
		if (dead)
			fixture_verdict(f, 1, STATE_DOWN);
		fixture_build(f, &plan);
		kernel.mark = plan.gateways.v[1].mark;
		struct trace t = run(&plan, flow("10.0.0.9", "192.0.2.1"), outward("lan0", &kernel));
		cr_expect_eq(t.origin, TRACE_FROM_LAN);
		cr_expect_eq(t.groups.v[0].pin, dead ? TRACE_PIN_VOID : TRACE_PIN_LIVE);
		cr_expect_eq(t.groups.v[0].pin_gateway, 1);
		cr_expect_eq(t.end, dead ? TRACE_TURN : TRACE_TAKEN);
		cr_expect_eq(t.groups.v[0].members.v[1].why, dead ? TRACE_DOWN : TRACE_CHOSEN);
		cr_expect_eq(t.groups.v[0].members.v[0].why, dead ? TRACE_IN_TURN : TRACE_OTHER);
		trace_free(&t);
		plan_free(&plan);
	}
	fixture_free(f);
}

Test(trace, counts_tell_whose_turn_it_is)
{
	struct fixture *f = fixture_new(3);
	struct plan plan = {0};
	struct kernel kernel = {0};
	char name[PLAN_NAME_SIZE];
	f->balances[0].scheduler = SCHED_LC;
	fixture_build(f, &plan);
	uint32_t n = plan.groups.v[0].n_slots[FAM_4];
	const struct plan_set *set = plan_find_set(&plan, name_slots(name, FAM_4, &plan.groups.v[0]));
	for (uint32_t slot = 0; slot < n; slot++) {
		kernel.taken = 1000u * n + slot;
		struct trace t = run(&plan, flow("10.0.0.9", "192.0.2.1"), outward("lan0", &kernel));
		cr_expect_eq(t.why, TRACE_BY_COUNTS);
		cr_expect_eq(t.groups.v[0].slot, slot);
		cr_expect_str_eq(name_gateway_chain(name, "take", &plan.gateways.v[t.gateway]),
				 set->elems.v[slot].chain);
		trace_free(&t);
	}
	plan_free(&plan);
	fixture_free(f);
}

Test(trace, what_the_question_leaves_open_matches_no_selector)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	uint8_t udp = IPPROTO_UDP;
	struct model_ports sip = {5060, 5060};
	struct kernel kernel = {0};
	f->rules[0] = (struct model_rule){.name = "voip",
					  .protocols = &udp,
					  .n_protocols = 1,
					  .ports = &sip,
					  .n_ports = 1,
					  .target = RULE_GATEWAY,
					  .gateway = 1};
	f->model.n_rules = 1;
	fixture_build(f, &plan);
	struct trace_flow asked = flow("10.0.0.9", "192.0.2.1");
	struct trace t = run(&plan, asked, outward("lan0", &kernel));
	cr_expect(t.rules.v[0].open && t.rules.v[0].against == TRACE_PROTOCOL);
	cr_expect_eq(t.rule, TRACE_NONE);
	trace_free(&t);
	asked.protocol = IPPROTO_UDP;
	asked.has_protocol = asked.has_dport = true;
	asked.dport = 5060;
	t = run(&plan, asked, outward("lan0", &kernel));
	cr_expect_eq(t.rule, 0);
	cr_expect_eq(t.gateway, 1);
	trace_free(&t);
	asked.dport = 5061;
	t = run(&plan, asked, outward("lan0", &kernel));
	cr_expect(!t.rules.v[0].open && t.rules.v[0].against == TRACE_PORTS);
	trace_free(&t);
	plan_free(&plan);
	fixture_free(f);
}

Test(trace, a_rule_without_a_gateway_falls_back_unless_it_is_strict)
{
	struct kernel kernel = {0};
	for (int strict = 0; strict < 2; strict++) {
		struct fixture *f = fixture_new(2);
		struct plan plan = {0};
		f->rules[0] = (struct model_rule){
			.name = "bank", .target = RULE_GATEWAY, .gateway = 1, .strict = strict};
		f->model.n_rules = 1;
		fixture_verdict(f, 1, STATE_DOWN);
		fixture_build(f, &plan);
		struct trace t = run(&plan, flow("fd00::9", "2001:db8:9::1"), outward("lan0", &kernel));
		cr_expect_eq(t.end, strict ? TRACE_REFUSED : TRACE_TAKEN);
		cr_expect_eq(t.why, strict ? TRACE_STRICT : TRACE_BY_SLOT);
		cr_expect_eq(t.groups.n, strict ? 1 : 2);
		cr_expect_eq(t.gateway, strict ? TRACE_NONE : 0);
		trace_free(&t);
		plan_free(&plan);
		fixture_free(f);
	}
}

Test(trace, where_it_comes_from_and_where_main_keeps_it)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	struct kernel kernel = {0};
	add_net(f, "10.8.0.0/24", 99);
	fixture_build(f, &plan);
	struct trace_world world = outward("wan2", &kernel);
	struct trace t = run(&plan, flow("192.0.2.1", "100.64.2.2"), world);
	cr_expect(t.end == TRACE_TAKEN && t.why == TRACE_BY_LINK && t.gateway == 1);
	trace_free(&t);
	t = run(&plan, flow("192.0.2.1", "100.64.2.2"), outward("tun0", &kernel));
	cr_expect(t.end == TRACE_MAIN && t.why == TRACE_INTERFACE);
	trace_free(&t);
	world = outward("lan0", &kernel);
	strcpy(world.oif, "tun0");
	t = run(&plan, flow("10.0.0.9", "10.8.0.1"), world);
	cr_expect(t.end == TRACE_MAIN && t.why == TRACE_INSIDE);
	cr_expect_str_eq(t.oif, "tun0");
	cr_expect(!t.leftover);
	trace_free(&t);
	world.route = TRACE_ROUTE_NONE; // no route is no reason not to balance
	t = run(&plan, flow("10.0.0.9", "192.0.2.1"), world);
	cr_expect_eq(t.end, TRACE_TURN);
	trace_free(&t);
	world.from_here = true;
	t = run(&plan, flow("10.0.0.1", "192.0.2.1"), world);
	cr_expect(t.end == TRACE_MAIN && t.why == TRACE_UNROUTED);
	trace_free(&t);
	plan_free(&plan);
	fixture_free(f);
}

// An own packet's mark changes nothing where main has a route of its own.
Test(trace, a_static_route_of_mains_stands_above_an_own_flows_mark)
{
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	struct kernel kernel = {0};
	fixture_verdict(f, 0, STATE_DOWN);
	fixture_build(f, &plan);
	struct trace_world world = outward("", &kernel);
	vec_each(&plan.sets, set) // as if main's default were wan1's
		if (!strcmp(set->name, "boundif"))
			set->elems.n = 0;
	for (int is_default = 0; is_default < 2; is_default++) {
		world.route_is_default = is_default;
		struct trace t = run(&plan, flow("10.0.0.1", "192.0.2.1"), world);
		cr_expect_eq(t.gateway, 1);
		cr_expect_eq(t.by_main, !is_default);
		cr_expect_str_eq(t.oif, is_default ? "wan2" : "wan1");
		cr_expect_eq(t.leftover, !is_default);
		trace_free(&t);
	}
	plan_free(&plan);
	fixture_free(f);
}

// Blackhole, unreachable, prohibit: no gateway gets it, wherever it comes from.
Test(trace, what_main_refuses_goes_nowhere)
{
	for (int policy = 0; policy < 2; policy++) { // the sets know it, or main is asked
		struct fixture *f = fixture_new(2);
		struct plan plan = {0};
		struct kernel kernel = {0};
		add_net(f, "192.0.2.0/24", 0);
		add_net(f, "2001:db8:9::/48", 0);
		f->facts.policy_routed = policy;
		fixture_build(f, &plan);
		cr_assert_neq(plan.inside, policy);
		static const char *const iifs[] = {"lan0", "wan2", "", "tun0"};
		for (unsigned i = 0; i < ARRAY_SIZE(iifs); i++) {
			struct trace_world world = outward(iifs[i], &kernel);
			world.route = TRACE_ROUTE_REFUSES;
			world.oif[0] = 0;
			struct trace t = run(&plan, flow("10.0.0.9", "192.0.2.1"), world);
			cr_expect(t.end == TRACE_REFUSED && t.why == TRACE_ROUTE, "from %s", iifs[i]);
			cr_expect_eq(t.gateway, TRACE_NONE);
			cr_expect(policy || !t.groups.n, "no group is asked");
			trace_free(&t);
			t = run(&plan, flow("fd00::9", "2001:db8:9::1"), world);
			cr_expect(t.end == TRACE_REFUSED && t.why == TRACE_ROUTE, "from %s", iifs[i]);
			trace_free(&t);
		}
		struct trace t = run(&plan, flow("10.0.0.9", "192.0.3.1"), outward("lan0", &kernel));
		cr_expect_eq(t.end, TRACE_TURN);
		trace_free(&t);
		plan_free(&plan);
		fixture_free(f);
	}
}

// ---- the answer --------------------------------------------------------------------------------

Test(trace, the_answer_in_words)
{
	struct fixture *f = fixture_new(3);
	struct plan plan = {0};
	struct buf out = {0};
	struct kernel kernel = {.pins = "pin4.default"};
	f->balances[0].persistence_ms = 300000;
	f->uses[2].tier = 2;
	fixture_verdict(f, 0, STATE_DOWN);
	fixture_build(f, &plan);
	kernel.mark = plan.gateways.v[0].mark;
	struct trace_flow asked = flow("10.0.0.9", "192.0.2.1");
	asked.has_protocol = asked.has_dport = true;
	asked.protocol = IPPROTO_TCP;
	asked.dport = 443;
	struct trace t = run(&plan, asked, outward("lan0", &kernel));
	trace_text(&t, &plan, &out);
	cr_expect_str_eq(buf_text(&out),
			 "flow     10.0.0.9 to 192.0.2.1, tcp to port 443; from the LAN, in by lan0\n"
			 "goes to  g2 via 100.64.2.1 on wan2; source: masquerade as 100.64.2.2\n"
			 "why      it serves alone\n"
			 "mark     0x23000000, table 1035\n\n"
			 "default: wrr, the client's pin to g1 is void\n"
			 "GATEWAY  TIER  WEIGHT  SHARE  HERE\n"
			 "g1          1       3     0%  no: so says the test\n"
			 "g2          1       2   100%  chosen\n"
			 "g3          2       1     0%  standby: a lower tier serves\n",
			 "%s", buf_text(&out));
	buf_clear(&out);
	trace_json(&t, &plan, &out);
	cr_expect(strstr(buf_text(&out), "\"end\":\"gateway\",\"why\":\"slot\",\"gateway\":\"g2\""), "%s",
		  buf_text(&out));
	trace_free(&t);
	buf_free(&out);
	plan_free(&plan);
	fixture_free(f);
}

// ---- the question ------------------------------------------------------------------------------

Test(trace, the_question_is_read_word_by_word)
{
	static const char *const words[] = {"10.0.0.9", "192.0.2.1", "tcp",   "443",  "from-port",
					    "5000",     "dscp",      "ef",    "mark", "0x10",
					    "in",       "lan0",      "no-syn"};
	struct trace_question q;
	struct err err = {""};
	cr_assert_eq(trace_ask(&q, words, ARRAY_SIZE(words), &err), 0, "%s", err.text);
	cr_expect(q.flow.has_protocol && q.flow.protocol == IPPROTO_TCP && q.flow.dport == 443);
	cr_expect(q.flow.has_sport && q.flow.sport == 5000 && q.flow.dscp == 46 && q.flow.mark == 0x10);
	cr_expect(q.flow.middle);
	cr_expect_str_eq(q.iif, "lan0");
}

Test(trace, what_is_wrong_with_a_question_is_said)
{
	static const struct {
		const char *words[6];
		size_t n;
		const char *says;
	} wrong[] = {
		{{"10.0.0.9", "lan0"}, 2, "\"lan0\" is not an IPv4 or IPv6 address"},
		{{"10.0.0.9", "::1"}, 2, "FROM and TO are of different families"},
		{{"10.0.0.9", "10.0.0.1", "tpc"}, 3, "\"tpc\" is none of from-port"},
		{{"10.0.0.9", "10.0.0.1", "tcp", "99999"}, 4, "port \"99999\": "},
		{{"10.0.0.9", "10.0.0.1", "in"}, 3, "in \"\": "},
		{{"10.0.0.9", "10.0.0.1", "icmp", "from-port", "1"},
		 5,
		 "a port needs a protocol that has ports"},
		{{"10.0.0.9", "10.0.0.1", "udp", "no-syn"}, 4, "no-syn is about tcp"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct trace_question q;
		struct err err = {""};
		cr_expect_lt(trace_ask(&q, wrong[i].words, wrong[i].n, &err), 0);
		cr_expect(strstr(err.text, wrong[i].says) == err.text, "%s", err.text);
	}
}
