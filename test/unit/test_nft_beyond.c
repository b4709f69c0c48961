// SPDX-License-Identifier: GPL-2.0-or-later
// Rules that nft 1.0.6 can list, and not compile (test_nft_golden.c leaves them out): their text, and what libnftnl sends
// for us, are what they should be.
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/core/model.h"
#include "nft/nl.h"
#include "nft/rule.h"
#include "nft/ruleset.h"

static void expect_rule(struct rule *rule, const char *text, const char *body)
{
	char dump[4096];
	nftnl_rule_snprintf(dump, sizeof(dump), rule->nl, NFTNL_OUTPUT_DEFAULT, 0);
	cr_expect_str_eq(buf_text(&rule->text), text);
	cr_expect_str_eq(strchr(dump, '\n') + 1, body, "got\n%s", strchr(dump, '\n') + 1);
	rule_free(rule);
}

#define LONG_KEY \
	"  [ meta load nfproto => reg 1 ]\n" \
	"  [ cmp eq reg 1 0x0000000a ]\n" \
	"  [ payload load 16b @ network header + 8 => reg 1 ]\n" \
	"  [ bitwise reg 1 = ( reg 1 & 0xffffffff 0x0000ffff 0x00000000 0x00000000 ) ^ 0x00000000 " \
	"0x00000000 " \
	"0x00000000 0x00000000 ]\n" \
	"  [ payload load 16b @ network header + 24 => reg 2 ]\n"

Test(nft_beyond, pins_by_two_ipv6_addresses_keep_their_data_out_of_the_key)
{
	uint32_t ids = 1;
	const struct rule_client client = {.fam = FAM_6, .mask = 48, .by = PERSIST_SOURCE_DESTINATION};
	struct rule *rule = rule_new(PLAN_INET, "x", &ids);
	rule_pin_update(rule, &client, "p", 1500, 0x01000000);
	expect_rule(rule,
		    "update @p { ip6 saddr and ffff:ffff:ffff:: . ip6 daddr timeout 1500ms : 0x01000000 }",
		    LONG_KEY "  [ immediate reg 3 0x01000000 ]\n"
			     "  [ dynset update reg_key 1 set p sreg_data 3 timeout 1500ms ]\n");
	rule = rule_new(PLAN_INET, "x", &ids);
	rule_pin_delete(rule, &client, "p", RULE_MARK_PACKET);
	expect_rule(rule, "delete @p { ip6 saddr and ffff:ffff:ffff:: . ip6 daddr : meta mark }",
		    LONG_KEY "  [ meta load mark => reg 3 ]\n"
			     "  [ dynset delete reg_key 1 set p sreg_data 3 ]\n");
}

#define CONN_KEY4 \
	"  [ meta load protocol => reg 1 ]\n" \
	"  [ cmp eq reg 1 0x00000008 ]\n" \
	"  [ payload load 4b @ network header + 12 => reg 1 ]\n" \
	"  [ payload load 1b @ network header + 9 => reg 9 ]\n" \
	"  [ payload load 2b @ transport header + 0 => reg 10 ]\n" \
	"  [ payload load 4b @ network header + 16 => reg 11 ]\n" \
	"  [ payload load 2b @ transport header + 2 => reg 2 ]\n"
#define CONN_KEY6 \
	"  [ meta load protocol => reg 1 ]\n" \
	"  [ cmp eq reg 1 0x0000dd86 ]\n" \
	"  [ payload load 16b @ network header + 8 => reg 1 ]\n" \
	"  [ meta load l4proto => reg 2 ]\n" \
	"  [ payload load 2b @ transport header + 0 => reg 13 ]\n" \
	"  [ payload load 16b @ network header + 24 => reg 14 ]\n" \
	"  [ payload load 2b @ transport header + 2 => reg 18 ]\n"

Test(nft_beyond, connections_keep_their_data_out_of_the_key)
{
	uint32_t ids = 1;
	struct rule *rule = rule_new(PLAN_NETDEV, "x", &ids);
	rule_conn_update(rule, FAM_4, "m", 5000);
	expect_rule(rule,
		    "update @m { ip saddr . ip protocol . th sport . ip daddr . th dport timeout 5s : meta "
		    "mark }",
		    CONN_KEY4 "  [ meta load mark => reg 3 ]\n"
			      "  [ dynset update reg_key 1 set m sreg_data 3 timeout 5000ms ]\n");
	rule = rule_new(PLAN_NETDEV, "x", &ids);
	rule_conn_delete(rule, FAM_6, "m");
	expect_rule(rule,
		    "delete @m { ip6 saddr . meta l4proto . th sport . ip6 daddr . th dport : meta mark }",
		    CONN_KEY6 "  [ meta load mark => reg 4 ]\n"
			      "  [ dynset delete reg_key 1 set m sreg_data 4 ]\n");
}

// What is quoted is the answer: its destination is the client.
Test(nft_beyond, errors_are_found_by_the_connection_that_they_quote)
{
	uint32_t ids = 1;
	struct rule *rule = rule_new(PLAN_NETDEV, "x", &ids);
	rule_quote_lookup(rule, FAM_4, "m");
	expect_rule(rule,
		    "meta mark set @th,192,32 . @th,136,8 . @th,240,16 . @th,160,32 . @th,224,16 map @m",
		    "  [ meta load protocol => reg 1 ]\n"
		    "  [ cmp eq reg 1 0x00000008 ]\n"
		    "  [ payload load 4b @ transport header + 24 => reg 1 ]\n"
		    "  [ payload load 1b @ transport header + 17 => reg 9 ]\n"
		    "  [ payload load 2b @ transport header + 30 => reg 10 ]\n"
		    "  [ payload load 4b @ transport header + 20 => reg 11 ]\n"
		    "  [ payload load 2b @ transport header + 28 => reg 2 ]\n"
		    "  [ lookup reg 1 set m dreg 1 ]\n"
		    "  [ meta set mark with reg 1 ]\n");
	rule = rule_new(PLAN_NETDEV, "x", &ids);
	rule_quote_lookup(rule, FAM_6, "m");
	expect_rule(rule,
		    "meta mark set @th,256,128 . @th,112,8 . @th,400,16 . @th,128,128 . @th,384,16 map @m",
		    "  [ meta load protocol => reg 1 ]\n"
		    "  [ cmp eq reg 1 0x0000dd86 ]\n"
		    "  [ payload load 16b @ transport header + 32 => reg 1 ]\n"
		    "  [ payload load 1b @ transport header + 14 => reg 2 ]\n"
		    "  [ payload load 2b @ transport header + 50 => reg 13 ]\n"
		    "  [ payload load 16b @ transport header + 16 => reg 14 ]\n"
		    "  [ payload load 2b @ transport header + 48 => reg 18 ]\n"
		    "  [ lookup reg 1 set m dreg 1 ]\n"
		    "  [ meta set mark with reg 1 ]\n");
}
