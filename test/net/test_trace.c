// SPDX-License-Identifier: GPL-2.0-or-later
// What gwctl trace says a flow would meet, and what the kernel then does with it: random configurations, random
// flows. Asked first, sent then, and looked up in conntrack: the gateway by the mark, the link by the source that
// it got, what is refused by gwd's counters.
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "nft/conntrack.h"
#include "nft/nft.h"
#include "test/net/net.h"
#include "test/net/packet.h"
#include "test/net/tracing.h"

#define ROUNDS 40
#define FLOWS 90                                                                // of each round
#define GUARD "rule guard { from = { 10.2.0.0/16, 10.0.0.12 } gateway = g4 }\n" // the control flow
#define MARKED_DSCP 40                                                          // somebody else marks these

// ---- configurations ------------------------------------------------------------------------

static const char *const schedulers[] = {"rr", "wrr", "random", "wrr", "sh", "dh",
					 "fo", "lc",  "wlc",    "sed", "nq", NULL};
// of IPv4, of IPv6, of both
static const char *const froms[3][4] = {
	{"10.1.0.0/24", "10.1.0.0/16", "{ 10.9.0.0/16, 10.1.1.0/24, 10.0.0.11 }"},
	{"\"fd00:10:1::/48\"", "\"fd00:10:1::/56\""},
	{"{ 10.1.1.0/24, \"fd00:10:1::/56\" }", "{ 10.1.0.0/16, \"fd00:10::/64\" }"}};
static const char *const tos[3][4] = {
	{"198.51.100.0/24", "203.0.113.2", "{ 203.0.113.0/24, 198.51.100.3 }"},
	{"\"2001:db8:bbbb::1\"", "{ \"2001:db8:aaaa::/48\", \"2001:db8:dddd::/64\" }"},
	{"{ 198.51.100.1, \"2001:db8:aaaa::/48\" }", "{ 203.0.113.0/24, \"2001:db8:bbbb::/126\" }"}};
static const char *const ports[] = {"{ 53, \"8000-9999\" }", "53", "\"1000-50000\"", NULL};
static const char *const protocols[] = {"udp", "tcp", "{ tcp, udp }", "{ udp, icmp }", NULL};

static void put_selectors(struct buf *b, bool own)
{
	unsigned fam = tracing_any(3);
	if (!tracing_any(3))
		buf_printf(b, " from = %s",
			   own ? "{ 10.0.0.1, 100.64.1.2, \"fd00:10::1\" }" : tracing_pick(froms[fam]));
	if (tracing_any(3))
		buf_printf(b, " to = %s", tracing_pick(tos[fam]));
	if (!tracing_any(3)) {
		buf_printf(b, " protocol = %s", tracing_any(2) ? "udp" : "{ tcp, udp }");
		if (!tracing_any(2))
			buf_printf(b, " ports = %s", tracing_pick(ports));
	} else if (!tracing_any(3)) {
		buf_printf(b, " protocol = %s", tracing_pick(protocols));
	} else if (!tracing_any(4))
		buf_puts(b, " sports = \"10000-11500\" ports = { 53, 443, 9000 }");
	if (!tracing_any(6))
		buf_printf(b, " dscp = { 46, %u }", tracing_any(64));
	if (!own && !tracing_any(8))
		buf_printf(b, " interface = %s", tracing_any(2) ? "\"lan*\"" : "lan1");
	if (!own && !tracing_any(6))
		buf_puts(b, " mark = 0x10/0xff");
}

static void put_rule(struct buf *b, unsigned i)
{
	bool own = !tracing_any(4);
	buf_printf(b, "rule r%u {%s", i, own ? " own = yes" : "");
	put_selectors(b, own);
	switch (tracing_any(5)) {
	case 0:
		buf_puts(b, " bypass = yes");
		break;
	case 1:
	case 2:
		buf_printf(b, " gateway = g%u%s", 1 + tracing_any(3), tracing_any(2) ? " strict = yes" : "");
		break;
	default:
		buf_printf(b, " balance = b%u%s", tracing_any(3), tracing_any(3) ? "" : " strict = yes");
		break;
	}
	buf_puts(b, " }\n");
}

static void put_balance(struct buf *b, const char *name)
{
	bool some = false;
	buf_printf(b, "balance %s { scheduler = %s", name, tracing_pick(schedulers));
	if (tracing_any(2))
		buf_printf(b, " persistence = 5m persist-by = %s persist-mask = %u persist-mask6 = %u",
			   tracing_any(2) ? "source" : "source-destination", tracing_any(2) ? 32 : 24,
			   tracing_any(2) ? 128 : 60);
	for (unsigned g = 1; g <= 3; g++)
		if (tracing_any(6) || (g == 3 && !some)) {
			some = true;
			buf_printf(b, " use g%u { tier = %u weight = %u }", g, 1 + tracing_any(4) / 3,
				   tracing_any(8) ? 1 + tracing_any(5) : 0);
		}
	buf_puts(b, " }\n");
}

static void put_config(struct buf *b)
{
	buf_printf(b,
		   "control-group = \"\"\nfastpath = off\n"
		   "lan { interfaces = { lan0, lan1 } %s }\n"
		   "probe quick { type = icmp interval = 300ms fast = 50ms timeout = 200ms hold = 0s }\n",
		   tracing_any(4) ? "" : "networks = { 10.0.0.0/12, \"fd00:10::/33\" }");
	for (int g = 1; g <= 4; g++)
		buf_printf(b,
			   "gateway g%d { interface = wan%d probes = { quick } slow-start = 0s weight = %u "
			   "%s}\n",
			   g, g, tracing_any(6) || g == 4 ? 1 : 0,
			   tracing_any(4) || g == 4 ? "" : "max-flows = 20 ");
	buf_puts(b, GUARD);
	put_balance(b, "default");
	for (unsigned i = 0; i < 3; i++) {
		char name[8];
		snprintf(name, sizeof(name), "b%u", i);
		put_balance(b, name);
	}
	for (unsigned i = 0, n = tracing_any(8); i < n; i++)
		put_rule(b, i);
}

// ---- flows -----------------------------------------------------------------------------------

static struct addr random_source(bool v6, bool own)
{
	static const char *const own4[] = {"10.0.0.1", "100.64.1.2", "100.64.2.2", "100.64.3.2", NULL};
	static const char *const own6[] = {"fd00:10::1", "2001:db8:2::2", NULL};
	char text[64];
	if (own)
		return tracing_address(tracing_pick(v6 ? own6 : own4));
	lab_client_address(v6 ? AF_INET6 : AF_INET, 1, (int)tracing_any(600), text);
	return tracing_any(12) ? tracing_address(text) : tracing_address(v6 ? "fd00:10::11" : "10.0.0.11");
}

static struct addr random_destination(bool v6)
{
	static const char *const else4[] = {"10.200.0.2", "10.201.0.1", "10.0.0.1",
					    "100.64.2.1", "192.0.2.77", NULL};
	static const char *const else6[] = {"fd00:10:200::2", "fd00:10:201::1", "fd00:10::1",
					    "2001:db8:dddd::1", NULL};
	if (!tracing_any(6))
		return tracing_address(tracing_pick(v6 ? else6 : else4));
	return tracing_address(
		lab_server_address(v6 ? AF_INET6 : AF_INET, 1 + (int)tracing_any(LAB_SERVERS)));
}

static struct packet random_packet(unsigned n, bool *own)
{
	static const uint16_t common[] = {53, 443, 9000, 22};
	bool v6 = !tracing_any(3);
	struct packet p = {.protocol = tracing_any(2) ? IPPROTO_UDP : IPPROTO_TCP};
	*own = !tracing_any(5);
	p.from = random_source(v6, *own);
	p.to = random_destination(v6);
	p.sport = (uint16_t)(10000 + n % 50000); // never the same twice
	p.dport = tracing_any(4) ? common[tracing_any(4)] : (uint16_t)(1024 + tracing_any(60000));
	p.middle = p.protocol == IPPROTO_TCP && !tracing_any(8);
	p.dscp = tracing_any(3)   ? 0
		 : tracing_any(2) ? 46
		 : tracing_any(2) ? MARKED_DSCP
				  : (uint8_t)tracing_any(64);
	return p;
}

// ---- looking ---------------------------------------------------------------------------------

struct seen {
	bool found;
	struct ct_flow flow;
	char gateway[8]; // "" none
	int isp;         // whose source it got
};

struct world {
	struct net *net;
	struct conntrack *conntrack;
	struct nft *nft;
	uint64_t refused, orphans;
	uint64_t want_refused, want_orphans;
	unsigned n[8], pinned, unroutable; // how often each end was met, and a pin, and what main refuses
	json_t *said;                      // for a failure
	bool disabled[8];
	const char *config;
};

static void on_counter(void *arg, const char *name, uint64_t packets, uint64_t bytes)
{
	struct world *w = arg;
	(void)bytes;
	if (!strcmp(name, "no_gateway"))
		w->refused = packets;
	if (!strcmp(name, "orphan"))
		w->orphans = packets;
}

static void read_counters(struct world *w)
{
	struct err err = {""};
	cr_assert_eq(nft_read_counters(w->nft, on_counter, w, &err), 0, "%s", err.text);
}

static const char *gateway_of_mark(struct world *w, uint32_t mark, char name[8])
{
	char *output = NULL, *at;
	static char text[256];
	name[0] = 0;
	if (!(mark & 0xff000000))
		return name;
	if (!text[0]) { // ids are stable over reloads
		net_gwctl(w->net, &output, "rules | grep -o 'take[.][0-9]*[.]g[0-9] {'");
		snprintf(text, sizeof(text), "%s", output);
		free(output);
	}
	char key[16];
	snprintf(key, sizeof(key), "take.%u.", mark >> 24);
	at = strstr(text, key);
	cr_assert_not_null(at, "mark %x", mark);
	snprintf(name, 8, "%.2s", at + strlen(key));
	return name;
}

struct waiting {
	struct world *w;
	const struct packet *p;
	struct seen *seen;
};

static bool is_there(void *arg)
{
	struct waiting *wait = arg;
	const struct ct_tuple tuple = {wait->p->from, wait->p->to, wait->p->protocol, wait->p->sport,
				       wait->p->dport};
	wait->seen->found = conntrack_get(wait->w->conntrack, &tuple, &wait->seen->flow, NULL) == 0;
	return wait->seen->found;
}

static bool is_counted(void *arg)
{
	struct waiting *wait = arg;
	read_counters(wait->w);
	return wait->w->refused >= wait->w->want_refused && wait->w->orphans >= wait->w->want_orphans;
}

#define CHECK(W, CONDITION, ...) \
	do { \
		if (!(CONDITION)) { \
			char *said_ = json_dumps((W)->said, JSON_INDENT(1)); \
			fprintf(stderr, "%s\n%s\n", said_, (W)->config); \
			cr_assert(false, __VA_ARGS__); \
		} \
	} while (0)

static bool in_turn(const json_t *root, const char *gateway)
{
	const json_t *balances = json_object_get(root, "balances");
	const json_t *last = json_array_get(balances, json_array_size(balances) - 1);
	size_t i;
	json_t *member;
	json_array_foreach(json_object_get(last, "gateways"), i,
			   member) if (!strcmp(tracing_word(member, "name"),
					       gateway)) return !strcmp(tracing_word(member, "use"),
									"in turn") ||
		json_integer_value(json_object_get(member, "slots"));
	return false;
}

// The link that it left by, from the source that it got.
static void check_link(struct world *w, const struct seen *seen, const struct packet *p, const char *out)
{
	char source[ADDR_TEXT], wan[16];
	snprintf(wan, sizeof(wan), "wan%d",
		 lab_isp_of_source(w->net->lab, addr_text(&seen->flow.reply.dst, source)));
	if (!strncmp(out, "wan", 3))
		CHECK(w, !strcmp(out, wan), "it has the source %s, of %s", source, wan);
	else if (*out)
		CHECK(w, addr_equal(&seen->flow.reply.dst, &p->from), "it was translated to %s", source);
}

// A gateway that is taken out of use loses its flows, also those that are bound to it.
static bool is_ended(const struct world *w, const json_t *root)
{
	const char *gateway = tracing_word(root, "gateway");
	return *gateway && w->disabled[gateway[1] - '0'];
}

static void check(struct world *w, const json_t *root, const struct packet *p)
{
	static const char *const ends[] = {"gateway", "turn", "main", "here", "refused", NULL};
	struct seen seen = {0};
	struct waiting wait = {w, p, &seen};
	char gateway[8];
	const char *end = tracing_word(root, "end"), *why = tracing_word(root, "why");
	for (unsigned i = 0; ends[i]; i++)
		w->n[i] += !strcmp(ends[i], end);
	w->pinned += !strcmp(why, "pin");
	if (!strcmp(why, "route")) { // main refuses it: nothing counts it, and it is never confirmed
		w->unroutable++;
		CHECK(w, !is_there(&wait), "it is there");
		return;
	}
	if (!strcmp(end, "refused")) {
		uint64_t *count = strcmp(why, "orphan") ? &w->want_refused : &w->want_orphans;
		++*count;
		CHECK(w, lab_wait_until(is_counted, &wait, 1000), "it is not refused");
		CHECK(w, !is_there(&wait), "it is there");
		return;
	}
	bool dropped = !strcmp(end, "gateway") && json_is_null(json_object_get(root, "table"));
	if (dropped || !strcmp(why, "unrouted"))
		return;
	if (is_ended(w, root)) // by the flush
		return;
	CHECK(w, lab_wait_until(is_there, &wait, 1000), "it is not there");
	gateway_of_mark(w, seen.flow.mark, gateway);
	if (!strcmp(end, "turn") || !strcmp(why, "counts")) { // what is counted may have changed meanwhile
		char out[16];
		CHECK(w, in_turn(root, gateway), "%s has it", gateway);
		snprintf(out, sizeof(out), "wan%s", gateway + 1);
		check_link(w, &seen, p, out);
		return;
	}
	CHECK(w, !strcmp(tracing_word(root, "gateway"), gateway), "%s has it", gateway);
	check_link(w, &seen, p, tracing_word(root, "out"));
}

// ---- the test --------------------------------------------------------------------------------

static void reload(struct world *w, const char *text)
{
	char *output = NULL;
	lab_file(w->net->lab, "gwd.conf", "%s", text);
	w->config = text;
	cr_assert_eq(net_gwctl(w->net, &output, "reload"), 0, "%s\n%s", output, text);
	free(output);
	for (int g = 1; g <= 3; g++) {
		static const char *const changes[] = {"disable", "drain",   "enable",
						      "undrain", "undrain", NULL};
		const char *change = tracing_pick(changes);
		cr_assert_eq(net_gwctl(w->net, NULL, "enable g%d", g), 0);
		cr_assert_eq(net_gwctl(w->net, NULL, "undrain g%d", g), 0);
		cr_assert_eq(net_gwctl(w->net, NULL, "%s g%d", change, g), 0);
		w->disabled[g] = !strcmp(change, "disable");
	}
}

static void round_of(struct world *w, unsigned round)
{
	struct buf config = {0};
	put_config(&config);
	reload(w, config.text);
	read_counters(w); // the control flow is never refused, so only ours count
	w->want_refused = w->refused;
	w->want_orphans = w->orphans;
	for (unsigned i = 0; i < FLOWS; i++) {
		bool own;
		struct packet p = random_packet(round * FLOWS + i, &own);
		w->said = tracing_ask(w->net, &p, p.dscp == MARKED_DSCP && !own ? 0x10 : 0, NULL);
		packet_send(own ? lab_router(w->net->lab) : lab_host(w->net->lab, 1), &p);
		check(w, w->said, &p);
		json_decref(w->said);
	}
	read_counters(w);
	cr_assert_eq(w->refused, w->want_refused, "%s", config.text);
	cr_assert_eq(w->orphans, w->want_orphans, "%s", config.text);
	buf_free(&config);
}

// A reset for a SYN would end its entry before we look.
static void silence(struct lab_ns *ns)
{
	lab_nft_load(ns, "table inet silence { chain o { type filter hook output priority -400;\n"
			 "tcp flags & rst == rst drop\n}\n}");
}

static struct net *start(void)
{
	struct buf config = {0};
	struct net *net = net_lab(&(struct lab_spec){.isps = 4, .routes = true});
	lab_nft_load(lab_router(net->lab),
		     "table inet other { chain c { type filter hook prerouting priority -200;\n"
		     "ip dscp 40 meta mark set 0x10\nip6 dscp 40 meta mark set 0x10\n}\n}");
	lab_do(lab_router(net->lab), "ip route add blackhole 203.0.113.4; ip route add prohibit 203.0.113.3;"
				     "ip route add unreachable 2001:db8:bbbb::4; ip route add blackhole "
				     "2001:db8:bbbb::3");
	silence(lab_router(net->lab));
	silence(lab_inside(net->lab));
	silence(lab_internet(net->lab));
	for (int isp = 1; isp <= 4; isp++)
		silence(lab_isp(net->lab, isp));
	put_config(&config);
	net->config = lab_file(net->lab, "gwd.conf", "%s", config.text);
	buf_free(&config);
	net_gwd(net);
	net_wait_state(net, "g4", "up", 5000);
	net_guard(net, 4);
	return net;
}

Test(trace, says_what_the_kernel_then_does, .timeout = 300)
{
	struct err err;
	struct world w = {0};
	tracing_seed(20260101);
	w.net = start();
	int before = lab_ns_enter(lab_router(w.net->lab));
	w.conntrack = conntrack_open(&err);
	w.nft = nft_open(&err);
	lab_ns_leave(before);
	cr_assert(w.conntrack && w.nft, "%s", err.text);
	for (unsigned round = 0; round < ROUNDS; round++)
		round_of(&w, round);
	for (unsigned i = 0; i < 5; i++)
		cr_assert_gt(w.n[i], 30, "this end was hardly met: %u", i);
	cr_assert_gt(w.pinned, 30);
	cr_assert_gt(w.unroutable, 30);
	conntrack_close(w.conntrack);
	nft_close(w.nft);
	net_finish(w.net);
}
