// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_selftest_net: checks of the network itself and of the watch.
 */
#include "test/lab/lab.h"
#include "test/lab/lab_selftest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int families[] = {AF_INET, AF_INET6};

static void check_ping(struct lab *lab, const struct lab_ns *from, const char *to, const char *source)
{
	struct lab_stream_report report =
		lab_ping(lab, &(struct lab_flow){.from = from, .to = to, .source = source}, 2);

	lab_check(report.answered == 2, "%s pings %s: %d of 2", from->name, to, report.answered);
}

static void check_neighbours(struct lab *lab)
{
	for (int k = 1; k <= lab_isp_count(lab); k++)
		for (int f = 0; f < 2; f++)
			check_ping(lab, lab_router(lab), lab_wan_nexthop(lab, k, families[f]), NULL);
	check_ping(lab, lab_host(lab, 1), "10.0.0.1", NULL);
	check_ping(lab, lab_host(lab, 1), lab_host_address(AF_INET, 2), NULL);
	check_ping(lab, lab_host(lab, 2), lab_host_address(AF_INET6, 1), NULL);
	check_ping(lab, lab_host(lab, 1), "10.200.0.2", NULL);
	check_ping(lab, lab_host(lab, 1), "10.201.0.1", NULL);
	check_ping(lab, lab_host(lab, 2), "fd00:10:201::1", NULL);
	check_ping(lab, lab_inside(lab), lab_host_address(AF_INET6, 1), NULL);
	check_ping(lab, lab_inside(lab), "10.2.3.4", NULL);
	check_ping(lab, lab_host(lab, 1), "fd00:10:200::2", "fd00:10:1:7::1");
}

/* Every ISP carries TCP and UDP of both families, to every server, and all is counted there. */
static void check_isp(struct lab *lab, int isp, int family)
{
	struct lab_counts before = lab_isp_counts(lab, isp, family), after;

	lab_selftest_steer_host(lab, 1, isp);
	for (int n = 1; n <= LAB_SERVERS; n++) {
		struct lab_flow flow = {.from = lab_host(lab, 1), .to = lab_server_address(family, n)};
		struct lab_conn tcp = lab_connect(lab, &flow), udp = lab_ask(lab, &flow);

		lab_check(tcp.isp == isp && udp.isp == isp, "%s by ISP %d: TCP %s by %d, UDP %s by %d",
			  flow.to, isp, lab_outcome_name(tcp.outcome), tcp.isp, lab_outcome_name(udp.outcome),
			  udp.isp);
	}
	check_ping(lab, lab_host(lab, 1), lab_server_address(family, 1), NULL);
	after = lab_isp_counts(lab, isp, family);
	lab_check(after.tcp_flows - before.tcp_flows == LAB_SERVERS &&
			  after.udp_flows - before.udp_flows == LAB_SERVERS,
		  "ISP %d counted %llu TCP and %llu UDP flows", isp,
		  (unsigned long long)(after.tcp_flows - before.tcp_flows),
		  (unsigned long long)(after.udp_flows - before.udp_flows));
	lab_check(after.udp_packets - before.udp_packets == LAB_SERVERS &&
			  after.icmp_packets - before.icmp_packets == 2,
		  "ISP %d counted %llu UDP and %llu ICMP packets", isp,
		  (unsigned long long)(after.udp_packets - before.udp_packets),
		  (unsigned long long)(after.icmp_packets - before.icmp_packets));
}

static void check_network(const struct lab_spec *spec)
{
	struct lab *lab = lab_selftest_create(spec);

	check_neighbours(lab);
	for (int k = 1; k <= lab_isp_count(lab); k++)
		for (int f = 0; f < 2; f++)
			check_isp(lab, k, families[f]);
	lab_check_no_wrong_source(lab);
	lab_destroy(lab);
}

void lab_selftest_network(void)
{
	check_network(&(struct lab_spec){.isps = 2, .shared = LAB_SHARED_TWO_SUBNETS, .ppp = true});
}

void lab_selftest_one_subnet(void)
{
	check_network(&(struct lab_spec){.isps = 1, .shared = LAB_SHARED_ONE_SUBNET});
}

void lab_selftest_routes(void)
{
	struct lab *lab = lab_create(&(struct lab_spec){.isps = 2, .ppp = true, .routes = true});
	char *output;

	lab_run(lab_router(lab), &output, "ip -4 route show default; ip -6 route show default");
	lab_check(strstr(output, "default via 100.64.2.1 dev wan2 proto dhcp src 100.64.2.2 metric 102") !=
				  NULL &&
			  strstr(output, "default dev ppp0 scope link metric 103") != NULL &&
			  strstr(output, "default via fe80::2 dev wan2 proto ra metric 102") != NULL &&
			  strstr(output, "default dev ppp0 metric 103") != NULL,
		  "the default routes of a DHCP client, router advertisements and pppd:\n%s", output);
	free(output);
	check_ping(lab, lab_router(lab), lab_server_address(AF_INET, 1), NULL);
	check_ping(lab, lab_router(lab), lab_server_address(AF_INET6, 1), NULL);
	lab_destroy(lab);
}

void lab_selftest_names(void)
{
	struct lab *lab = lab_create(&(struct lab_spec){.isps = 2, .ppp = true});
	char client[64];

	lab_check(lab_isp_of_source(lab, "100.64.1.2") == 1 && lab_isp_of_source(lab, "100.70.2.9") == 2,
		  "IPv4 sources");
	lab_check(lab_isp_of_source(lab, "2001:db8:3::2") == 3 &&
			  lab_isp_of_source(lab, "2001:db8:102::2") == 2,
		  "IPv6 sources");
	lab_check(lab_isp_of_source(lab, "10.0.0.11") == 0 && lab_isp_of_source(lab, "100.64.4.2") == 0 &&
			  lab_isp_of_source(lab, "2001:db8:aaaa::1") == 0 &&
			  lab_isp_of_source(lab, "nonsense") == 0,
		  "no ISP's sources");
	lab_check(!strcmp(lab_wan_name(lab, 3), "ppp0") && lab_isp_of_ppp(lab) == 3 &&
			  lab_isp_count(lab) == 3,
		  "ppp0 is last");
	lab_check(lab_place(lab, "host2") == lab_host(lab, 2) && !lab_place(lab, "host3"), "places by name");
	lab_client_address(AF_INET, 1, LAB_CLIENTS_MAX - 1, client);
	lab_check(!strcmp(client, "10.1.239.250"), "the last client is %s", client);
	lab_client_address(AF_INET6, 2, 255, client);
	lab_check(!strcmp(client, "fd00:10:2:ff::1"), "client 255 is %s", client);
	lab_destroy(lab);
}

void lab_selftest_many(void)
{
	int64_t began = lab_now_ms();
	struct lab *lab = lab_create(
		&(struct lab_spec){.isps = 29, .hosts = 8, .shared = LAB_SHARED_TWO_SUBNETS, .ppp = true});

	printf("    32 ISPs in %d ms\n", (int)(lab_now_ms() - began));
	for (int k = 1; k <= lab_isp_count(lab); k++)
		check_ping(lab, lab_router(lab), lab_wan_nexthop(lab, k, AF_INET6), NULL);
	check_ping(lab, lab_host(lab, 8), lab_host_address(AF_INET, 1), NULL);
	lab_destroy(lab);
}

void lab_selftest_few(void)
{
	struct lab *lab = lab_create(&(struct lab_spec){.isps = -1, .hosts = 1, .ppp = true});

	lab_check(lab_isp_count(lab) == 1, "one ISP");
	check_ping(lab, lab_router(lab), lab_wan_nexthop(lab, 1, AF_INET), NULL);
	lab_destroy(lab);
}

/* ---- the watch ---- */

static void check_first(struct lab *lab, int isp, const char *text)
{
	lab_check(strstr(lab_wrong_source_first(lab, isp), text) != NULL,
		  "the first wrong source on ISP %d is \"%s\", not %s", isp, lab_wrong_source_first(lab, isp),
		  text);
}

/* Sends datagrams from the router, with any source. */
static void send_from(struct lab *lab, const char *source, const char *to, int count)
{
	lab_stream_finish(lab_stream_start(
		lab, &(struct lab_stream_spec){.flow = {.from = lab_router(lab), .to = to, .source = source},
					       .count = count}));
}

void lab_selftest_watch(void)
{
	struct lab *lab = lab_create(&(struct lab_spec){.isps = 2});
	const char *to = lab_server_address(AF_INET, 1), *to6 = lab_server_address(AF_INET6, 1);

	lab_do(lab_router(lab),
	       "ip route add default via 100.64.1.1; ip route add default via 2001:db8:2::1");
	send_from(lab, NULL, to, 10);
	send_from(lab, NULL, to6, 10);
	lab_check(lab_wrong_sources(lab) == 0 && !strcmp(lab_wrong_first(lab), "none"),
		  "right sources are right: %s", lab_wrong_first(lab));
	send_from(lab, "100.64.2.2", to, 7);
	lab_check(lab_wrong_source_count(lab, 1) == 7 && lab_wrong_source_count(lab, 2) == 0,
		  "7 packets with the other link's address: %d", (int)lab_wrong_source_count(lab, 1));
	check_first(lab, 1, "isp1: 100.64.2.2 port");
	send_from(lab, "10.0.0.1", to, 1);
	lab_check(lab_wrong_source_count(lab, 1) == 8, "and one inside address");
	check_first(lab, 1, "100.64.2.2"); /* still the first */
	lab_ping(lab, &(struct lab_flow){.from = lab_host(lab, 1), .to = to6}, 3);
	lab_check(lab_wrong_source_count(lab, 2) == 3 && lab_wrong_sources(lab) == 11,
		  "3 pings without translation: %d", (int)lab_wrong_source_count(lab, 2));
	check_first(lab, 2, "isp2: fd00:10::11 > 2001:db8:aaaa::1 icmp");
	lab_check(lab_isp_packets_from(lab, 1, "100.64.2.2") == 7 &&
			  lab_isp_packets_from(lab, 2, "fd00:10::11") == 3 &&
			  lab_isp_packets_from(lab, 2, "fd00:10::12") == 0,
		  "packets by source");
	lab_destroy(lab);
}

void lab_selftest_delegate(void)
{
	struct lab *lab = lab_create(&(struct lab_spec){.isps = 2});
	struct lab_flow flow = {
		.from = lab_router(lab), .to = lab_server_address(AF_INET, 1), .source = "100.64.1.20"};

	lab_wan_delegate(lab, 1, "100.64.1.16/28");
	lab_wan_delegate(lab, 2, "2001:db8:f000::/56");
	lab_do(lab_router(lab),
	       "ip route add default via 100.64.1.1; ip route add default via 2001:db8:2::1");
	lab_do(lab_router(lab),
	       "ip addr add 100.64.1.20/32 dev lo; ip addr add 2001:db8:f000:7::5/128 dev lo");
	lab_check(lab_connect(lab, &flow).isp == 1, "a delegated IPv4 address");
	flow.to = lab_server_address(AF_INET6, 1);
	flow.source = "2001:db8:f000:7::5";
	lab_check(lab_connect(lab, &flow).isp == 2, "a delegated IPv6 address");
	lab_check_no_wrong_source(lab);
	lab_destroy(lab);
}
