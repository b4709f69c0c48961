// SPDX-License-Identifier: GPL-2.0-or-later
// Other programs' bits of the marks, tables, rules and routes are theirs.
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

static const int weights[] = {1, 1, 1};

static struct net *start(const char *globals, const char *ruleset)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	char *gateways = net_gateways(net->lab, 3, weights, false);
	net_configure(net, "%s %s balance default { scheduler = rr persistence = 5m }", globals, gateways);
	free(gateways);
	lab_nft_load(lab_router(net->lab), ruleset);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 3);
	return net;
}

static int count_of(struct net *net, const char *counter)
{
	char *output = NULL;
	lab_run(lab_router(net->lab), &output, "nft list counter inet qos %s", counter);
	char *packets = strstr(output, "packets ");
	cr_assert_not_null(packets, "%s", output);
	int n = atoi(packets + 8);
	free(output);
	return n;
}

static void use(struct net *net)
{
	struct lab_tally tally = lab_burst_run(
		net->lab,
		&(struct lab_burst_spec){.flow = {.from = lab_host(net->lab, 1), .to = "198.51.100.1"},
					 .count = 120,
					 .clients = 30});
	cr_assert_eq(tally.answered, 120);
	cr_assert(tally.isp[1] >= 20 && tally.isp[2] >= 20 && tally.isp[3] >= 20);
	cr_assert_eq(tally.split_clients, 0, "pins do not hold under foreign marks");
}

// Someone sets low bits of the packet mark before us; they must be there behind us, on every packet.
Test(marks, foreign_bits_of_the_packet_mark_stay)
{
	struct net *net = start(
		"",
		"table inet qos { counter kept { } counter lost { }\n"
		"chain a { type filter hook prerouting priority raw; iifname lan0 ip saddr 10.1.0.0/16 meta "
		"mark set 0x00000abc; }\n"
		"chain z { type filter hook postrouting priority srcnat + 10; oifname \"wan*\" ip daddr "
		"198.51.100.1 jump t\n }\n"
		"chain t { meta mark & 0x00ffffff == 0xabc counter name kept accept\n counter name lost\n } "
		"}");
	use(net);
	cr_assert_gt(count_of(net, "kept"), 300);
	cr_assert_eq(count_of(net, "lost"), 0);
	net_finish(net);
}

// The same with the connection mark.
Test(marks, foreign_bits_of_the_connection_mark_stay)
{
	struct net *net = start(
		"",
		"table inet qos { counter kept { } counter lost { }\n"
		"chain a { type filter hook prerouting priority -180; iifname lan0 ip saddr 10.1.0.0/16 ct "
		"state new ct mark set 0x00000abc\n }\n"
		"chain z { type filter hook postrouting priority srcnat + 10; oifname \"wan*\" ip daddr "
		"198.51.100.1 jump t\n }\n"
		"chain t { ct mark & 0x00ffffff == 0xabc counter name kept accept\n counter name lost\n }\n }");
	use(net);
	cr_assert_gt(count_of(net, "kept"), 300);
	cr_assert_eq(count_of(net, "lost"), 0);
	net_finish(net);
}

Test(marks, another_mask_works_as_well)
{
	struct net *net =
		start("mark-mask = 0x000fc000", "table inet qos { counter kept { } counter lost { }\n"
						"chain a { type filter hook prerouting priority raw; iifname "
						"lan0 ip saddr 10.1.0.0/16 meta mark set 0x80000001\n }\n"
						"chain z { type filter hook postrouting priority srcnat + "
						"10; oifname \"wan*\" ip daddr 198.51.100.1 jump t\n }\n"
						"chain t { meta mark & 0xfff03fff == 0x80000001 counter name "
						"kept accept; counter name lost\n }\n }");
	use(net);
	cr_assert_gt(count_of(net, "kept"), 300);
	cr_assert_eq(count_of(net, "lost"), 0);
	net_finish(net);
}

Test(marks, tables_rules_and_routes_of_others_are_not_touched)
{
	struct net *net = net_lab(&(struct lab_spec){.isps = 3});
	char *gateways = net_gateways(net->lab, 3, weights, false), *before = NULL, *after = NULL;
	const char *look = "ip rule | grep -v 'proto 200'; ip -6 rule | grep -v 'proto 200'; ip route show "
			   "table all | grep -v 'proto 200';"
			   "ip -6 route show table all | grep -v 'proto 200'; nft list table ip other; nft "
			   "list table netdev far";
	net_configure(net, "on-exit = remove %s", gateways);
	free(gateways);
	lab_do(lab_router(net->lab),
	       "ip rule add pref 10005 fwmark 0x5 lookup 77; ip route add 192.0.2.0/24 dev wan1 table 77;"
	       "ip route add default dev wan2 table 1001; ip -6 rule add pref 10001 lookup 78");
	lab_nft_load(lab_router(net->lab),
		     "table ip other { chain c { type filter hook forward priority 0; counter\n } }\n"
		     "table netdev far { set s { type mark; elements = { 5 } } }");
	lab_run(lab_router(net->lab), &before, "%s", look);
	net_gwd(net);
	net_wait_up(net);
	cr_assert_eq(net_gwctl(net, NULL, "reload"), 0);
	cr_assert_eq(net_gwctl(net, NULL, "flush"), 0);
	lab_run(lab_router(net->lab), &after, "%s", look);
	cr_assert_str_eq(before, after);
	cr_assert_eq(net_gwctl(net, NULL, "reload"), 0);
	net_wait_up(net);
	cr_assert_eq(lab_proc_stop(net->gwd), 0);
	net->gwd = NULL;
	free(after);
	lab_run(lab_router(net->lab), &after, "%s", look);
	cr_assert_str_eq(before, after);
	cr_assert(!net_router_shows(net, "nft list tables; ip rule; ip route show table all; ip -6 rule",
				    "200"));
	cr_assert(!net_router_shows(net, "nft list tables", "gwd"));
	free(before);
	free(after);
	net_finish(net);
}
