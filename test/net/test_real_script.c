// SPDX-License-Identifier: GPL-2.0-or-later
// What `gwctl real-script` prints is run on the real, and then the service works, which it did not before. Run
// again, it changes nothing.
#include <stdlib.h>
#include <string.h>

#include "test/net/inbound.h"

static void run_script(struct net *net, struct lab_ns *real, const char *arguments)
{
	char *script = NULL, *offline = NULL;
	cr_assert_eq(net_gwctl(net, &script, "real-script %s", arguments), 0, "%s", script);
	cr_assert_eq(net_gwctl(net, &offline, "-s /nowhere real-script %s %s", arguments, net->config), 0);
	cr_assert_str_eq(script, offline, "without gwd it is the same");
	free(offline);
	const char *path = lab_file(net->lab, "real.sh", "%s", script);
	for (int again = 0; again < 2; again++)
		lab_do(real, "sh %s", path);
	free(script);
}

static enum lab_outcome ask(struct inbound *in, const struct lab_flow *flow, bool udp, char seen[64])
{
	struct lab_conn conn = udp ? lab_ask(in->net->lab, flow) : lab_connect(in->net->lab, flow);
	strcpy(seen, conn.seen);
	return conn.outcome;
}

static void expect(struct inbound *in, const struct lab_flow *flow, bool udp, bool answered, const char *seen)
{
	char by[64];
	enum lab_outcome outcome = ask(in, flow, udp, by);
	cr_assert_eq(outcome == LAB_ANSWERED, answered, "%s to %s: %s", udp ? "udp" : "tcp", flow->to,
		     lab_outcome_name(outcome));
	cr_assert(!answered || !strcmp(by, seen), "seen as %s, not %s", by, seen);
}

// ---- nat ---------------------------------------------------------------------------------------

static void from_internet(struct inbound *in, bool answered)
{
	struct lab *lab = in->net->lab;
	for (int i = 0; i < 4; i++) {
		bool six = i & 1, udp = i & 2;
		struct lab_flow flow = {.from = lab_internet(lab),
					.to = lab_wan_address(lab, 1, six ? AF_INET6 : AF_INET),
					.port = 80,
					.source = six ? "2001:db8:aaaa::2" : "198.51.100.2"};
		expect(in, &flow, udp, answered, flow.source);
	}
}

Test(real_script, nat_leads_the_answers_through_us)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2}, 1);
	struct lab *lab = in->net->lab;
	inbound_gwd(
		in,
		"service web { listen = { \"%s:80\", \"[%s]:80\" }  protocol = { tcp, udp }  probes = none\n"
		"  real r4 { address = 10.0.0.11  port = 8080 }\n"
		"  real r6 { address = \"fd00:10::11\"  port = 8080 } }\n",
		lab_wan_address(lab, 1, AF_INET), lab_wan_address(lab, 1, AF_INET6));
	net_guard(in->net, 2);
	lab_do(lab_host(lab, 1), "ip route del default; ip -6 route del default");
	from_internet(in, false);
	run_script(in->net, lab_host(lab, 1), "web/r4");
	run_script(in->net, lab_host(lab, 1), "web/r6");
	from_internet(in, true);
	inbound_finish(in);
}

// No LAN, no gateway: clients, director and reals in one network, and yet the reals see the clients' addresses.
#define ONE_NETWORK \
	"control-group = \"\"\n" \
	"service web { listen = { \"10.0.0.1:80\", \"[fd00:10::1]:80\" }  protocol = { tcp, udp }\n" \
	"  real r4 { address = 10.0.0.11  port = 8080 }  real r6 { address = \"fd00:10::11\"  port = 8080 " \
	"} }\n" \
	"service all { listen = { \"10.0.0.1:7000-9000\", \"10.0.0.1:53\", \"10.0.0.1:443\" }\n" \
	"  protocol = { tcp, udp }  real r4 { address = 10.0.0.11 } }\n"

static void from_beside(struct inbound *in, bool answered)
{
	struct lab *lab = in->net->lab;
	static const uint16_t ports[] = {80, 80, 53, 443, 7000};
	for (int i = 0; i < 10; i++) {
		bool six = i % 5 == 1;
		struct lab_flow flow = {.from = lab_host(lab, 3),
					.to = six ? "fd00:10::1" : "10.0.0.1",
					.port = ports[i % 5],
					.source = six ? "fd00:10::13" : "10.0.0.13"};
		expect(in, &flow, i >= 5, answered, flow.source);
	}
}

Test(real_script, nat_within_one_network)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 1, .hosts = 3}, 1);
	struct lab *lab = in->net->lab;
	char *status = NULL;
	in->net->config = lab_file(lab, "gwd.conf", ONE_NETWORK);
	net_gwd(in->net);
	from_beside(in, false);
	cr_assert_eq(net_gwctl(in->net, &status, "status"), 0);
	cr_assert(!strncmp(status, "SERVICE ", 8), "without gateways only services are of interest:\n%s",
		  status);
	free(status);
	run_script(in->net, lab_host(lab, 1), "web/r4");
	run_script(in->net, lab_host(lab, 1), "web/r6");
	run_script(in->net, lab_host(lab, 1), "all/r4");
	from_beside(in, true);
	// its own neighbours and the world are reached as before
	expect(in, &(struct lab_flow){.from = lab_host(lab, 3), .to = "10.0.0.11", .port = 5060}, false, true,
	       "10.0.0.13");
	inbound_finish(in);
}

// ---- dr ----------------------------------------------------------------------------------------

#define DIRECT \
	"service web { listen = { \"10.0.0.100:80\", \"[fd00:10::100]:80\", \"100.64.1.100:80\",\n" \
	"    \"[2001:db8:1::100]:80\" }\n" \
	"  protocol = { tcp, udp }  forward = %s  scheduler = rr  probes = none\n" \
	"  real r1 { address = 10.0.0.11 }  real s1 { address = \"fd00:10::11\" }\n" \
	"  real r2 { address = 10.0.0.12 }  real s2 { address = \"fd00:10::12\" } }\n"

static void dr_vips(struct net *net)
{
	lab_wan_delegate(net->lab, 1, "100.64.1.100/32");
	lab_wan_delegate(net->lab, 1, "2001:db8:1::100/128");
	lab_do(lab_router(net->lab),
	       "ip addr add 10.0.0.100/32 dev lan0; ip addr add fd00:10::100/128 dev lan0 nodad;"
	       "ip addr add 100.64.1.100/32 dev wan1; ip addr add 2001:db8:1::100/128 dev wan1 nodad");
}

static void dr_ask(struct inbound *in, bool answered)
{
	static const struct {
		const char *to, *from;
	} ways[] = {{"10.0.0.100", "10.0.0.13"},
		    {"fd00:10::100", "fd00:10::13"},
		    {"100.64.1.100", "198.51.100.2"},
		    {"2001:db8:1::100", "2001:db8:aaaa::2"}};
	struct lab *lab = in->net->lab;
	for (size_t i = 0; i < 16; i++) { // each real by each way, over TCP and UDP
		struct lab_flow flow = {.from = i / 2 % 4 < 2 ? lab_host(lab, 3) : lab_internet(lab),
					.to = ways[i / 2 % 4].to,
					.port = 80,
					.source = ways[i / 2 % 4].from};
		expect(in, &flow, i >= 8, answered, flow.source);
	}
}

// Nobody but the router tells of the address.
static void dr_expect_one_owner(struct net *net)
{
	static const char watch[] = "table arp watch { chain out { type filter hook output priority 0;\n"
				    " arp operation reply arp saddr ip 10.0.0.100 counter\n }\n}\n";
	struct lab_ns *client = lab_host(net->lab, 3);
	for (int real = 1; real <= 2; real++)
		lab_nft_load(lab_host(net->lab, real), watch);
	lab_do(client, "ip neigh flush all; ip -6 neigh flush all");
	for (int six = 0; six <= 1; six++) {
		const char *router = six ? "fd00:10::1" : "10.0.0.1",
			   *vip = six ? "fd00:10::100" : "10.0.0.100";
		lab_do(client,
		       "set -e; mac() { ip -o neigh show to $1 | sed 's/.*lladdr \\([^ ]*\\).*/\\1/'; };"
		       "ping -c 1 -W 2 %s; ping -c 1 -W 2 %s; test -n \"$(mac %s)\"; test \"$(mac %s)\" = "
		       "\"$(mac %s)\"",
		       router, vip, vip, vip, router);
	}
	for (int real = 1; real <= 2; real++)
		lab_do(lab_host(net->lab, real), "nft list table arp watch | grep 'packets 0 '");
}

// The one by addresses of its own that it tells nobody of, the other without them.
static void by_addresses_and_by_redirect(struct inbound *in, const char *forward)
{
	struct lab *lab = in->net->lab;
	dr_vips(in->net);
	inbound_gwd(in, DIRECT, forward);
	net_guard(in->net, 2);
	dr_ask(in, false);
	run_script(in->net, lab_host(lab, 1), "web/r1");
	run_script(in->net, lab_host(lab, 1), "web/s1");
	run_script(in->net, lab_host(lab, 2), "web/r2 redirect");
	run_script(in->net, lab_host(lab, 2), "web/s2 redirect");
	inbound_mark(in);
	dr_ask(in, true);
	inbound_expect(in, (const int[]){8, 8}, 0);
	dr_expect_one_owner(in->net);
	inbound_finish(in);
}

Test(real_script, dr_by_addresses_and_by_redirect)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 2);
	by_addresses_and_by_redirect(in, "dr");
}

// The same, and packets come in tunnels: by the way that dr takes, they would be taken as well.
Test(real_script, tun_by_addresses_and_by_redirect)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 2);
	struct lab *lab = in->net->lab;
	if (lab_run(lab_router(lab), NULL, "ip link add try type ipip remote 192.0.2.1 && ip link del try")) {
		inbound_finish(in);
		cr_skip_test("this kernel has no ipip");
	}
	by_addresses_and_by_redirect(in, "tun");
}

// ---- nothing to do -----------------------------------------------------------------------------

Test(real_script, fullnat_needs_nothing)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 1, .hosts = 3}, 1);
	struct lab *lab = in->net->lab;
	char *output = NULL;
	in->net->config = lab_file(lab, "gwd.conf",
				   "control-group = \"\"\n"
				   "service web { listen = \"10.0.0.1:80\"  forward = fullnat\n"
				   "  real r { address = 10.0.0.11  port = 8080 } }\n");
	net_gwd(in->net);
	run_script(in->net, lab_host(lab, 1), "web/r");
	expect(in, &(struct lab_flow){.from = lab_host(lab, 3), .to = "10.0.0.1", .port = 80}, false, true,
	       "10.0.0.1");
	cr_assert_eq(net_gwctl(in->net, &output, "real-script web/s"), 1);
	cr_assert_str_eq(output, "no real is named \"web/s\": write SERVICE/REAL\n");
	free(output);
	inbound_finish(in);
}
