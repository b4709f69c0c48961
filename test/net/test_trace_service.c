// SPDX-License-Identifier: GPL-2.0-or-later
// What gwctl trace says of flows to services, and what the kernel then does with them: random services, random flows,
// from outside, the LAN and this host. Asked first, sent then, and looked up in conntrack; by dr, at the reals.
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "nft/conntrack.h"
#include "test/net/direct.h"
#include "test/net/net.h"
#include "test/net/packet.h"
#include "test/net/tracing.h"

enum { SERVICES = 4, REALS = 3, CLIENT = REALS + 1 /* the LAN host that asks */, ROUNDS = 12, FLOWS = 50 };

// ---- configurations --------------------------------------------------------------------------

static const char *const schedulers[] = {"rr", "wrr", "random", "sh", "dh",  "mh", "mh",
					 "fo", "lc",  "wlc",    "sh", "sed", "nq", NULL};

static uint16_t port_of(unsigned service)
{
	return (uint16_t)(7000 + 100 * service);
}

static void put_listens(struct buf *b, struct lab *lab, unsigned service)
{
	const char *last = tracing_any(3) ? "" : "-7999";
	buf_puts(b, " listen = {");
	for (int isp = 1; isp <= 2; isp++)
		buf_printf(b, "%s \"%s:%u%s\", \"[%s]:%u%s\"", isp > 1 ? "," : "",
			   lab_wan_address(lab, isp, AF_INET), port_of(service),
			   service == SERVICES ? last : "", lab_wan_address(lab, isp, AF_INET6),
			   port_of(service), service == SERVICES ? last : "");
	buf_puts(b, " } protocol = { tcp, udp }\n");
}

static void put_real(struct buf *b, const char *kind, const char *name, int family, int host)
{
	buf_printf(b, "  %s %s { address = \"%s\" weight = %u", kind, name, lab_host_address(family, host),
		   tracing_any(6) ? 1 + tracing_any(4) : 0);
	if (tracing_any(2))
		buf_printf(b, " port = %u", 8000 + tracing_any(3));
	buf_puts(b, *kind == 'b' || tracing_any(6) ? " }\n" : " max-connections = 5000 }\n");
}

// All forward alike: who speaks differently to one real must not meet another at one port, nor in a range.
static void put_service(struct buf *b, struct lab *lab, unsigned service, const char *forward)
{
	char name[8];
	buf_printf(b, "service s%u { scheduler = %s forward = %s probes = none", service,
		   tracing_pick(schedulers), forward);
	if (tracing_any(2))
		buf_printf(b, " persistence = 5m persist-mask = %u persist-mask6 = %u",
			   tracing_any(2) ? 32 : 24, tracing_any(2) ? 128 : 64);
	put_listens(b, lab, service);
	for (int host = 1; host <= REALS; host++)
		for (int v6 = 0; v6 < 2; v6++) {
			bool backup = host == REALS && !(service % 2);
			snprintf(name, sizeof(name), "%c%d", v6 ? 'v' : 'r', host);
			put_real(b, backup ? "backup" : "real", name, v6 ? AF_INET6 : AF_INET, host);
		}
	if (service == 1)
		buf_puts(b, "  sorry { forward = local port = 9000 }\n");
	buf_puts(b, "}\n");
}

static void put_config(struct buf *b, struct lab *lab)
{
	static const int weights[] = {1, 1};
	const char *forward = tracing_any(3) ? "nat" : "fullnat";
	char *gateways = net_gateways(lab, 2, weights, false);
	buf_puts(b, gateways);
	free(gateways);
	for (unsigned service = 1; service <= SERVICES; service++)
		put_service(b, lab, service, forward);
}

// ---- flows -----------------------------------------------------------------------------------

enum place { OUTSIDE, INSIDE, HERE, PLACES };

struct probe {
	struct packet packet;
	enum place place;
	int isp;
};

static struct probe random_probe(struct lab *lab, unsigned n)
{
	struct probe p = {.place = tracing_any(2)   ? OUTSIDE
				   : tracing_any(3) ? INSIDE
						    : HERE,
			  .isp = 1 + (int)tracing_any(2)};
	int family = tracing_any(3) ? AF_INET : AF_INET6;
	bool v6 = family == AF_INET6;
	char text[64];
	lab_client_address(family, CLIENT, (int)tracing_any(100), text);
	p.packet = (struct packet){
		.protocol = tracing_any(2) ? IPPROTO_TCP : IPPROTO_UDP,
		.sport = (uint16_t)(10000 + n), // never the same twice
		.dport = (uint16_t)(port_of(1 + tracing_any(SERVICES)) + !tracing_any(8)),
		.from = tracing_address(p.place == OUTSIDE
						? lab_server_address(family, 1 + (int)tracing_any(8))
					: p.place == INSIDE ? text
					: v6                ? "fd00:10::1"
							    : "10.0.0.1"),
		.to = tracing_address(lab_wan_address(lab, p.isp, family)),
	};
	p.packet.middle = p.packet.protocol == IPPROTO_TCP && !tracing_any(8);
	return p;
}

static const struct lab_ns *place_of(struct lab *lab, enum place place)
{
	return place == OUTSIDE ? lab_internet(lab) : place == HERE ? lab_router(lab) : lab_host(lab, CLIENT);
}

// ---- looking ---------------------------------------------------------------------------------

struct world {
	struct net *net;
	struct conntrack *conntrack;
	const char *config;
	unsigned exact, turns, pinned, here; // how often each was met
	struct probe probe;
	struct ct_flow seen;
};

#define CHECK(W, SAID, CONDITION, ...) \
	do { \
		if (!(CONDITION)) { \
			fprintf(stderr, "%s\n%s\n", json_dumps((SAID), JSON_INDENT(1)), (W)->config); \
			cr_assert(false, __VA_ARGS__); \
		} \
	} while (0)

static bool is_there(void *arg)
{
	struct world *w = arg;
	const struct packet *p = &w->probe.packet;
	const struct ct_tuple tuple = {p->from, p->to, p->protocol, p->sport, p->dport};
	return conntrack_get(w->conntrack, &tuple, &w->seen, NULL) == 0;
}

// The one whose address the answers come from.
static const json_t *taker(const struct world *w, const json_t *service)
{
	size_t i;
	json_t *real;
	char text[ADDR_TEXT];
	addr_text(&w->seen.reply.src, text);
	json_array_foreach(json_object_get(service, "reals"), i, real)
	{
		const char *address = tracing_word(real, "address");
		bool here = !*address && addr_equal(&w->seen.reply.src, &w->probe.packet.to);
		if ((here || !strcmp(address, text)) &&
		    json_integer_value(json_object_get(real, "port")) == w->seen.reply.sport)
			return real;
	}
	return NULL;
}

static void check_source(struct world *w, const json_t *said, const json_t *real)
{
	const struct packet *p = &w->probe.packet;
	const char *sees = tracing_word(real, "sees");
	bool own = !strcmp(sees, "client");
	struct addr lan = tracing_address(addr_size(&p->to) == 4 ? "10.0.0.1" : "fd00:10::1");
	CHECK(w, said, own || !strcmp(sees, "hairpin") || !strcmp(sees, "fullnat"), "it sees %s", sees);
	CHECK(w, said, addr_equal(&w->seen.reply.dst, own ? &p->from : &lan), "it sees another source");
}

static void check_real(struct world *w, const json_t *said)
{
	const json_t *service = json_object_get(said, "service"), *real = taker(w, service);
	const char *why = tracing_word(said, "why"), *name = tracing_word(service, "real");
	bool certain = *name && strcmp(why, "counts") != 0; // what is counted may have changed meanwhile
	CHECK(w, said, real, "it went elsewhere");
	if (certain)
		CHECK(w, said, !strcmp(tracing_word(real, "name"), name), "%s has it",
		      tracing_word(real, "name"));
	else
		CHECK(w, said, json_real_value(json_object_get(real, "share")) > 0, "%s has it",
		      tracing_word(real, "name"));
	if (certain || !*name)
		check_source(w, said, real);
	w->exact += certain && strcmp(why, "pin") != 0;
	w->turns += !certain;
	w->pinned += !strcmp(why, "pin");
}

static void check(struct world *w, const json_t *said)
{
	const char *end = tracing_word(said, "end");
	uint32_t mark = (uint32_t)json_integer_value(json_object_get(said, "mark"));
	CHECK(w, said, lab_wait_until(is_there, w, 1000), "it is not there");
	CHECK(w, said, (w->seen.mark & 0xff000000) == mark, "it has mark %x", w->seen.mark);
	if (!strcmp(end, "service")) {
		check_real(w, said);
		return;
	}
	CHECK(w, said, addr_equal(&w->seen.reply.src, &w->probe.packet.to), "a real has it");
	w->here += !strcmp(end, "here");
}

// ---- the test --------------------------------------------------------------------------------

static void set_by_hand(struct world *w)
{
	static const char *const changes[] = {"disable", "drain", "", "", "", NULL};
	for (unsigned service = 1; service <= SERVICES; service++)
		for (int real = 1; real <= REALS; real++)
			for (int v6 = 0; v6 < 2; v6++) {
				const char *change = tracing_pick(changes);
				const char name[] = {v6 ? 'v' : 'r', 0};
				cr_assert_eq(net_gwctl(w->net, NULL, "enable s%u/%s%d", service, name, real),
					     0);
				cr_assert_eq(net_gwctl(w->net, NULL, "undrain s%u/%s%d", service, name, real),
					     0);
				if (*change)
					cr_assert_eq(net_gwctl(w->net, NULL, "%s s%u/%s%d", change, service,
							       name, real),
						     0);
			}
}

static void round_of(struct world *w, unsigned round)
{
	struct buf config = {0};
	char *output = NULL, iif[16];
	struct lab *lab = w->net->lab;
	put_config(&config, lab);
	net_configure(w->net, "%s", buf_text(&config));
	w->config = buf_text(&config);
	cr_assert_eq(net_gwctl(w->net, &output, "reload"), 0, "%s\n%s", output, w->config);
	free(output);
	set_by_hand(w);
	for (unsigned i = 0; i < FLOWS; i++) {
		w->probe = random_probe(lab, round * FLOWS + i);
		snprintf(iif, sizeof(iif), "wan%d", w->probe.isp);
		json_t *said =
			tracing_ask(w->net, &w->probe.packet, 0, w->probe.place == OUTSIDE ? iif : NULL);
		packet_send(place_of(lab, w->probe.place), &w->probe.packet);
		check(w, said);
		json_decref(said);
	}
	buf_free(&config);
}

// A reset would end the entry before we look.
static void silence(struct lab_ns *ns)
{
	lab_nft_load(ns, "table inet silence { chain o { type filter hook output priority -400;\n"
			 "tcp flags & rst == rst drop\n}\n}");
}

Test(trace_service, says_what_the_kernel_then_does, .timeout = 240)
{
	struct err err;
	struct buf config = {0};
	struct world w = {.net = net_lab(&(struct lab_spec){.isps = 2, .hosts = CLIENT})};
	struct lab *lab = w.net->lab;
	tracing_seed(20260202);
	for (int host = 1; host <= CLIENT; host++)
		silence(lab_host(lab, host));
	silence(lab_router(lab));
	silence(lab_internet(lab));
	put_config(&config, lab);
	net_configure(w.net, "%s", buf_text(&config));
	buf_free(&config);
	net_gwd(w.net);
	net_wait_up(w.net);
	net_guard(w.net, 2);
	int before = lab_ns_enter(lab_router(lab));
	w.conntrack = conntrack_open(&err);
	lab_ns_leave(before);
	cr_assert_not_null(w.conntrack, "%s", err.text);
	for (unsigned round = 0; round < ROUNDS; round++)
		round_of(&w, round);
	cr_assert_gt(w.exact, 100);
	cr_assert_gt(w.turns, 50);
	cr_assert_gt(w.pinned, 50);
	cr_assert_gt(w.here, 5);
	conntrack_close(w.conntrack);
	net_finish(w.net);
}

// ---- reals by dr -------------------------------------------------------------------------------

struct arrival {
	struct net *net;
	int host; // that got it
};

static bool has_arrived(void *arg)
{
	struct arrival *arrival = arg;
	struct direct_tally tally = direct_count(arrival->net, REALS);
	for (int host = 1; host <= REALS; host++)
		if (tally.real[host])
			arrival->host = host;
	return tally.sum > 0;
}

static struct probe random_direct(struct lab *lab, unsigned n)
{
	struct probe p = random_probe(lab, n);
	p.place = p.place == OUTSIDE ? OUTSIDE : INSIDE;
	bool v6 = addr_size(&p.packet.to) == 16;
	char text[64];
	lab_client_address(v6 ? AF_INET6 : AF_INET, CLIENT, (int)tracing_any(20), text);
	if (p.place == INSIDE)
		p.packet.from = tracing_address(text);
	p.packet.to = tracing_address(v6 ? DIRECT_VIP6 : DIRECT_VIP4);
	p.packet.dport = 7000;
	p.packet.middle = false; // is not counted there
	return p;
}

static const json_t *real_named(const json_t *service, const char *name)
{
	size_t i;
	json_t *real;
	json_array_foreach(json_object_get(service, "reals"), i, real)
	{
		if (!strcmp(tracing_word(real, "name"), name))
			return real;
	}
	return NULL;
}

static void check_direct(struct world *w, const json_t *said, int host)
{
	const json_t *service = json_object_get(said, "service");
	const char *name = tracing_word(service, "real");
	char got[16];
	snprintf(got, sizeof(got), "%c%d", addr_size(&w->probe.packet.to) == 4 ? 'r' : 's', host);
	const json_t *real = real_named(service, got);
	CHECK(w, said, real && !strcmp(tracing_word(real, "out"), "lan0"), "%s has it", got);
	CHECK(w, said, !*name || !strcmp(name, got), "%s has it", got);
	CHECK(w, said, *name || json_real_value(json_object_get(real, "share")) > 0, "%s has it", got);
	w->pinned += !strcmp(tracing_word(said, "why"), "pin");
	w->exact += *name != 0;
	w->turns += !*name;
}

static void direct_flows(struct world *w, unsigned from, unsigned n)
{
	for (unsigned i = from; i < from + n; i++) {
		struct arrival arrival = {.net = w->net};
		w->probe = random_direct(w->net->lab, i);
		json_t *said =
			tracing_ask(w->net, &w->probe.packet, 0, w->probe.place == OUTSIDE ? "wan1" : NULL);
		packet_send(place_of(w->net->lab, w->probe.place), &w->probe.packet);
		CHECK(w, said, lab_wait_until(has_arrived, &arrival, 2000), "no real has it");
		check_direct(w, said, arrival.host);
		json_decref(said);
	}
}

Test(trace_service, says_who_gets_it_by_dr, .timeout = 120)
{
	struct world w = {.net = direct_lab(REALS, "forward = dr scheduler = mh"), .config = ""};
	tracing_seed(20260203);
	net_gwd(w.net);
	net_wait_up(w.net);
	net_guard(w.net, 2);
	cr_assert_eq(net_gwctl(w.net, NULL, "drain web/r2"), 0);
	direct_count(w.net, REALS);
	direct_flows(&w, 0, 40);
	cr_assert_eq(w.exact, 40);
	direct_reload(w.net, "s/scheduler = mh/scheduler = rr persistence = 5m/");
	direct_flows(&w, 40, 60);
	cr_assert(w.turns > 15 && w.pinned > 15, "%u turns, %u pinned", w.turns, w.pinned);
	net_finish(w.net);
}
