// SPDX-License-Identifier: GPL-2.0-or-later
// Source translation: address, range, none; and that nothing untranslated gets out.
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

static struct net *start(const char *snat1, const char *lan)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	lab_wan_delegate(net->lab, 1, "100.64.1.16/28");
	lab_wan_delegate(net->lab, 1, "2001:db8:1:8000::/56");
	net_configure(
		net,
		"gateway g1 { interface = wan1 address = 100.64.1.1 address6 = 2001:db8:1::1 probes = quick "
		"%s }"
		"gateway g2 { interface = wan2 address = 100.64.2.1 address6 = 2001:db8:2::1 probes = quick }"
		"balance default { gateways = g1 } rule guard { to = 198.51.100.4 gateway = g2 } %s",
		snat1, lan);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	return net;
}

static struct lab_conn connect_to(struct net *net, const char *to)
{
	struct lab_conn conn =
		lab_connect(net->lab, &(struct lab_flow){.from = lab_host(net->lab, 1), .to = to});
	cr_assert_eq(conn.outcome, LAB_ANSWERED, "%s: %s", to, lab_outcome_name(conn.outcome));
	return conn;
}

Test(snat, to_an_address)
{
	struct net *net = start("snat = 100.64.1.20 snat6 = \"2001:db8:1:8000::5\"", "");
	cr_assert_str_eq(connect_to(net, "198.51.100.1").seen, "100.64.1.20");
	cr_assert_str_eq(connect_to(net, "2001:db8:aaaa::1").seen, "2001:db8:1:8000::5");
	net_finish(net);
}

Test(snat, to_a_range)
{
	struct net *net = start("snat = \"100.64.1.16-100.64.1.19\"", "");
	struct lab_burst *burst = lab_burst_start(
		net->lab,
		&(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
					 .count = 100,
					 .clients = 100});
	lab_burst_wait(burst);
	int seen[4] = {0};
	for (int i = 0; i < 100; i++) {
		const struct lab_conn *conn = &lab_burst_conns(burst)[i];
		cr_assert_eq(conn->outcome, LAB_ANSWERED);
		cr_assert(!strncmp(conn->seen, "100.64.1.1", 10) && conn->seen[10] >= '6' &&
			  conn->seen[10] <= '9');
		seen[conn->seen[10] - '6']++;
	}
	cr_assert(seen[0] && seen[1] && seen[2] && seen[3]);
	lab_burst_free(burst);
	net_finish(net);
}

static struct net *start_untranslated(void)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	lab_wan_delegate(net->lab, 1, "10.0.0.0/16"); // the ISP routes the LAN's own networks
	lab_wan_delegate(net->lab, 1, "fd00:10::/64");
	net_configure(
		net,
		"gateway g1 { interface = wan1 address = 100.64.1.1 address6 = 2001:db8:1::1 probes = quick "
		"snat = none snat6 = none }"
		"gateway g2 { interface = wan2 address = 100.64.2.1 address6 = 2001:db8:2::1 probes = quick }"
		"balance default { gateways = g1 } rule guard { to = 198.51.100.4 gateway = g2 }");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	return net;
}

Test(snat, none)
{
	struct net *net = start_untranslated();
	cr_assert_str_eq(connect_to(net, "198.51.100.1").seen, "10.0.0.11");
	cr_assert_str_eq(connect_to(net, "2001:db8:aaaa::1").seen, "fd00:10::11");
	net_finish(net);
}

// Segments of a connection that conntrack does not follow are never translated, so they must not leave.
Test(snat, what_conntrack_calls_invalid_does_not_get_out)
{
	struct net *net = start("", "");
	lab_do(lab_host(net->lab, 1),
	       "python3 - <<'END'\n"
	       "import socket, struct\n"
	       "s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)\n"
	       "def segment(flags):\n"
	       "    src, dst = socket.inet_aton('10.0.0.11'), socket.inet_aton('198.51.100.1')\n"
	       "    tcp = struct.pack('!HHIIBBHHH', 40000, 9000, 1, 1, 5 << 4, flags, 1000, 0xdead, 0)\n"
	       "    return struct.pack('!BBHHHBBH4s4s', 0x45, 0, 40, 1, 0, 64, 6, 0, src, dst) + tcp\n"
	       "for flags in (0x10, 0x04, 0x11, 0x03, 0x00, 0x3f):\n"
	       "    s.sendto(segment(flags), ('198.51.100.1', 0))\n"
	       "END");
	connect_to(net, "198.51.100.1"); // behind them
	cr_assert_eq(lab_isp_packets_from(net->lab, 1, "10.0.0.11"), 0);
	net_finish(net);
}

struct early {
	struct net *net;
	struct lab_stream *stream;
};

static bool is_translated(void *arg)
{
	struct early *early = arg;
	uint64_t before = lab_isp_packets_from(early->net->lab, 1, "10.0.0.11");
	return lab_stream_wait_answer(early->stream, 500) &&
	       lab_isp_packets_from(early->net->lab, 1, "10.0.0.11") == before;
}

Test(snat, what_was_not_translated_is_when_it_should_be)
{
	struct net *net = start_untranslated();
	struct lab_stream *call = lab_stream_start(
		net->lab,
		&(struct lab_stream_spec){.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"}});
	cr_assert(lab_stream_wait_answer(call, net_patience(5000)));
	struct early early = {net, call};
	cr_assert_gt(lab_isp_packets_from(net->lab, 1, "10.0.0.11"), 0);
	lab_do(lab_router(net->lab), "sed -i 's/snat = none//' %s", net->config);
	net_reload(net);
	cr_assert(lab_wait_until(is_translated, &early, 5000), "the flow keeps its inside address");
	lab_stream_stop(call);
	net_finish(net);
}

// A flow that began before gwd did is ended, so that it begins anew with a translation.
Test(snat, flows_from_before_the_start_are_translated)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 2, .routes = true});
	lab_wan_delegate(net->lab, 1, "10.0.0.0/24"); // no wrong source, and answered, for the time before
	net_configure(net, "gateway g1 { interface = wan1 probes = quick } gateway g2 { interface = wan2 "
			   "probes = quick }");
	lab_nft_load(lab_router(net->lab), "table ip early { chain c { type filter hook forward priority 0; "
					   "ct state new counter\n }\n }");
	struct early early = {net, lab_stream_start(net->lab, &(struct lab_stream_spec){
								      .flow = {.from = lab_host(net->lab, 1),
									       .to = "198.51.100.1"}})};
	cr_assert(lab_stream_wait_isp(early.stream, 1, 2000));
	cr_assert_gt(lab_isp_packets_from(net->lab, 1, "10.0.0.11"), 0);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 2);
	cr_assert(lab_wait_until(is_translated, &early, 5000), "it still goes out untranslated");
	lab_stream_stop(early.stream);
	net_finish(net);
}

// ---- prefixes ------------------------------------------------------------------------------------

// What a DHCPv6 client does when it is given a prefix; and the ISP.
static void delegate(struct net *net, int isp, const char *prefix)
{
	lab_wan_delegate(net->lab, isp, prefix);
	lab_do(lab_router(net->lab), "ip -6 route add unreachable %s proto dhcp metric 1024", prefix);
}

static void withdraw(struct net *net, const char *prefix)
{
	lab_do(lab_router(net->lab), "ip -6 route del unreachable %s proto dhcp metric 1024", prefix);
}

static struct net *start_prefixes(void)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3, .routes = true});
	delegate(net, 1, "2001:db8:1:8000::/56");
	delegate(net, 2, "2001:db8:2:8000::/56");
	net_configure(net, "gateway g1 { interface = wan1 probes = quick snat6 = prefix }"
			   "gateway g2 { interface = wan2 probes = quick snat6 = prefix }"
			   "gateway g3 { interface = wan3 probes = quick }"
			   "balance default { gateways = { g1, g2 } scheduler = rr persistence = off }"
			   "rule guard { to = 198.51.100.4 gateway = g3 }");
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	return net;
}

// The first 56 bits are the link's, all others the client's own; its port too.
static void assert_mapped(const struct lab_conn *conn, const char *prefix)
{
	struct in6_addr source, want;
	char text[INET6_ADDRSTRLEN];
	inet_pton(AF_INET6, conn->source, &source);
	inet_pton(AF_INET6, prefix, &want);
	memcpy(&want.s6_addr[7], &source.s6_addr[7], 9);
	inet_ntop(AF_INET6, &want, text, sizeof(text));
	cr_assert_str_eq(conn->seen, text, "%s became %s, not %s", conn->source, conn->seen, text);
	cr_assert_eq(conn->seen_port, conn->source_port);
}

Test(snat, a_prefix_over_the_lans)
{
	struct net *net = start_prefixes();
	struct lab_burst *burst = lab_burst_start(
		net->lab,
		&(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1), .to = "2001:db8:aaaa::1"},
					 .count = 100,
					 .clients = 50});
	lab_burst_wait(burst);
	int isps[4] = {0};
	for (int i = 0; i < 100; i++) {
		const struct lab_conn *conn = &lab_burst_conns(burst)[i];
		cr_assert_eq(conn->outcome, LAB_ANSWERED);
		assert_mapped(conn, conn->isp == 1 ? "2001:db8:1:8000::" : "2001:db8:2:8000::");
		isps[conn->isp]++;
	}
	cr_assert(isps[1] == 50 && isps[2] == 50);
	lab_burst_free(burst);
	struct lab_conn own = lab_connect(
		net->lab, &(struct lab_flow){.from = lab_router(net->lab), .to = "2001:db8:aaaa::1"});
	cr_assert_str_eq(own.seen, lab_wan_address(net->lab, own.isp, AF_INET6), "%s", own.seen);
	net_finish(net);
}

struct moving {
	struct net *net;
	struct lab_stream *call;
};

static uint64_t old_packets(const struct moving *moving)
{
	char *text = NULL;
	lab_run(lab_router(moving->net->lab), &text, "nft list counter inet seen old");
	const char *packets = strstr(text, "packets ");
	uint64_t n = packets ? strtoull(packets + strlen("packets "), NULL, 10) : 0;
	free(text);
	return n;
}

// The flow goes on, and nothing of the old prefix leaves any more.
static bool moved_on(void *arg)
{
	struct moving *moving = arg;
	uint64_t before = old_packets(moving);
	return lab_stream_wait_answer(moving->call, 500) && old_packets(moving) == before;
}

Test(snat, a_delegated_prefix_is_followed)
{
	struct net *net = start_prefixes();
	struct lab_stream *call = lab_stream_start_on(
		net->lab,
		&(struct lab_stream_spec){.flow = {.from = lab_host(net->lab, 1), .to = "2001:db8:aaaa::2"}},
		1);
	lab_nft_load(
		lab_router(net->lab),
		"table inet seen {\n counter old { }\n chain c { type filter hook postrouting priority 300; "
		"ip6 saddr 2001:db8:1:8000::/56 counter name old\n }\n }");
	cr_assert(lab_stream_wait_answer(call, 2000));
	cr_assert_gt(old_packets(&(struct moving){net, call}), 0);
	delegate(net, 1, "2001:db8:1:9000::/56");
	withdraw(net, "2001:db8:1:8000::/56");
	struct lab_burst_spec spec = {.flow = {.from = lab_host(net->lab, 1), .to = "2001:db8:aaaa::1"},
				      .count = 40};
	struct moving moving = {net, call};
	cr_assert(lab_wait_until(moved_on, &moving, 5000), "the flow stays on the old prefix");
	struct lab_burst *burst = lab_burst_start(net->lab, &spec);
	lab_burst_wait(burst);
	for (int i = 0; i < 40; i++)
		assert_mapped(&lab_burst_conns(burst)[i],
			      lab_burst_conns(burst)[i].isp == 1 ? "2001:db8:1:9000::" : "2001:db8:2:8000::");
	lab_burst_free(burst);
	cr_assert(lab_stream_wait_answer(call, 2000), "the flow is stuck on the old prefix");
	withdraw(net, "2001:db8:1:9000::/56");
	cr_assert(lab_stream_wait_isp(call, 2, 5000), "without a prefix the link can't be used");
	lab_stream_stop(call);
	char *output = NULL;
	net_gwctl(net, &output, "-j status g1");
	cr_assert(strstr(output, "no prefix is delegated over wan1"), "%s", output);
	free(output);
	struct lab_tally tally = lab_burst_run(net->lab, &spec);
	cr_assert(tally.answered == 40 && tally.isp[2] == 40);
	delegate(net, 1, "2001:db8:1:a000::/56");
	net_wait_up(net);
	net_finish(net);
}
