// SPDX-License-Identifier: GPL-2.0-or-later
// Published services with packets: every method that passes the replies through us, over every link, in both
// families, over TCP and UDP. Replies leave by the link that the connection came in on (the frame watches
// that no packet leaves another one with the wrong source).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/held.h"
#include "test/net/inbound.h"

static const int families[] = {AF_INET, AF_INET6};

static const char *bracketed(const char *address)
{
	static char text[4][64];
	static int turn;
	turn = (turn + 1) % 4;
	snprintf(text[turn], sizeof(text[turn]), strchr(address, ':') ? "[%s]" : "%s", address);
	return text[turn];
}

// "ADDRESS:PORT", … of every link in both families, for `listen`.
static char *all_links(struct lab *lab, uint16_t port)
{
	char *text = NULL, *before = NULL;
	for (int isp = 1; isp <= lab_isp_count(lab); isp++)
		for (int i = 0; i < 2; i++) {
			before = text;
			cr_assert_geq(asprintf(&text, "%s%s\"%s:%u\"", before ? before : "",
					       before ? ", " : "",
					       bracketed(lab_wan_address(lab, isp, families[i])), port),
				      0);
			free(before);
		}
	return text;
}

// ---- every method ------------------------------------------------------------------------------

struct method {
	const char *name;
	uint16_t port;
	const char *seen4, *seen6; // by the real; NULL: the client itself
};

static void expect_answer(struct inbound *in, const struct method *method, int isp, int family, bool udp)
{
	struct lab *lab = in->net->lab;
	struct lab_flow flow = {
		.from = lab_internet(lab), .to = lab_wan_address(lab, isp, family), .port = method->port};
	const char *seen = family == AF_INET ? method->seen4 : method->seen6;
	uint64_t before = lab_isp_packets(lab, isp);
	struct lab_conn conn = udp ? lab_ask(lab, &flow) : lab_connect(lab, &flow);
	cr_assert_eq(conn.outcome, LAB_ANSWERED, "%s, %s to %s: %s", method->name, udp ? "udp" : "tcp",
		     flow.to, lab_outcome_name(conn.outcome));
	cr_assert_str_eq(conn.seen, seen ? seen : conn.source, "%s to %s, from %s, seen as %s", method->name,
			 flow.to, conn.source, conn.seen);
	cr_assert_gt(lab_isp_packets(lab, isp), before, "%s: the reply did not leave by isp%d", method->name,
		     isp);
}

static void every_method(const struct lab_spec *spec)
{
	static const struct method methods[] = {
		{"nat", 8001, NULL, NULL},
		{"fullnat", 8002, "10.0.0.1", "fd00:10::1"},
		{"local", 8003, NULL, NULL},
		{"sticky", 8004, NULL, NULL},
	};
	struct inbound *in = inbound_lab(spec, 2);
	struct lab *lab = in->net->lab;
	char *listen[4];
	for (int i = 0; i < 4; i++)
		listen[i] = all_links(lab, methods[i].port);
	lab_server_start(lab, lab_router(lab), (const uint16_t[]){7777, 0});
	inbound_gwd(in,
		    "service nat { listen = { %s }  protocol = { tcp, udp }\n"
		    "  real r1 { address = 10.0.0.11  port = 80 }\n"
		    "  real r2 { address = 10.0.0.12  port = 8080 }\n"
		    "  real s1 { address = \"fd00:10::11\"  port = 80 } }\n"
		    "service full { listen = { %s }  protocol = { tcp, udp }  forward = fullnat\n"
		    "  real r1 { address = 10.0.0.11  port = 443 }\n"
		    "  real s1 { address = \"fd00:10::11\"  port = 443 } }\n"
		    "service here { listen = { %s }  protocol = { tcp, udp }  forward = local\n"
		    "  real box { port = 7777 } }\n"
		    "service sticky { listen = { %s }  protocol = { tcp, udp }  persistence = 1m\n"
		    "  real r1 { address = 10.0.0.11  port = 80 }\n"
		    "  real s1 { address = \"fd00:10::11\"  port = 80 } }\n",
		    listen[0], listen[1], listen[2], listen[3]);
	net_guard(in->net, 1);
	for (size_t m = 0; m < 4; m++)
		for (int isp = 1; isp <= lab_isp_count(lab); isp++)
			for (int i = 0; i < 4; i++)
				expect_answer(in, &methods[m], isp, families[i % 2], i >= 2);
	for (int i = 0; i < 4; i++)
		free(listen[i]);
	inbound_finish(in);
}

Test(services, every_method_on_every_link_in_both_families_over_tcp_and_udp)
{
	every_method(&(struct lab_spec){.isps = 3});
}

Test(services, also_under_a_strict_reverse_path_filter)
{
	every_method(&(struct lab_spec){.isps = 2, .rp_filter = 1});
}

Test(services, also_where_two_gateways_share_a_segment)
{
	every_method(&(struct lab_spec){.isps = 1, .shared = LAB_SHARED_TWO_SUBNETS});
}

// ---- nothing but services ----------------------------------------------------------------------

static const char *only_services(struct lab *lab, const char *before)
{
	return lab_file(lab, "gwd.conf",
			"control-group = \"\"\n%s"
			"service web { listen = { \"%s:8001\", \"[%s]:8001\" }  protocol = { tcp, udp }  "
			"scheduler = rr\n"
			"  real r1 { address = 10.0.0.11  port = 80 }\n"
			"  real r2 { address = 10.0.0.12  port = 80 }\n"
			"  real s1 { address = \"fd00:10::11\"  port = 80 } }\n",
			before, lab_wan_address(lab, 1, AF_INET), lab_wan_address(lab, 1, AF_INET6));
}

static void expect_served(struct inbound *in)
{
	static const struct method method = {"nat", 8001, NULL, NULL};
	for (int i = 0; i < 4; i++)
		expect_answer(in, &method, 1, families[i % 2], i >= 2);
	inbound_mark(in);
	inbound_ask(in, lab_wan_address(in->net->lab, 1, AF_INET), 8001, 20);
	inbound_expect(in, (const int[]){10, 10}, 1);
}

#define HELD 20

// Connections from the internet that stay open.
static struct lab_burst *hold(struct inbound *in)
{
	struct lab *lab = in->net->lab;
	return held_all(lab, &(struct lab_burst_spec){.flow = {.from = lab_internet(lab),
							       .to = lab_wan_address(lab, 1, AF_INET),
							       .port = 8001},
						      .count = HELD});
}

static bool has_outbound_part(struct inbound *in)
{
	bool rules = net_router_shows(in->net, "ip rule; ip -6 rule", "suppress_prefixlength");
	bool marks = net_router_shows(in->net, "nft list chain inet gwd pre 2>&1", "hook prerouting");
	cr_assert_eq(rules, marks);
	return rules;
}

Test(services, without_gateways_there_are_no_marks_and_no_ip_rules)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 1, .routes = true}, 2);
	struct lab *lab = in->net->lab;
	in->net->config = only_services(lab, "");
	net_gwd(in->net);
	expect_served(in);
	cr_assert(!has_outbound_part(in));
	struct lab_burst *held = hold(in);
	only_services(lab,
		      "lan { interfaces = { lan0 } }\ngateway g1 { interface = wan1 slow-start = 0s }\n");
	net_reload(in->net);
	net_wait_state(in->net, "g1", "up", 10000);
	expect_served(in);
	cr_assert(has_outbound_part(in));
	net_assert_alive(held, HELD);
	lab_burst_free(held);
	inbound_finish(in);
}
