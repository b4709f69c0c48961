// SPDX-License-Identifier: GPL-2.0-or-later
// What gwctl trace says of a flow to a service: who gets it, why not the others, and what it then looks like.
#include <criterion/criterion.h>
#include <jansson.h>
#include <netinet/in.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/jhash.h"
#include "gwd/core/names.h"
#include "gwd/core/trace.h"
#include "gwd/trace_print.h"
#include "test/unit/fixture.h"

#define VIP "100.64.1.2" // the first link's own
#define CLIENT "198.51.100.9"

// What the kernel would say.
static struct {
	const char *pins; // map that has one, or NULL
	enum plan_table table;
	uint32_t id;
	uint64_t taken;
	uint32_t way_mark;   // that was asked with
	const char *running; // where the flow that is there is answered from, or NULL
	uint32_t running_mark;
	uint16_t running_port;
} kernel;

static bool kernel_pin(void *arg, enum plan_table table, const char *map, const uint8_t *key, unsigned size,
		       uint32_t *mark, uint64_t *left_ms)
{
	static const uint8_t client[] = {198, 51, 100, 0}; // persist-mask = 24
	(void)arg;
	if (!kernel.pins || strcmp(kernel.pins, map) != 0 || kernel.table != table)
		return false;
	cr_assert(size == 4 && !memcmp(key, client, 4));
	*mark = kernel.id;
	*left_ms = 5000;
	return true;
}

static bool kernel_taken(void *arg, const char *chain, uint64_t *taken)
{
	(void)arg;
	cr_assert_str_eq(chain, "service4.web");
	*taken = kernel.taken;
	return true;
}

static bool kernel_way(void *arg, const struct addr *to, uint32_t mark, char oif[16])
{
	char text[ADDR_TEXT];
	(void)arg;
	addr_text(to, text);
	kernel.way_mark = mark;
	strcpy(oif, !strncmp(text, "203.0.113.", 10) ? "wan2" : "lan0");
	return strncmp(text, "192.0.2.", 8) != 0;
}

struct lab {
	struct fixture *f;
	struct model_service *web;
	struct plan plan;
	struct trace trace;
};

static struct lab lab(void)
{
	struct lab lab = {.f = fixture_new(2)};
	memset(&kernel, 0, sizeof(kernel));
	lab.web = fixture_service(lab.f, "web");
	fixture_listen(lab.web, VIP, 80, 80);
	return lab;
}

static struct lab lab_of_three(enum scheduler scheduler)
{
	struct lab l = lab();
	l.web->scheduler = scheduler;
	fixture_real(l.web, ROLE_REAL, "a", "10.0.0.11", 8080, 3);
	fixture_real(l.web, ROLE_REAL, "b", "10.0.0.12", 8080, 1);
	fixture_real(l.web, ROLE_BACKUP, "far", "203.0.113.80", 8080, 1);
	fixture_real(l.web, ROLE_SORRY, "sorry", "10.0.0.19", 8080, 1);
	return l;
}

static void lab_free(struct lab *l)
{
	trace_free(&l->trace);
	plan_free(&l->plan);
	fixture_free(l->f);
}

static struct trace_flow flow(const char *from, const char *to, uint16_t port)
{
	struct trace_flow f = {.has_protocol = true,
			       .has_dport = true,
			       .has_sport = true,
			       .protocol = IPPROTO_TCP,
			       .dport = port,
			       .sport = 5000};
	cr_assert(addr_parse(from, &f.from) && addr_parse(to, &f.to));
	return f;
}

static const struct trace *ask_flow(struct lab *l, const struct trace_flow *asked, const char *iif)
{
	struct trace_world world = {.route = TRACE_ROUTE_HERE,
				    .from_here = !*iif,
				    .pin = kernel_pin,
				    .taken = kernel_taken,
				    .way = kernel_way};
	strcpy(world.iif, iif);
	world.running = kernel.running && addr_parse(kernel.running, &world.running_at);
	world.running_port = kernel.running_port;
	world.running_mark = kernel.running_mark;
	trace_free(&l->trace);
	plan_free(&l->plan);
	l->plan = (struct plan){0};
	l->trace = (struct trace){0};
	fixture_build(l->f, &l->plan);
	trace_run(&l->trace, &l->plan, asked, &world);
	return &l->trace;
}

static const struct trace *ask(struct lab *l, const char *iif)
{
	const struct trace_flow asked = flow(!strcmp(iif, "lan0") ? "10.0.0.9"
					     : *iif               ? CLIENT
								  : "10.0.0.1",
					     VIP, 80);
	return ask_flow(l, &asked, iif);
}

// What is said of each real, in their order.
static void expect(const struct trace *t, const char *want)
{
	struct buf b = {0};
	vec_each(&t->service.reals, real)
		buf_printf(&b, "%s%s", b.n ? ", " : "", trace_member_name(real->why));
	cr_expect_str_eq(buf_text(&b), want, "%s", buf_text(&b));
	buf_free(&b);
}

static size_t taker(const struct trace *t)
{
	cr_assert_eq(t->end, TRACE_SERVICE);
	cr_assert_neq(t->service.real, TRACE_NONE);
	return t->service.reals.v[t->service.real].real;
}

// The last byte of the address that a slot has.
static uint8_t slot_of(const struct plan *plan, uint32_t slot)
{
	char name[PLAN_NAME_SIZE];
	const struct plan_set *pool = plan_find_set(plan, name_pool(name, FAM_4, &plan->services.v[0]));
	vec_each(&pool->elems, elem)
		if (!memcmp(elem->key, &slot, sizeof(slot)))
			return elem->last[3];
	cr_assert(false, "slot %u is empty", slot);
	return 0;
}

// ---- who gets it -----------------------------------------------------------------------------

Test(trace_service, a_hash_tells_the_real)
{
	struct lab l = lab_of_three(SCHED_SH);
	char from[32];
	bool met[2] = {false};
	for (unsigned i = 1; i < 60; i++) {
		snprintf(from, sizeof(from), "198.51.100.%u", i);
		const struct trace_flow asked = flow(from, VIP, 80);
		const struct trace *t = ask_flow(&l, &asked, "wan1");
		const uint8_t client[] = {198, 51, 100, (uint8_t)i};
		uint32_t slot = jhash_mod(client, 4, l.plan.services.v[0].n_slots[FAM_4], PLAN_HASH_SEED);
		cr_expect_eq(t->why, TRACE_BY_SLOT);
		cr_expect_eq(t->service.slot, slot);
		cr_expect_eq(11 + taker(t), slot_of(&l.plan, slot));
		met[taker(t)] = true;
	}
	cr_expect(met[0] && met[1]);
	expect(ask(&l, "wan1"),
	       taker(&l.trace) ? "in use, chosen, standby, standby" : "chosen, in use, standby, standby");
	lab_free(&l);
}

Test(trace_service, mh_needs_the_port)
{
	struct lab l = lab_of_three(SCHED_MH);
	cr_expect_eq(ask(&l, "wan1")->why, TRACE_BY_SLOT);
	struct trace_flow asked = flow(CLIENT, VIP, 80);
	asked.has_sport = false;
	const struct trace *t = ask_flow(&l, &asked, "wan1");
	expect(t, "in turn, in turn, standby, standby");
	cr_expect_eq(t->service.real, TRACE_NONE);
	lab_free(&l);
}

Test(trace_service, turns_have_shares_and_counts_tell_the_slot)
{
	struct lab l = lab_of_three(SCHED_WRR);
	const struct trace *t = ask(&l, "wan1");
	cr_expect(t->end == TRACE_SERVICE && t->why == TRACE_NEXT);
	expect(t, "in turn, in turn, standby, standby");
	cr_expect_float_eq(t->service.reals.v[0].share, 0.75, 1e-9);
	cr_expect_float_eq(t->service.reals.v[1].share, 0.25, 1e-9);
	l.web->scheduler = SCHED_RANDOM;
	cr_expect_eq(ask(&l, "wan1")->why, TRACE_AT_RANDOM);
	l.web->scheduler = SCHED_LC;
	bool met[2] = {false};
	for (kernel.taken = 0; kernel.taken < 200; kernel.taken++) {
		t = ask(&l, "wan1");
		uint32_t n = l.plan.services.v[0].n_slots[FAM_4];
		cr_expect_eq(t->why, TRACE_BY_COUNTS);
		cr_expect_eq(11 + taker(t), slot_of(&l.plan, (uint32_t)(kernel.taken % n)));
		met[taker(t)] = true;
	}
	cr_expect(met[0] && met[1]);
	lab_free(&l);
}

Test(trace_service, a_pin_goes_before_the_scheduler_while_its_real_is_live)
{
	struct lab l = lab_of_three(SCHED_WRR);
	l.web->persistence_ms = 60000;
	l.web->persist_mask[FAM_4] = 24;
	const struct trace *t = ask(&l, "wan1");
	cr_expect(t->why == TRACE_NEXT && t->service.pin == TRACE_PIN_NONE);
	kernel.pins = "stick4.web";
	kernel.id = l.plan.services.v[0].reals.v[1].id;
	t = ask(&l, "wan1");
	cr_expect(t->why == TRACE_BY_PIN && t->service.pin == TRACE_PIN_LIVE && taker(t) == 1);
	expect(t, "in use, chosen, standby, standby");
	l.web->reals[1].weight = 0; // who is drained keeps its clients
	cr_expect_eq(taker(ask(&l, "wan1")), 1);
	fixture_real_verdict(l.f, 0, 1, STATE_DOWN);
	t = ask(&l, "wan1");
	cr_expect(t->service.pin == TRACE_PIN_VOID && t->service.pin_real == 1);
	cr_expect(t->why == TRACE_BY_SLOT && taker(t) == 0);
	expect(t, "chosen, no, standby, standby");
	kernel.id = 77; // a real that was taken out
	t = ask(&l, "wan1");
	cr_expect(t->service.pin == TRACE_PIN_VOID && t->service.pin_real == TRACE_NONE);
	lab_free(&l);
}

Test(trace_service, tiers_and_why_not)
{
	struct lab l = lab_of_three(SCHED_SH);
	fixture_real_verdict(l.f, 0, 0, STATE_DOWN);
	l.web->reals[1].max_connections = 10;
	l.f->real_now[0][1].full = true;
	expect(ask(&l, "wan1"), "no, full, chosen, standby");
	l.web->reals[2].weight = 0;
	expect(ask(&l, "wan1"), "no, full, drain, chosen");
	fixture_real_verdict(l.f, 0, 3, STATE_DOWN);
	const struct trace *t = ask(&l, "wan1");
	cr_expect(t->end == TRACE_HERE && t->why == TRACE_UNSERVED);
	cr_expect_eq(t->service.service, 0);
	expect(t, "no, full, drain, no");
	lab_free(&l);
}

// ---- which service ---------------------------------------------------------------------------

Test(trace_service, listeners_ports_protocols_families)
{
	struct lab l = lab_of_three(SCHED_WRR);
	struct model_service *wide = fixture_service(l.f, "wide");
	fixture_listen(wide, VIP, 1, 65535);
	fixture_real(wide, ROLE_REAL, "w", "10.0.0.13", 0, 1);
	struct model_service *six = fixture_service(l.f, "six");
	fixture_listen(six, "2001:db8:1::2", 80, 80);
	fixture_real(six, ROLE_REAL, "s", "fd00::13", 8080, 1);
	struct trace_flow asked = flow(CLIENT, VIP, 80);
	cr_expect_eq(ask_flow(&l, &asked, "wan1")->service.service, 0, "a port before a range");
	asked.dport = 81;
	cr_expect_eq(ask_flow(&l, &asked, "wan1")->service.service, 1);
	asked.protocol = IPPROTO_UDP;
	cr_expect_eq(ask_flow(&l, &asked, "wan1")->service.service, TRACE_NONE);
	asked.has_protocol = asked.has_dport = false;
	const struct trace *t = ask_flow(&l, &asked, "wan1");
	cr_expect(t->service.open && t->service.service == 0 && t->end == TRACE_TAKEN);
	asked = flow("2001:db8:ffff::9", "2001:db8:1::2", 80);
	t = ask_flow(&l, &asked, "wan1");
	cr_expect(t->service.service == 2 && taker(t) == 0);
	asked = flow("2001:db8:ffff::9", "2001:db8:1::3", 80);
	cr_expect_eq(ask_flow(&l, &asked, "wan1")->service.service, TRACE_NONE);
	lab_free(&l);
}

// ---- what it looks like then -----------------------------------------------------------------

static enum trace_source source(const struct trace *t)
{
	taker(t);
	return t->service.reals.v[t->service.real].source;
}

Test(trace_service, what_the_real_sees_and_where_its_answers_leave)
{
	struct lab l = lab();
	char text[2 * ADDR_TEXT + 32];
	fixture_real(l.web, ROLE_REAL, "a", "10.0.0.11", 8080, 1);
	const struct trace *t = ask(&l, "wan2");
	cr_expect(source(t) == TRACE_SOURCE_CLIENT && t->service.answer == 1 && t->gateway == 1);
	cr_expect_str_eq(t->oif, "lan0");
	cr_expect_eq(kernel.way_mark, l.plan.gateways.v[1].mark, "routed as what came by that link");
	t = ask(&l, "lan0");
	cr_expect(source(t) == TRACE_SOURCE_HAIRPIN && t->service.answer == TRACE_NONE);
	cr_expect_eq(kernel.way_mark, 0);
	cr_expect_eq(source(ask(&l, "")), TRACE_SOURCE_CLIENT, "this host's own");
	cr_assert(addr_parse("203.0.113.80", &l.web->reals[0].address));
	t = ask(&l, "wan2");
	cr_expect(source(t) == TRACE_SOURCE_LINK && t->snat == 1);
	cr_expect_str_eq(trace_real_source(t, &l.plan, &t->service.reals.v[0], text),
			 "masquerade as 100.64.2.2");
	l.web->reals[0].forward = FORWARD_FULLNAT;
	t = ask(&l, "wan2");
	cr_expect(source(t) == TRACE_SOURCE_FULLNAT && t->snat == TRACE_NONE);
	cr_expect_str_eq(trace_real_source(t, &l.plan, &t->service.reals.v[0], text), "masquerade");
	cr_assert(addr_parse("100.64.1.8", &l.web->source_first[FAM_4]));
	cr_assert(addr_parse("100.64.1.9", &l.web->source_last[FAM_4]));
	t = ask(&l, "wan2");
	cr_expect_str_eq(trace_real_source(t, &l.plan, &t->service.reals.v[0], text),
			 "100.64.1.8 to 100.64.1.9");
	cr_assert(addr_parse("192.0.2.1", &l.web->reals[0].address));
	t = ask(&l, "wan2");
	cr_expect(!t->service.reals.v[0].reached);
	lab_free(&l);
}

Test(trace_service, syn_proxy_stands_before_what_comes_from_outside)
{
	struct lab l = lab();
	l.web->syn_proxy = true;
	fixture_real(l.web, ROLE_REAL, "a", "10.0.0.11", 8080, 1);
	const struct trace *t = ask(&l, "wan2");
	cr_expect(t->service.proxied && taker(t) == 0);
	cr_expect_eq(t->service.answer, 0, "the kernel's own flow: by the listener's link");
	t = ask(&l, "lan0");
	cr_expect(!t->service.proxied && taker(t) == 0);
	struct trace_flow asked = flow(CLIENT, VIP, 80);
	asked.middle = true;
	t = ask_flow(&l, &asked, "wan2");
	cr_expect(t->end == TRACE_HERE && t->why == TRACE_PROXIED);
	fixture_real_verdict(l.f, 0, 0, STATE_DOWN);
	t = ask(&l, "wan2");
	cr_expect(!t->service.proxied && t->why == TRACE_UNSERVED, "who has nobody welcomes nobody");
	lab_free(&l);
}

Test(trace_service, dr_is_chosen_where_it_comes_in)
{
	struct lab l = lab();
	l.web->scheduler = SCHED_SH;
	fixture_real(l.web, ROLE_REAL, "d", "10.0.0.11", 80, 1)->forward = FORWARD_DR;
	fixture_real(l.web, ROLE_REAL, "n", "10.0.0.12", 8080, 1);
	bool met[2] = {false};
	for (unsigned i = 1; i < 30; i++) {
		char from[32];
		snprintf(from, sizeof(from), "198.51.100.%u", i);
		const struct trace_flow asked = flow(from, VIP, 80);
		const struct trace *t = ask_flow(&l, &asked, "wan2");
		size_t got = taker(t);
		cr_expect_eq(t->service.answer, got ? 1 : 0,
			     "by conntrack where it came from; else by the VIP's link");
		cr_expect_eq(t->gateway, got ? 1 : TRACE_NONE);
		cr_expect(source(t) == TRACE_SOURCE_CLIENT && !strcmp(t->oif, "lan0"));
		met[got] = true;
	}
	cr_expect(met[0] && met[1]);
	const struct trace *t = ask(&l, ""); // does not come in
	cr_expect_eq(taker(t), 1);
	expect(t, "waits, chosen");
	l.web->scheduler = SCHED_WRR;
	t = ask(&l, "wan2");
	expect(t, "in turn, in turn");
	cr_expect_float_eq(t->service.reals.v[0].share, 0.5, 1e-9);
	cr_expect_float_eq(t->service.reals.v[1].share, 0.5, 1e-9);
	struct trace_flow middle = flow(CLIENT, VIP, 80);
	middle.middle = true; // what can't be told is drawn by hash
	met[0] = met[1] = false;
	for (middle.sport = 2000; middle.sport < 2030; middle.sport++)
		met[taker(ask_flow(&l, &middle, "wan2"))] = true;
	cr_expect(met[0] && met[1]);
	l.web->persistence_ms = 60000;
	l.web->persist_mask[FAM_4] = 24;
	kernel.pins = "drstick4.web";
	kernel.table = PLAN_NETDEV;
	kernel.id = l.plan.services.v[0].reals.v[0].id;
	t = ask(&l, "wan2");
	cr_expect(t->why == TRACE_BY_PIN && taker(t) == 0);
	lab_free(&l);
}

// ---- the answer in words -----------------------------------------------------------------------

Test(trace_service, the_answer_in_words)
{
	struct lab l = lab_of_three(SCHED_WRR);
	struct buf out = {0};
	l.web->limit_rate = 20;
	l.web->limit_connections = 5;
	fixture_real_verdict(l.f, 0, 1, STATE_DOWN);
	trace_text(ask(&l, "wan2"), &l.plan, &out);
	cr_expect_str_eq(buf_text(&out),
			 "flow     198.51.100.9 to 100.64.1.2, tcp from port 5000 to port 80; from\n"
			 "         outside, in by wan2\n"
			 "goes to  web/a by nat, 10.0.0.11:8080 on lan0\n"
			 "why      it serves alone\n"
			 "service  web at 100.64.1.2:80\n"
			 "limit    from one source 20 new ones a second and 5 at a time; more are dropped\n"
			 "source   the client's own\n"
			 "answers  by g2\n"
			 "mark     0x23000000\n\n"
			 "web: wrr, the reals serve\n"
			 "REAL   ROLE    WEIGHT  SHARE  TO                      HERE\n"
			 "a      real         3   100%  nat, 10.0.0.11:8080     chosen\n"
			 "b      real         1     0%  nat, 10.0.0.12:8080     no: so says the test\n"
			 "far    backup       1     0%  nat, 203.0.113.80:8080  standby: others serve\n"
			 "sorry  sorry        1     0%  nat, 10.0.0.19:8080     standby: others serve\n",
			 "%s", buf_text(&out));
	buf_free(&out);
	lab_free(&l);
}

Test(trace_service, the_answer_as_json)
{
	struct lab l = lab_of_three(SCHED_SH);
	struct buf out = {0};
	trace_json(ask(&l, "lan0"), &l.plan, &out);
	json_t *root = json_loads(buf_text(&out), 0, NULL);
	const json_t *service = json_object_get(root, "service");
	cr_assert_not_null(service);
	cr_expect_str_eq(json_string_value(json_object_get(root, "end")), "service");
	cr_expect_str_eq(json_string_value(json_object_get(service, "listen")), VIP ":80");
	const json_t *real = json_array_get(json_object_get(service, "reals"), taker(&l.trace));
	cr_expect_str_eq(json_string_value(json_object_get(service, "real")),
			 json_string_value(json_object_get(real, "name")));
	cr_expect_str_eq(json_string_value(json_object_get(real, "use")), "chosen");
	cr_expect_str_eq(json_string_value(json_object_get(real, "sees")), "hairpin");
	cr_expect_str_eq(json_string_value(json_object_get(real, "out")), "lan0");
	cr_expect_eq(json_integer_value(json_object_get(real, "port")), 8080);
	json_decref(root);
	buf_free(&out);
	lab_free(&l);
}

// A flow that is there already is somebody's, whoever would get it now.
Test(trace_service, a_running_flow_is_the_real_s_that_has_it)
{
	static const struct {
		const char *at;
		uint16_t port;
		const char *says;
	} cases[] = {
		{"10.0.0.12", 8080, "exists already, with web/b, answered by g1, and stays there"},
		{"203.0.113.80", 8080, "exists already, with web/far, answered by g1"},
		{"10.0.0.12", 8081, "with 10.0.0.12, which is no real of web"},
		{VIP, 80, "with this host itself"},
	};
	struct lab l = lab_of_three(SCHED_WRR);
	ask(&l, "wan1");
	kernel.running_mark = l.plan.gateways.v[0].mark;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf out = {0};
		kernel.running = cases[i].at;
		kernel.running_port = cases[i].port;
		trace_text(ask(&l, "wan1"), &l.plan, &out);
		cr_expect(strstr(buf_text(&out), cases[i].says), "%s", buf_text(&out));
		buf_free(&out);
	}
	lab_free(&l);
}
