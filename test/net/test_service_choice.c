// SPDX-License-Identifier: GPL-2.0-or-later
// Who gets a connection: schedulers, ports, persistence (with other programs' marks about), nobody.
#include <stdlib.h>
#include <string.h>

#include "test/net/inbound.h"

static const char *wan(struct inbound *in, int isp)
{
	return lab_wan_address(in->net->lab, isp, AF_INET);
}

// ---- schedulers --------------------------------------------------------------------------------

#define THREE \
	"  real r1 { address = 10.0.0.11  weight = 3 }  real r2 { address = 10.0.0.12  weight = 2 }\n" \
	"  real r3 { address = 10.0.0.13 } }\n"

Test(service_choice, weights_count)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 3);
	inbound_gwd(in,
		    "service rr { listen = \"%s:80\"  scheduler = rr" THREE
		    "service wrr { listen = \"%s:443\"  protocol = udp  scheduler = wrr" THREE
		    "service fo { listen = \"%s:7000\"  scheduler = fo" THREE
		    "service random { listen = \"%s:7\"  scheduler = random" THREE
		    "service mh { listen = \"%s:9000\"  scheduler = mh" THREE,
		    wan(in, 1), wan(in, 1), wan(in, 1), wan(in, 1), wan(in, 1));
	net_guard(in->net, 2);
	inbound_ask(in, wan(in, 1), 80, 60);
	inbound_expect(in, (const int[]){20, 20, 20}, 0);
	inbound_ask_udp(in, wan(in, 1), 443, 60);
	inbound_expect(in, (const int[]){30, 20, 10}, 0);
	inbound_ask(in, wan(in, 1), 7000, 20);
	inbound_expect(in, (const int[]){20, 0, 0}, 0);
	inbound_ask(in, wan(in, 1), 7, 300);
	inbound_expect(in, (const int[]){150, 100, 50}, 40);
	inbound_ask(in, wan(in, 1), 9000, 300);
	inbound_expect(in, (const int[]){150, 100, 50}, 40);
	inbound_finish(in);
}

// ---- ports -------------------------------------------------------------------------------------

Test(service_choice, remapped_per_real_listed_ranges_and_any_port)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 2}, 2);
	struct lab *lab = in->net->lab;
	lab_wan_delegate(lab, 1, "100.64.1.16/28");
	lab_do(lab_router(lab), "ip address add 100.64.1.17/32 dev wan1");
	inbound_gwd(
		in,
		"service ports { listen = { \"%s:1001\", \"%s:1002\" }  protocol = { tcp, udp }  scheduler = "
		"rr\n"
		"  real r1 { address = 10.0.0.11  port = 8080 }  real r2 { address = 10.0.0.12  port = 9000 "
		"} }\n"
		"service range { listen = { \"%s:5000-5100\" }  protocol = { tcp, udp }  real r1 { address = "
		"10.0.0.11 } }\n"
		"service mapped { listen = { \"%s:6000-6100\" }  protocol = { tcp, udp }\n"
		"  real r1 { address = 10.0.0.11  port = 443 } }\n"
		"service any { listen = { \"100.64.1.17:*\" }  protocol = { tcp, udp }  forward = fullnat\n"
		"  real r2 { address = 10.0.0.12 } }\n",
		wan(in, 1), wan(in, 1), wan(in, 1), wan(in, 2));
	net_guard(in->net, 2);
	for (int udp = 0; udp < 2; udp++) {
		void (*ask)(struct inbound *, const char *, uint16_t, int) =
			udp ? inbound_ask_udp : inbound_ask;
		ask(in, wan(in, 1), 1001, 10);
		ask(in, wan(in, 1), 1002, 10);
		inbound_expect(in, (const int[]){10, 10}, 0);
		ask(in, wan(in, 1), 5060, 3); // the only one of the range that the real listens on
		inbound_expect(in, (const int[]){3, 0}, 0);
		ask(in, wan(in, 2), 6000, 3);
		ask(in, wan(in, 2), 6100, 3);
		inbound_expect(in, (const int[]){6, 0}, 0);
		ask(in, "100.64.1.17", 80, 3);
		ask(in, "100.64.1.17", 9000, 3);
		inbound_expect(in, (const int[]){0, 6}, 0);
	}
	struct lab_flow outside = {.from = lab_internet(lab), .to = wan(in, 1), .port = 5101};
	cr_assert_eq(lab_connect(lab, &outside).outcome, LAB_REFUSED, "the first port behind the range");
	inbound_finish(in);
}

// ---- persistence -------------------------------------------------------------------------------

// Every client has one real over both ports and both links; returns how many reals are in use.
static int expect_pinned(struct inbound *in, const char *const *clients, size_t n, int real[])
{
	bool used[INBOUND_REALS_MAX + 1] = {false};
	int count = 0;
	for (size_t i = 0; i < n; i++)
		for (int k = 0; k < 6; k++) {
			struct lab_flow flow = {.from = lab_internet(in->net->lab),
						.to = wan(in, 1 + k % 2),
						.port = k / 2 % 2 ? 443 : 80,
						.source = clients[i]};
			int got = inbound_real_of(in, &flow, k >= 4);
			cr_assert(got, "%s was not answered", clients[i]);
			real[i] = k ? real[i] : got;
			cr_assert_eq(got, real[i], "%s went to real %d after %d", clients[i], got, real[i]);
			count += !used[got];
			used[got] = true;
		}
	return count;
}

static const char *const clients[] = {"198.51.100.1", "198.51.100.2", "198.51.100.3", "203.0.113.1"};

#define STICKY(options) \
	"service web { listen = { \"%s:80\", \"%s:443\", \"%s:80\", \"%s:443\" }  protocol = { tcp, udp }\n" \
	"  persistence = 1m  scheduler = rr  " options "\n" \
	"  real r1 { address = 10.0.0.11 }  real r2 { address = 10.0.0.12 } real r3 { address = 10.0.0.13 " \
	"} }\n"

Test(service_choice, a_client_keeps_its_real_over_ports_and_links)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 3);
	int real[4];
	inbound_gwd(in, STICKY(""), wan(in, 1), wan(in, 1), wan(in, 2), wan(in, 2));
	net_guard(in->net, 2);
	cr_assert_eq(expect_pinned(in, clients, 4, real), 3);
	inbound_finish(in);
}

Test(service_choice, a_mask_makes_a_network_one_client)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 3);
	int real[4];
	inbound_gwd(in, STICKY("persist-mask = 24"), wan(in, 1), wan(in, 1), wan(in, 2), wan(in, 2));
	net_guard(in->net, 2);
	cr_assert_eq(expect_pinned(in, clients, 4, real), 2);
	cr_assert(real[0] == real[1] && real[1] == real[2] && real[2] != real[3]);
	inbound_finish(in);
}

// Marks of other programs: on the packet, on the connection, on both (then a client can't be remembered, but is
// served). They are as they were when gwd is done, and no real's id stays in them.
static void expect_marks(struct inbound *in, unsigned foreign)
{
	char *output = NULL;
	int n = 0;
	lab_run(lab_router(in->net->lab), &output, "conntrack -L -p tcp -d %s; conntrack -L -p tcp -d %s",
		wan(in, 1), wan(in, 2));
	for (char *mark = strstr(output, "mark="); mark; mark = strstr(mark + 1, "mark=")) {
		unsigned long value = strtoul(mark + 5, NULL, 10);
		cr_assert_eq(value & 0x00ffffff, foreign, "foreign bits are %lx:\n%s", value, output);
		cr_assert(value >> 24 && value >> 24 < 255, "no gateway in mark %lx", value);
		n++;
	}
	cr_assert_gt(n, 10);
	free(output);
}

static void with_marks(const char *rules, unsigned foreign, bool pinned)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 3}, 3);
	struct lab *lab = in->net->lab;
	int real[4];
	inbound_gwd(in, STICKY(""), wan(in, 1), wan(in, 1), wan(in, 2), wan(in, 2));
	lab_nft_load(lab_router(lab), rules);
	net_guard(in->net, 2);
	if (pinned)
		cr_assert_eq(expect_pinned(in, clients, 4, real), 3);
	inbound_ask(in, wan(in, 1), 80, 9);
	inbound_ask(in, wan(in, 2), 443, 9);
	expect_marks(in, foreign);
	inbound_finish(in);
}

#define MARKS(packet, ct) \
	"table inet other {\n chain p {\n type filter hook prerouting priority -190;\n" packet "\n" ct \
	"\n }\n }\n"

Test(service_choice, pins_with_anothers_mark_on_the_packet)
{
	with_marks(MARKS("meta mark set meta mark or 0x1234", ""), 0, true);
}

Test(service_choice, pins_with_anothers_mark_on_the_connection)
{
	with_marks(MARKS("", "ct state new ct mark set ct mark or 0x77"), 0x77, true);
}

Test(service_choice, anothers_marks_on_both)
{
	with_marks(MARKS("meta mark set meta mark or 0x1234", "ct state new ct mark set ct mark or 0x77"),
		   0x77, false);
}

// ---- nobody ------------------------------------------------------------------------------------

Test(service_choice, where_nobody_serves_the_client_is_refused_at_once)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 2}, 1);
	struct lab *lab = in->net->lab;
	inbound_gwd(in,
		    "service web { listen = \"%s:80\"  protocol = { tcp, udp }  real r1 { address = "
		    "10.0.0.11  weight = 0 } }\n"
		    "service sticky { listen = \"%s:443\"  protocol = { tcp, udp }  persistence = 1m\n"
		    "  real r1 { address = 10.0.0.11  weight = 0 } }\n",
		    wan(in, 1), wan(in, 1));
	net_guard(in->net, 2);
	for (int i = 0; i < 4; i++) {
		struct lab_flow flow = {
			.from = lab_internet(lab), .to = wan(in, 1), .port = i & 1 ? 80 : 443};
		struct lab_conn conn = i & 2 ? lab_ask(lab, &flow) : lab_connect(lab, &flow);
		cr_assert_eq(conn.outcome, LAB_REFUSED, "%s", lab_outcome_name(conn.outcome));
	}
	inbound_finish(in);
}

// ---- limits of one source ----------------------------------------------------------------------

static struct lab_burst *hold_from(struct inbound *in, const char *source, uint16_t port, int count)
{
	struct lab_burst *held = lab_burst_start(
		in->net->lab, &(struct lab_burst_spec){.flow = {.from = lab_internet(in->net->lab),
								.to = wan(in, 1),
								.port = port,
								.source = source},
						       .count = count,
						       .timeout_ms = 500,
						       .hold = true});
	lab_burst_wait(held);
	return held;
}

Test(service_choice, a_source_has_so_many_connections_at_a_time)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 2}, 2);
	inbound_gwd(in,
		    "service web { listen = \"%s:80\"  limit-source { connections = 20 }\n"
		    "  real r1 { address = 10.0.0.11 }  real r2 { address = 10.0.0.12 } }\n",
		    wan(in, 1));
	net_guard(in->net, 2);
	struct lab_burst *greedy = hold_from(in, "198.51.100.1", 80, 50);
	cr_assert_eq(lab_burst_tally(greedy).answered, 20);
	cr_assert_eq(lab_burst_tally(greedy).outcome[LAB_TIMEOUT], 30);
	struct lab_burst *other = hold_from(in, "198.51.100.2", 80, 20);
	cr_assert_eq(lab_burst_tally(other).answered, 20, "another source has its own");
	lab_burst_free(greedy);
	lab_burst_free(other);
	inbound_finish(in);
}

Test(service_choice, a_source_has_so_many_new_connections_a_second)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 2, .hosts = 2}, 2);
	inbound_gwd(in,
		    "service web { listen = \"%s:80\"  protocol = udp  limit-source { rate = 10/s }\n"
		    "  real r1 { address = 10.0.0.11 }  real r2 { address = 10.0.0.12 } }\n",
		    wan(in, 1));
	net_guard(in->net, 2);
	for (int i = 1; i <= 2; i++) {
		struct lab_burst_spec spec = {.flow = {.from = lab_internet(in->net->lab),
						       .to = wan(in, 1),
						       .port = 80,
						       .source = i == 1 ? "198.51.100.1" : "198.51.100.2"},
					      .count = 64,
					      .timeout_ms = 1000,
					      .udp = true};
		struct lab_tally tally = lab_burst_run(in->net->lab, &spec);
		cr_assert(tally.answered >= 10 && tally.answered <= 20, "%d", tally.answered);
	}
	inbound_finish(in);
}
