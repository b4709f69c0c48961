// SPDX-License-Identifier: GPL-2.0-or-later
// Services seen from everywhere: the LAN, a real, the director itself, two links at once; reals in a remote place.
#include <stdlib.h>
#include <string.h>

#include "test/net/held.h"
#include "test/net/inbound.h"

static void expect_seen(struct inbound *in, const struct lab_flow *flow, bool udp, const char *seen)
{
	struct lab_conn conn = udp ? lab_ask(in->net->lab, flow) : lab_connect(in->net->lab, flow);
	cr_assert_eq(conn.outcome, LAB_ANSWERED, "%s to %s port %u from %s: %s", udp ? "udp" : "tcp",
		     flow->to, flow->port, flow->from->name, lab_outcome_name(conn.outcome));
	cr_assert(!seen || !strcmp(conn.seen, seen), "seen as %s, not %s", conn.seen, seen);
}

static const char *wan(struct inbound *in, int isp)
{
	return lab_wan_address(in->net->lab, isp, AF_INET);
}

static const char *wan6(struct inbound *in, int isp)
{
	return lab_wan_address(in->net->lab, isp, AF_INET6);
}

// ---- links -------------------------------------------------------------------------------------

#define TWO_LINKS \
	"service web { listen = { \"%s:80\", \"%s:80\" }  protocol = { tcp, udp }\n" \
	"  real r1 { address = 10.0.0.11 } }\n" \
	"service mail { listen = { \"%s:443\" }  persistence = 1m  real r2 { address = 10.0.0.12 } }\n"

// The same address and port to both VIPs at once: each answer goes back by its own link.
Test(service_paths, one_client_on_two_links)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 3}, 2);
	struct lab *lab = in->net->lab;
	inbound_gwd(in, TWO_LINKS, wan(in, 1), wan(in, 2), wan(in, 2));
	net_guard(in->net, 3);
	for (int udp = 0; udp < 2; udp++) {
		for (int isp = 1; isp <= 2; isp++) {
			struct lab_flow flow = {.from = lab_internet(lab),
						.to = wan(in, isp),
						.port = 80,
						.source = "198.51.100.2",
						.source_port = 20000};
			uint64_t before = lab_isp_packets(lab, isp);
			expect_seen(in, &flow, udp, "198.51.100.2");
			cr_assert_gt(lab_isp_packets(lab, isp), before);
		}
	}
	inbound_finish(in);
}

static struct lab_burst *hold(struct inbound *in, const char *vip, uint16_t port, int count)
{
	return held_all(in->net->lab,
			&(struct lab_burst_spec){
				.flow = {.from = lab_internet(in->net->lab), .to = vip, .port = port},
				.count = count});
}

Test(service_paths, a_links_death_leaves_the_connections_of_the_others_alone)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 3}, 2);
	struct lab *lab = in->net->lab;
	inbound_gwd(in, TWO_LINKS, wan(in, 1), wan(in, 2), wan(in, 2));
	net_guard(in->net, 3);
	struct lab_burst *web = hold(in, wan(in, 2), 80, 50), *mail = hold(in, wan(in, 2), 443, 50);
	lab_fault_blackhole(lab, 1);
	net_wait_state(in->net, "g1", "down", 5000);
	net_assert_alive(web, 50);
	net_assert_alive(mail, 50);
	inbound_ask(in, wan(in, 2), 80, 20);
	lab_fault_repair(lab, 1);
	net_wait_state(in->net, "g1", "up", 10000);
	inbound_ask(in, wan(in, 1), 80, 20);
	net_assert_alive(web, 50);
	net_assert_alive(mail, 50);
	lab_burst_free(web);
	lab_burst_free(mail);
	inbound_finish(in);
}

// ---- from the inside ---------------------------------------------------------------------------

#define FROM_INSIDE \
	"service web { listen = { \"%s:80\", \"[%s]:80\", \"10.0.0.1:80\" }  protocol = { tcp, udp }\n" \
	"  real r1 { address = 10.0.0.11  port = 8080 }  real s1 { address = \"fd00:10::11\"  port = 8080 " \
	"} }\n" \
	"service sticky { listen = { \"%s:443\", \"[%s]:443\" }  protocol = { tcp, udp }  persistence = " \
	"1m\n" \
	"  real r1 { address = 10.0.0.11 }  real s1 { address = \"fd00:10::11\" } }\n" \
	"service arm { listen = { \"10.0.0.1:7000\" }  protocol = { tcp, udp }  forward = fullnat\n" \
	"  real r1 { address = 10.0.0.11 } }\n"

static void ask_from(struct inbound *in, struct lab_ns *from, const char *seen4, const char *seen6)
{
	const uint16_t ports[] = {80, 443};
	for (int i = 0; i < 8; i++) {
		struct lab_flow flow = {
			.from = from, .to = i & 1 ? wan6(in, 1) : wan(in, 1), .port = ports[i / 2 % 2]};
		expect_seen(in, &flow, i >= 4, i & 1 ? seen6 : seen4);
	}
}

// In the real's own subnet, on the real itself, behind another interface, and on the director.
Test(service_paths, clients_inside_reach_the_vip_wherever_they_are)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 1);
	struct lab *lab = in->net->lab;
	inbound_gwd(in, FROM_INSIDE, wan(in, 1), wan6(in, 1), wan(in, 1), wan6(in, 1));
	net_guard(in->net, 2);
	ask_from(in, lab_host(lab, 3), "10.0.0.1", "fd00:10::1");
	ask_from(in, lab_host(lab, 1), "10.0.0.1", "fd00:10::1"); // its real is itself
	ask_from(in, lab_inside(lab), "10.200.0.2", NULL);
	ask_from(in, lab_router(lab), NULL, NULL);
	expect_seen(in, &(struct lab_flow){.from = lab_router(lab), .to = "10.0.0.1", .port = 80}, false,
		    NULL);
	expect_seen(in, &(struct lab_flow){.from = lab_host(lab, 3), .to = "10.0.0.1", .port = 80}, true,
		    "10.0.0.1");
	inbound_finish(in);
}

// One-arm: clients, VIP and reals in one network; nothing but the director sees the client's address.
Test(service_paths, one_arm_fullnat)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 1);
	struct lab *lab = in->net->lab;
	inbound_gwd(in, FROM_INSIDE, wan(in, 1), wan6(in, 1), wan(in, 1), wan6(in, 1));
	net_guard(in->net, 2);
	for (int udp = 0; udp < 2; udp++)
		expect_seen(in, &(struct lab_flow){.from = lab_host(lab, 3), .to = "10.0.0.1", .port = 7000},
			    udp, "10.0.0.1");
	inbound_finish(in);
}

// What a real does by itself is a LAN client's traffic: balanced over the links, each source right.
Test(service_paths, reals_open_connections_of_their_own)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2}, 1);
	struct lab *lab = in->net->lab;
	inbound_gwd(in, FROM_INSIDE, wan(in, 1), wan6(in, 1), wan(in, 1), wan6(in, 1));
	net_guard(in->net, 2);
	struct lab_tally tally = lab_burst_run(
		lab,
		&(struct lab_burst_spec){.flow = {.from = lab_host(lab, 1), .to = "198.51.100.1", .port = 80},
					 .count = 40,
					 .clients = 40});
	cr_assert_eq(tally.answered, 40);
	net_assert_spread(&tally, (const int[]){1, 1}, 2, 2);
	inbound_finish(in);
}

// ---- remote reals ------------------------------------------------------------------------------

// A remote site is reached by the link that the client came by, from that link's address.
Test(service_paths, fullnat_to_a_site_behind_a_link)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .routes = true}, 1);
	struct lab *lab = in->net->lab;
	inbound_gwd(in,
		    "service web { listen = { \"%s:8001\", \"%s:8001\", \"[%s]:8001\" }  protocol = { tcp, "
		    "udp }\n"
		    "  forward = fullnat  real far { address = 203.0.113.2  port = 80 }\n"
		    "  real far6 { address = \"2001:db8:bbbb::2\"  port = 80 } }\n"
		    "service sticky { listen = { \"%s:8002\" }  persistence = 1m  forward = fullnat\n"
		    "  real far { address = 203.0.113.2  port = 443 } }\n",
		    wan(in, 1), wan(in, 2), wan6(in, 2), wan(in, 2));
	net_guard(in->net, 1);
	for (int udp = 0; udp < 2; udp++) {
		for (int isp = 1; isp <= 2; isp++)
			expect_seen(in,
				    &(struct lab_flow){
					    .from = lab_internet(lab), .to = wan(in, isp), .port = 8001},
				    udp, wan(in, isp));
		expect_seen(in,
			    &(struct lab_flow){.from = lab_internet(lab), .to = wan6(in, 2), .port = 8001},
			    udp, wan6(in, 2));
	}
	for (int i = 0; i < 3; i++)
		expect_seen(in, &(struct lab_flow){.from = lab_internet(lab), .to = wan(in, 2), .port = 8002},
			    false, wan(in, 2));
	// the LAN's clients, too: there main decides by which link
	expect_seen(in, &(struct lab_flow){.from = lab_host(lab, 1), .to = wan(in, 1), .port = 8001}, false,
		    NULL);
	expect_seen(in, &(struct lab_flow){.from = lab_router(lab), .to = wan(in, 1), .port = 8001}, false,
		    NULL);
	inbound_finish(in);
}

Test(service_paths, fullnat_speaks_from_its_source_range)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2}, 1);
	struct lab *lab = in->net->lab;
	for (int i = 0; i < 4; i++) {
		lab_do(lab_router(lab), "ip address add 10.0.0.%d/32 dev lan0", 200 + i);
		lab_do(lab_router(lab), "ip address add fd00:10::20%d/128 dev lan0 nodad", i);
	}
	inbound_gwd(in,
		    "service web { listen = { \"%s:8001\", \"[%s]:8001\" }  protocol = { tcp, udp }  forward "
		    "= fullnat\n"
		    "  source = { \"10.0.0.200-10.0.0.203\", \"fd00:10::201\" }\n"
		    "  real r1 { address = 10.0.0.11  port = 80 }  real s1 { address = \"fd00:10::11\"  port "
		    "= 80 } }\n",
		    wan(in, 1), wan6(in, 1));
	net_guard(in->net, 2);
	for (int i = 0; i < 8; i++) {
		struct lab_flow flow = {.from = lab_internet(lab), .to = wan(in, 1), .port = 8001};
		struct lab_conn conn = i % 2 ? lab_ask(lab, &flow) : lab_connect(lab, &flow);
		cr_assert_eq(conn.outcome, LAB_ANSWERED);
		cr_assert(!strncmp(conn.seen, "10.0.0.20", 9) && conn.seen[9] <= '3', "seen as %s",
			  conn.seen);
		flow.to = wan6(in, 1);
		expect_seen(in, &flow, i % 2, "fd00:10::201");
	}
	inbound_finish(in);
}
