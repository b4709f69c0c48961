// SPDX-License-Identifier: GPL-2.0-or-later
// What rules of table netdev match and do: connections without conntrack (places of table inet have the same key),
// fragments, errors, and handing a packet on to a neighbour.
#include <linux/if_ether.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>

#include "nft/anon.h"
#include "nft/expr.h"
#include "nft/rule.h"

#define RULE_CONN_TEXT 128
#define RULE_MORE_FRAGMENTS 0x2000
#define RULE_FRAGMENT_OFFSET 0x1fff
#define RULE_EXTHDR_FRAGMENT 44

static const char *const rule_fam_name[FAM_COUNT] = {[FAM_4] = "ip", [FAM_6] = "ip6"};

// ---- connections ---------------------------------------------------------------------------------

// Where the fields of a connection go: 20 bytes with IPv4, 44 with IPv6, and behind them what a map is to know of it.
// (nft 1.0.6 would take NFT_REG_2 for that, and stops at its own mistake; see rule_pick.c.)
struct rule_conn_regs {
	uint32_t source, protocol, source_port, destination, destination_port, data;
};

static const struct rule_conn_regs rule_conn_regs[FAM_COUNT] = {
	[FAM_4] = {NFT_REG_1, EXPR_REG_1_4, NFT_REG32_02, NFT_REG32_03, NFT_REG_2, NFT_REG_3},
	[FAM_6] = {NFT_REG_1, NFT_REG_2, NFT_REG32_05, NFT_REG32_06, NFT_REG32_10, NFT_REG_4},
};

// To read a byte of a header is what the kernel does without a call; with IPv6 other headers may be between.
static void rule_conn_key(struct rule *rule, enum fam fam)
{
	const struct rule_conn_regs *reg = &rule_conn_regs[fam];
	expr_need_fam(rule, fam);
	expr_addr(rule, fam, RULE_SOURCE, reg->source);
	if (fam == FAM_4)
		expr_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 9, 1, reg->protocol);
	else
		expr_meta(rule, NFT_META_L4PROTO, reg->protocol);
	expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2, reg->source_port);
	expr_addr(rule, fam, RULE_DESTINATION, reg->destination);
	expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, reg->destination_port);
}

static const char *rule_conn_text(char text[RULE_CONN_TEXT], enum fam fam)
{
	const char *ip = rule_fam_name[fam];
	snprintf(text, RULE_CONN_TEXT, "%s saddr . %s . th sport . %s daddr . th dport", ip,
		 fam == FAM_4 ? "ip protocol" : "meta l4proto", ip);
	return text;
}

static void rule_mark_from(struct rule *rule, const char *map)
{
	expr_lookup_into(rule, map, NFT_REG_1);
	expr_meta_set(rule, NFT_META_MARK, NFT_REG_1);
}

void rule_conn_lookup(struct rule *rule, enum fam fam, const char *map)
{
	char text[RULE_CONN_TEXT];
	rule_conn_key(rule, fam);
	rule_mark_from(rule, map);
	expr_text(rule, "meta mark set %s map @%s", rule_conn_text(text, fam), map);
}

static struct nftnl_expr *rule_keep_mark(struct rule *rule, const char *map, uint32_t data, uint32_t op)
{
	expr_meta(rule, NFT_META_MARK, data);
	struct nftnl_expr *expr = expr_add(rule, "dynset");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_SREG_DATA, data);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_OP, op);
	nftnl_expr_set_str(expr, NFTNL_EXPR_DYNSET_SET_NAME, map);
	return expr;
}

void rule_conn_update(struct rule *rule, enum fam fam, const char *map, uint32_t timeout_ms)
{
	char text[RULE_CONN_TEXT];
	rule_conn_key(rule, fam);
	nftnl_expr_set_u64(rule_keep_mark(rule, map, rule_conn_regs[fam].data, NFT_DYNSET_OP_UPDATE),
			   NFTNL_EXPR_DYNSET_TIMEOUT, timeout_ms);
	expr_text(rule, "update @%s { %s timeout %us : meta mark }", map, rule_conn_text(text, fam),
		  timeout_ms / 1000);
}

void rule_conn_delete(struct rule *rule, enum fam fam, const char *map)
{
	char text[RULE_CONN_TEXT];
	rule_conn_key(rule, fam);
	rule_keep_mark(rule, map, rule_conn_regs[fam].data, NFT_DYNSET_OP_DELETE);
	expr_text(rule, "delete @%s { %s : meta mark }", map, rule_conn_text(text, fam));
}

static void rule_conn_place(struct rule *rule, enum fam fam, const char *set, uint32_t op,
			    uint32_t timeout_ms)
{
	char text[RULE_CONN_TEXT], timeout[32] = "";
	const char *what = op == NFT_DYNSET_OP_ADD ? "add" : op == NFT_DYNSET_OP_UPDATE ? "update" : "delete";
	rule_conn_key(rule, fam);
	struct nftnl_expr *expr = expr_add(rule, "dynset");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_OP, op);
	nftnl_expr_set_str(expr, NFTNL_EXPR_DYNSET_SET_NAME, set);
	if (timeout_ms) {
		nftnl_expr_set_u64(expr, NFTNL_EXPR_DYNSET_TIMEOUT, timeout_ms);
		snprintf(timeout, sizeof(timeout), " timeout %us", timeout_ms / 1000);
	}
	expr_text(rule, "%s @%s { %s%s }", what, set, rule_conn_text(text, fam), timeout);
}

// `add` to a full set ends the rule; an element that is there already passes.
void rule_conn_enter(struct rule *rule, enum fam fam, const char *set, uint32_t timeout_ms)
{
	rule_conn_place(rule, fam, set, NFT_DYNSET_OP_ADD, timeout_ms);
}

void rule_conn_stay(struct rule *rule, enum fam fam, const char *set, uint32_t timeout_ms)
{
	rule_conn_place(rule, fam, set, NFT_DYNSET_OP_UPDATE, timeout_ms);
}

void rule_conn_leave(struct rule *rule, enum fam fam, const char *set)
{
	rule_conn_place(rule, fam, set, NFT_DYNSET_OP_DELETE, 0);
}

void rule_addr_mark(struct rule *rule, enum fam fam, enum rule_side side, const char *map)
{
	expr_need_fam(rule, fam);
	expr_addr(rule, fam, side, NFT_REG_1);
	rule_mark_from(rule, map);
	expr_text(rule, "meta mark set %s %s map @%s", rule_fam_name[fam],
		  side == RULE_SOURCE ? "saddr" : "daddr", map);
}

// ---- to a neighbour --------------------------------------------------------------------------------

// By the interface in NFT_REG_1.
static void rule_fwd_to(struct rule *rule, enum fam fam, const char *addrs)
{
	expr_meta(rule, NFT_META_MARK, NFT_REG_2);
	struct nftnl_expr *expr = expr_add(rule, "lookup");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_2);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_2);
	nftnl_expr_set_str(expr, NFTNL_EXPR_LOOKUP_SET, addrs);
	expr = expr_add(rule, "fwd");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FWD_SREG_DEV, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FWD_SREG_ADDR, NFT_REG_2);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FWD_NFPROTO, fam == FAM_4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

void rule_fwd(struct rule *rule, enum fam fam, const char *addrs, const char *devices)
{
	expr_meta(rule, NFT_META_MARK, NFT_REG_1);
	expr_lookup_into(rule, devices, NFT_REG_1);
	rule_fwd_to(rule, fam, addrs);
	expr_text(rule, "fwd %s to meta mark map @%s device meta mark map @%s", rule_fam_name[fam], addrs,
		  devices);
}

void rule_fwd_near(struct rule *rule, enum fam fam, const char *addrs, uint32_t device)
{
	expr_immediate(rule, NFT_REG_1, &device, sizeof(device));
	rule_fwd_to(rule, fam, addrs);
	expr_text(rule, "fwd %s to meta mark map @%s device %u", rule_fam_name[fam], addrs, device);
}

// ---- what the packet is ------------------------------------------------------------------------------

static void rule_tcp_flags(struct rule *rule, uint8_t mask, uint8_t value)
{
	const uint8_t none = 0;
	expr_need_tcp(rule);
	expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, NFT_REG_1);
	expr_bitwise(rule, &mask, &none, sizeof(mask));
	expr_cmp(rule, NFT_CMP_EQ, &value, sizeof(value));
}

void rule_tcp_begins(struct rule *rule)
{
	rule_tcp_flags(rule, 0x16 /* syn, rst, ack */, 0x02);
	expr_text(rule, "tcp flags and (syn | rst | ack) == syn");
}

void rule_tcp_lacks(struct rule *rule, unsigned flags)
{
	rule_tcp_flags(rule, (uint8_t)flags, 0);
	if (flags == RULE_TCP_RST)
		expr_text(rule, "tcp flags and rst == 0x0");
	else
		expr_text(rule, "tcp flags and (fin | rst%s) == 0x0", flags & RULE_TCP_PSH ? " | psh" : "");
}

void rule_tcp_resets(struct rule *rule)
{
	rule_tcp_flags(rule, RULE_TCP_RST, RULE_TCP_RST);
	expr_text(rule, "tcp flags and rst == rst");
}

// Four bytes at once, as they lie there, cost the kernel half of what a field does that nft has a name for.
static void rule_word(struct rule *rule, uint32_t base, uint32_t offset, uint32_t bits, enum rule_op op)
{
	const uint32_t mask = htonl(bits), none = 0;
	expr_payload(rule, base, offset, sizeof(mask), NFT_REG_1);
	expr_bitwise(rule, &mask, &none, sizeof(mask));
	expr_cmp(rule, op == RULE_IS ? NFT_CMP_EQ : NFT_CMP_NEQ, &none, sizeof(none));
	expr_text(rule, "@%s,%u,32 and 0x%x %s 0x0", base == NFT_PAYLOAD_NETWORK_HEADER ? "nh" : "th",
		  8 * offset, bits, op == RULE_IS ? "==" : "!=");
}

void rule_tcp_goes_on(struct rule *rule)
{
	rule_word(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 12, 0x00070000, RULE_IS);
}

void rule_not_tcp(struct rule *rule)
{
	const uint8_t tcp = IPPROTO_TCP;
	expr_meta(rule, NFT_META_L4PROTO, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_NEQ, &tcp, sizeof(tcp));
	expr_text(rule, "meta l4proto != tcp");
}

void rule_most(struct rule *rule, uint32_t of)
{
	const uint32_t one = 0;
	struct nftnl_expr *expr = expr_add(rule, "numgen");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NG_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NG_MODULUS, of);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NG_TYPE, NFT_NG_RANDOM);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NG_OFFSET, 0);
	expr_cmp(rule, NFT_CMP_NEQ, &one, sizeof(one));
	expr_text(rule, "numgen random mod %u != 0", of);
}

void rule_last_hop(struct rule *rule, enum fam fam)
{
	const uint8_t two = 2;
	expr_need_fam(rule, fam);
	expr_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, fam == FAM_4 ? 8 : 7, 1, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_LT, &two, sizeof(two));
	expr_text(rule, fam == FAM_4 ? "ip ttl < 2" : "ip6 hoplimit < 2");
}

void rule_vlan(struct rule *rule)
{
	const uint16_t ether = ARPHRD_ETHER, vlan = htons(ETH_P_8021Q);
	expr_meta(rule, NFT_META_IIFTYPE, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_EQ, &ether, sizeof(ether));
	expr_payload(rule, NFT_PAYLOAD_LL_HEADER, 12, 2, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_EQ, &vlan, sizeof(vlan));
	expr_text(rule, "ether type vlan");
}

void rule_untagged(struct rule *rule, enum fam fam)
{
	const uint16_t ether = ARPHRD_ETHER, type = htons(fam == FAM_4 ? ETH_P_IP : ETH_P_IPV6);
	expr_meta(rule, NFT_META_IIFTYPE, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_EQ, &ether, sizeof(ether));
	expr_payload(rule, NFT_PAYLOAD_LL_HEADER, 12, 2, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_EQ, &type, sizeof(type));
	expr_text(rule, "ether type %s", rule_fam_name[fam]);
	rule->has_nfproto = true;
}

void rule_no_ethernet(struct rule *rule)
{
	const uint16_t ether = ARPHRD_ETHER;
	expr_meta(rule, NFT_META_IIFTYPE, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_NEQ, &ether, sizeof(ether));
	expr_text(rule, "meta iiftype != ether");
}

void rule_ordinary(struct rule *rule, enum fam fam)
{
	const uint8_t fragment = RULE_EXTHDR_FRAGMENT;
	if (fam == FAM_4) {
		rule_word(rule, NFT_PAYLOAD_NETWORK_HEADER, 4, RULE_MORE_FRAGMENTS, RULE_IS);
		rule_word(rule, NFT_PAYLOAD_NETWORK_HEADER, 8, 0xfe000000, RULE_IS_NOT);
		return;
	}
	expr_need_fam(rule, fam);
	expr_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 6, 1, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_NEQ, &fragment, sizeof(fragment));
	expr_text(rule, "ip6 nexthdr != %u", RULE_EXTHDR_FRAGMENT);
	rule_word(rule, NFT_PAYLOAD_NETWORK_HEADER, 4, 0xfe, RULE_IS_NOT);
}

// ---- in pieces -----------------------------------------------------------------------------------------

static void rule_exthdr(struct rule *rule, uint32_t offset, uint32_t len, uint32_t reg)
{
	struct nftnl_expr *expr = expr_add(rule, "exthdr");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_DREG, reg);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_EXTHDR_TYPE, RULE_EXTHDR_FRAGMENT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_OFFSET, offset);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_LEN, len);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_FLAGS, 0);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_IPV6);
}

static void rule_fragment_bits4(struct rule *rule, uint16_t bits)
{
	const uint16_t mask = htons(bits), none = 0;
	expr_need_fam(rule, FAM_4);
	expr_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 6, 2, NFT_REG_1);
	expr_bitwise(rule, &mask, &none, sizeof(mask));
	expr_cmp(rule, NFT_CMP_NEQ, &none, sizeof(none));
	expr_text(rule, "ip frag-off and 0x%04x != 0x0", bits);
}

// To look for the header in every packet would cost too much.
static void rule_in_pieces6(struct rule *rule)
{
	const uint8_t fragment = RULE_EXTHDR_FRAGMENT;
	expr_need_fam(rule, FAM_6);
	expr_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 6, 1, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_EQ, &fragment, sizeof(fragment));
	expr_text(rule, "ip6 nexthdr %u", RULE_EXTHDR_FRAGMENT);
}

// The first has the ports, and others follow.
static void rule_fragment_first(struct rule *rule, enum fam fam)
{
	const uint8_t more = 1, none = 0;
	if (fam == FAM_4) {
		rule_fragment_bits4(rule, RULE_MORE_FRAGMENTS);
		return;
	}
	rule_in_pieces6(rule);
	rule_exthdr(rule, 3, 1, NFT_REG_1);
	expr_bitwise(rule, &more, &none, sizeof(more));
	expr_cmp(rule, NFT_CMP_EQ, &more, sizeof(more));
	expr_text(rule, "frag more-fragments 1");
}

static void rule_fragment_rest(struct rule *rule, enum fam fam)
{
	const uint16_t mask = htons(0xfff8), none = 0;
	if (fam == FAM_4) {
		rule_fragment_bits4(rule, RULE_FRAGMENT_OFFSET);
		return;
	}
	rule_in_pieces6(rule);
	rule_exthdr(rule, 2, 2, NFT_REG_1);
	expr_bitwise(rule, &mask, &none, sizeof(mask));
	expr_cmp(rule, NFT_CMP_NEQ, &none, sizeof(none));
	expr_text(rule, "frag frag-off != 0");
}

static const char *rule_fragment_key(struct rule *rule, enum fam fam)
{
	expr_addr(rule, fam, RULE_SOURCE, NFT_REG_1);
	if (fam == FAM_4) {
		expr_addr(rule, fam, RULE_DESTINATION, EXPR_REG_1_4);
		expr_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 4, 2, NFT_REG32_02);
		expr_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 9, 1, NFT_REG32_03);
		return "ip saddr . ip daddr . ip id . ip protocol";
	}
	expr_addr(rule, fam, RULE_DESTINATION, NFT_REG_2);
	rule_exthdr(rule, 4, 4, NFT_REG_3);
	return "ip6 saddr . ip6 daddr . frag id";
}

void rule_fragment_update(struct rule *rule, enum fam fam, const char *map, uint32_t timeout_ms)
{
	rule_fragment_first(rule, fam);
	const char *key = rule_fragment_key(rule, fam);
	uint32_t data = fam == FAM_4 ? NFT_REG_2 : NFT_REG_4; // behind the key
	nftnl_expr_set_u64(rule_keep_mark(rule, map, data, NFT_DYNSET_OP_UPDATE), NFTNL_EXPR_DYNSET_TIMEOUT,
			   timeout_ms);
	expr_text(rule, "update @%s { %s timeout %us : meta mark }", map, key, timeout_ms / 1000);
}

void rule_fragment_lookup(struct rule *rule, enum fam fam, const char *map)
{
	rule_fragment_rest(rule, fam);
	const char *key = rule_fragment_key(rule, fam);
	rule_mark_from(rule, map);
	expr_text(rule, "meta mark set %s map @%s", key, map);
}

// ---- errors --------------------------------------------------------------------------------------------

#define RULE_QUOTE 8 // bytes of an ICMP header, before the packet that it quotes

struct rule_quote { // where in the quoted packet, by the transport header of what quotes it
	uint32_t protocol, source, destination, source_port, destination_port;
};

// An IPv4 header without options, an IPv6 one without extensions; the answer's ports are the other way round.
static const struct rule_quote rule_quotes[FAM_COUNT] = {
	[FAM_4] = {RULE_QUOTE + 9, RULE_QUOTE + 12, RULE_QUOTE + 16, RULE_QUOTE + 20, RULE_QUOTE + 22},
	[FAM_6] = {RULE_QUOTE + 6, RULE_QUOTE + 8, RULE_QUOTE + 24, RULE_QUOTE + 40, RULE_QUOTE + 42},
};

static void rule_quoted(struct rule *rule, uint32_t at, uint32_t len, uint32_t reg)
{
	expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, at, len, reg);
}

void rule_icmp_error(struct rule *rule, enum fam fam)
{
	static const uint8_t types4[] = {ICMP_DEST_UNREACH, ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB};
	static const uint8_t types6[] = {ICMP6_DST_UNREACH, ICMP6_PACKET_TOO_BIG, ICMP6_TIME_EXCEEDED,
					 ICMP6_PARAM_PROB};
	expr_need_fam(rule, fam);
	expr_need_protocol(rule, fam == FAM_4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, NFT_REG_1);
	if (fam == FAM_4)
		expr_lookup_anonymous(rule, anon_values(rule, ANON_ICMP_TYPE, types4, 1, sizeof(types4)));
	else
		expr_lookup_anonymous(rule, anon_values(rule, ANON_ICMPV6_TYPE, types6, 1, sizeof(types6)));
	expr_text(rule, fam == FAM_4
				? "icmp type { destination-unreachable, time-exceeded, parameter-problem }"
				: "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, "
				  "parameter-problem }");
}

void rule_quote_vmap(struct rule *rule, enum fam fam, const char *map)
{
	const struct rule_quote *at = &rule_quotes[fam];
	unsigned size = fam == FAM_4 ? 4 : 16;
	expr_need_fam(rule, fam);
	rule_quoted(rule, at->source, size, NFT_REG_1);
	rule_quoted(rule, at->protocol, 1, fam == FAM_4 ? EXPR_REG_1_4 : NFT_REG_2);
	rule_quoted(rule, at->source_port, 2, fam == FAM_4 ? NFT_REG32_02 : NFT_REG32_05);
	expr_vmap(rule, map);
	expr_text(rule, "@th,%u,%u . @th,%u,8 . @th,%u,16 vmap @%s", at->source * 8, size * 8,
		  at->protocol * 8, at->source_port * 8, map);
}

void rule_quote_from(struct rule *rule, const struct addr *addr)
{
	char text[2 * 16 + 1] = "";
	enum fam fam = addr_fam(addr);
	rule_quoted(rule, rule_quotes[fam].source, addr_size(addr), NFT_REG_1);
	expr_cmp(rule, NFT_CMP_EQ, addr->b, addr_size(addr));
	for (unsigned i = 0; i < addr_size(addr); i++)
		snprintf(text + 2 * i, 3, "%02x", addr->b[i]);
	expr_text(rule, "@th,%u,%u 0x%s", rule_quotes[fam].source * 8, addr_size(addr) * 8, text);
}

void rule_quote_lookup(struct rule *rule, enum fam fam, const char *map)
{
	const struct rule_quote *at = &rule_quotes[fam];
	const struct rule_conn_regs *reg = &rule_conn_regs[fam];
	unsigned size = fam == FAM_4 ? 4 : 16;
	expr_need_fam(rule, fam);
	rule_quoted(rule, at->destination, size, reg->source);
	rule_quoted(rule, at->protocol, 1, reg->protocol);
	rule_quoted(rule, at->destination_port, 2, reg->source_port);
	rule_quoted(rule, at->source, size, reg->destination);
	rule_quoted(rule, at->source_port, 2, reg->destination_port);
	rule_mark_from(rule, map);
	expr_text(rule, "meta mark set @th,%u,%u . @th,%u,8 . @th,%u,16 . @th,%u,%u . @th,%u,16 map @%s",
		  at->destination * 8, size * 8, at->protocol * 8, at->destination_port * 8, at->source * 8,
		  size * 8, at->source_port * 8, map);
}
