// SPDX-License-Identifier: GPL-2.0-or-later
// What rules of the inbound side match, and where they translate to.
#include <stdio.h>
#include <stdlib.h>

#include "nft/expr.h"
#include "nft/ranges.h"
#include "nft/rule.h"

#define RULE_STATUS_DST_NAT 0x20   // IPS_DST_NAT
#define RULE_RATE_TIMEOUT_MS 10000 // a source that sends nothing for so long is forgotten

#define RULE_GATE_TEXT 48

static const char *const rule_fam_name[FAM_COUNT] = {[FAM_4] = "ip", [FAM_6] = "ip6"};

// Concatenations go on where the field before ends: REG_1 holds 16 bytes.
void rule_listener_vmap(struct rule *rule, enum fam fam, const char *map)
{
	expr_need_fam(rule, fam);
	expr_addr(rule, fam, RULE_DESTINATION, NFT_REG_1);
	expr_meta(rule, NFT_META_L4PROTO, fam == FAM_4 ? EXPR_REG_1_4 : NFT_REG_2);
	expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, fam == FAM_4 ? NFT_REG32_02 : NFT_REG32_05);
	expr_vmap(rule, map);
	expr_text(rule, "%s daddr . meta l4proto . th dport vmap @%s", rule_fam_name[fam], map);
}

static void rule_load_original(struct rule *rule, enum fam fam)
{
	struct nftnl_expr *expr = expr_add(rule, "ct");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, fam == FAM_4 ? NFT_CT_DST_IP : NFT_CT_DST_IP6);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_CT_DIR, 0); // IP_CT_DIR_ORIGINAL
}

void rule_translated_vmap(struct rule *rule, enum fam fam, const char *map)
{
	expr_need_fam(rule, fam);
	rule_load_original(rule, fam);
	expr_addr(rule, fam, RULE_DESTINATION, fam == FAM_4 ? EXPR_REG_1_4 : NFT_REG_2);
	expr_meta(rule, NFT_META_L4PROTO, fam == FAM_4 ? NFT_REG32_02 : NFT_REG_3);
	expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, fam == FAM_4 ? NFT_REG32_03 : NFT_REG32_09);
	expr_vmap(rule, map);
	expr_text(rule, "ct original %s daddr . %s daddr . meta l4proto . th dport vmap @%s",
		  rule_fam_name[fam], rule_fam_name[fam], map);
}

void rule_originally_to(struct rule *rule, const struct addr *addr)
{
	char text[ADDR_TEXT];
	enum fam fam = addr_fam(addr);
	rule_load_original(rule, fam);
	expr_cmp(rule, NFT_CMP_EQ, addr->b, addr_size(addr));
	expr_text(rule, "ct original %s daddr %s", rule_fam_name[fam], addr_text(addr, text));
}

void rule_addr_is(struct rule *rule, enum rule_side side, const struct addr *addr)
{
	char text[ADDR_TEXT];
	enum fam fam = addr_fam(addr);
	expr_need_fam(rule, fam);
	expr_addr(rule, fam, side, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_EQ, addr->b, addr_size(addr));
	expr_text(rule, "%s %s %s", rule_fam_name[fam], side == RULE_SOURCE ? "saddr" : "daddr",
		  addr_text(addr, text));
}

void rule_dport_in(struct rule *rule, uint16_t first, uint16_t last)
{
	struct ranges ranges = {.size = 2};
	ranges_add_ports(&ranges, first, last);
	ranges_merge(&ranges);
	rule_ports(rule, RULE_DESTINATION, &ranges);
	ranges_free(&ranges);
}

void rule_ct_dnat(struct rule *rule)
{
	uint32_t bit = RULE_STATUS_DST_NAT, none = 0;
	expr_ct(rule, NFT_CT_STATUS, NFT_REG_1);
	expr_bitwise(rule, &bit, &none, sizeof(bit));
	expr_cmp(rule, NFT_CMP_NEQ, &none, sizeof(none));
	expr_text(rule, "ct status dnat");
}

void rule_if_pair_in_set(struct rule *rule, const char *set)
{
	expr_meta(rule, NFT_META_IIFNAME, NFT_REG_1);
	expr_meta(rule, NFT_META_OIFNAME, NFT_REG_2);
	expr_lookup(rule, set, false);
	expr_text(rule, "iifname . oifname @%s", set);
}

// ---- where to ----------------------------------------------------------------------------------

void rule_dnat(struct rule *rule, const struct addr *addr, uint16_t port)
{
	char text[ADDR_TEXT];
	enum fam fam = addr_fam(addr);
	uint16_t net = htons(port);
	expr_immediate(rule, NFT_REG_1, addr->b, addr_size(addr));
	if (port)
		expr_immediate(rule, NFT_REG_2, &net, sizeof(net));
	expr_nat(rule, NFT_NAT_DNAT, fam, NFT_REG_1, port ? NFT_REG_2 : 0, port != 0);
	addr_text(addr, text);
	if (!port)
		expr_text(rule, "dnat %s to %s", rule_fam_name[fam], text);
	else if (fam == FAM_4)
		expr_text(rule, "dnat ip to %s:%u", text, port);
	else
		expr_text(rule, "dnat ip6 to [%s]:%u", text, port);
}

// Not `redirect`, which would take the interface's first address for the listener's.
void rule_dnat_port(struct rule *rule, uint16_t port)
{
	uint16_t net = htons(port);
	expr_immediate(rule, NFT_REG_1, &net, sizeof(net));
	struct nftnl_expr *expr = expr_add(rule, "nat");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_FAMILY, NFPROTO_INET);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
	expr_text(rule, "dnat to :%u", port);
}

void rule_helper(struct rule *rule, const char *name)
{
	struct nftnl_expr *expr = expr_add(rule, "objref");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_CT_HELPER);
	nftnl_expr_set_str(expr, NFTNL_EXPR_OBJREF_IMM_NAME, name);
	expr_text(rule, "ct helper set \"%s\"", name);
}

// ---- syn-proxy ---------------------------------------------------------------------------------

#define RULE_SYNPROXY_MSS 0x1 // NF_SYNPROXY_OPT_*
#define RULE_SYNPROXY_WSCALE 0x2
#define RULE_SYNPROXY_SACK 0x4
#define RULE_SYNPROXY_SHIFT 7 // what Linux offers by itself

void rule_tcp_listener_in_set(struct rule *rule, enum fam fam, const char *set)
{
	expr_need_fam(rule, fam);
	expr_need_tcp(rule);
	expr_addr(rule, fam, RULE_DESTINATION, NFT_REG_1);
	expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, fam == FAM_4 ? EXPR_REG_1_4 : NFT_REG_2);
	expr_lookup(rule, set, false);
	expr_text(rule, "%s daddr . tcp dport @%s", rule_fam_name[fam], set);
}

// Without `timestamp`: it costs a second a connection with servers of Linux 6.18. (inbound.md)
void rule_synproxy(struct rule *rule, enum fam fam)
{
	uint16_t mss = fam == FAM_4 ? 1460 : 1440;
	struct nftnl_expr *expr = expr_add(rule, "synproxy");
	nftnl_expr_set_u16(expr, NFTNL_EXPR_SYNPROXY_MSS, mss);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_SYNPROXY_WSCALE, RULE_SYNPROXY_SHIFT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_SYNPROXY_FLAGS,
			   RULE_SYNPROXY_MSS | RULE_SYNPROXY_WSCALE | RULE_SYNPROXY_SACK);
	expr_text(rule, "synproxy mss %u wscale %u sack-perm", mss, RULE_SYNPROXY_SHIFT);
}

// ---- thresholds --------------------------------------------------------------------------------

static const char *rule_gate_index(struct rule *rule, uint32_t index, char text[RULE_GATE_TEXT])
{
	struct nftnl_expr *expr = expr_add(rule, "numgen");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NG_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NG_MODULUS, 1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NG_TYPE, NFT_NG_INCREMENTAL);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NG_OFFSET, index);
	if (index)
		snprintf(text, RULE_GATE_TEXT, "numgen inc mod 1 offset %u", index);
	else
		snprintf(text, RULE_GATE_TEXT, "numgen inc mod 1");
	return text;
}

void rule_gate_vmap(struct rule *rule, uint32_t index, const char *map)
{
	char text[RULE_GATE_TEXT];
	rule_gate_index(rule, index, text);
	expr_vmap(rule, map);
	expr_text(rule, "%s vmap @%s", text, map);
}

void rule_gate_mark(struct rule *rule, uint32_t index, const char *map)
{
	char text[RULE_GATE_TEXT];
	rule_gate_index(rule, index, text);
	expr_lookup_into(rule, map, NFT_REG_1);
	expr_meta_set(rule, NFT_META_MARK, NFT_REG_1);
	expr_text(rule, "meta mark set %s map @%s", text, map);
}

// ---- limits ------------------------------------------------------------------------------------

// An expression that each element of the set has for itself.
static struct nftnl_expr *rule_each_source(struct rule *rule, enum fam fam, const char *set, uint32_t op,
					   const char *what)
{
	struct nftnl_expr *inner = nftnl_expr_alloc(what);
	if (!inner)
		abort();
	expr_need_fam(rule, fam);
	expr_addr(rule, fam, RULE_SOURCE, NFT_REG_1);
	struct nftnl_expr *expr = expr_add(rule, "dynset");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_OP, op);
	nftnl_expr_set_str(expr, NFTNL_EXPR_DYNSET_SET_NAME, set);
	if (op == NFT_DYNSET_OP_UPDATE)
		nftnl_expr_set_u64(expr, NFTNL_EXPR_DYNSET_TIMEOUT, RULE_RATE_TIMEOUT_MS);
	nftnl_expr_set(expr, NFTNL_EXPR_DYNSET_EXPR, inner, 0);
	return inner;
}

void rule_over_connections(struct rule *rule, enum fam fam, const char *set, uint32_t most)
{
	struct nftnl_expr *limit = rule_each_source(rule, fam, set, NFT_DYNSET_OP_ADD, "connlimit");
	nftnl_expr_set_u32(limit, NFTNL_EXPR_CONNLIMIT_COUNT, most);
	nftnl_expr_set_u32(limit, NFTNL_EXPR_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV);
	expr_text(rule, "add @%s { %s saddr ct count over %u }", set, rule_fam_name[fam], most);
}

void rule_over_rate(struct rule *rule, enum fam fam, const char *set, uint32_t most)
{
	struct nftnl_expr *limit = rule_each_source(rule, fam, set, NFT_DYNSET_OP_UPDATE, "limit");
	nftnl_expr_set_u64(limit, NFTNL_EXPR_LIMIT_RATE, most);
	nftnl_expr_set_u64(limit, NFTNL_EXPR_LIMIT_UNIT, 1); // a second
	nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_BURST, most);
	nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_expr_set_u32(limit, NFTNL_EXPR_LIMIT_FLAGS, NFT_LIMIT_F_INV);
	expr_text(rule, "update @%s { %s saddr timeout %us limit rate over %u/second burst %u packets }", set,
		  rule_fam_name[fam], RULE_RATE_TIMEOUT_MS / 1000, most, most);
}
