// SPDX-License-Identifier: GPL-2.0-or-later
// Other programs' bits of the marks, tables, rules and routes are theirs.
#include <stdio.h>
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

// Somebody (`who`, a rule in a chain before ours) marks; behind us the bits must be there (`there`, a match)
// on every packet that leaves.
static void bits_stay(const char *globals, const char *priority, const char *who, const char *there)
{
	char *ruleset = NULL;
	cr_assert_geq(asprintf(&ruleset,
			       "table inet qos {\n"
			       "	counter kept {\n	}\n"
			       "	counter lost {\n	}\n"
			       "	chain a {\n"
			       "		type filter hook prerouting priority %s;\n"
			       "		iifname lan0 ip saddr 10.1.0.0/16 %s\n"
			       "	}\n"
			       "	chain t {\n"
			       "		%s counter name kept accept\n"
			       "		counter name lost\n"
			       "	}\n"
			       "	chain z {\n"
			       "		type filter hook postrouting priority 110;\n"
			       "		oifname \"wan*\" ip daddr 198.51.100.1 jump t\n"
			       "	}\n"
			       "}\n",
			       priority, who, there),
		      0);
	struct net *net = start(globals, ruleset);
	use(net);
	cr_assert_gt(count_of(net, "kept"), 300);
	cr_assert_eq(count_of(net, "lost"), 0);
	free(ruleset);
	net_finish(net);
}

Test(marks, foreign_bits_of_the_packet_mark_stay)
{
	bits_stay("", "raw", "meta mark set 0x00000abc", "meta mark & 0x00ffffff == 0xabc");
}

Test(marks, foreign_bits_of_the_connection_mark_stay)
{
	bits_stay("", "-180", "ct state new ct mark set 0x00000abc", "ct mark & 0x00ffffff == 0xabc");
}

Test(marks, another_mask_works_as_well)
{
	bits_stay("mark-mask = 0x000fc000", "raw", "meta mark set 0x80000001",
		  "meta mark & 0xfff03fff == 0x80000001");
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
		     "table ip other {\n chain c {\n type filter hook forward priority 0; counter\n }\n }\n"
		     "table netdev far {\n set s {\n type mark\n elements = { 5 }\n }\n }\n");
	lab_run(lab_router(net->lab), &before, "%s", look);
	net_gwd(net);
	net_wait_up(net);
	net_reload(net);
	cr_assert_eq(net_gwctl(net, NULL, "flush"), 0);
	lab_run(lab_router(net->lab), &after, "%s", look);
	cr_assert_str_eq(before, after);
	net_reload(net);
	net_wait_up(net);
	cr_assert_eq(lab_proc_stop(net->gwd), 0);
	net->gwd = NULL;
	free(after);
	lab_run(lab_router(net->lab), &after, "%s", look);
	cr_assert_str_eq(before, after);
	cr_assert(!net_router_shows(net, "nft list tables; ip rule; ip route show table all; ip -6 rule",
				    "proto 200"));
	cr_assert(!net_router_shows(net, "nft list tables", "gwd"));
	free(before);
	free(after);
	net_finish(net);
}
