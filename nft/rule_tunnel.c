// SPDX-License-Identifier: GPL-2.0-or-later
// What rules say about packets that go into a tunnel: how big they may be, and who is told.
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>

#include "nft/expr.h"
#include "nft/rule.h"

#define RULE_TCPOPT_MSS 2

static void rule_network(struct rule *rule, uint32_t offset, uint32_t len)
{
	expr_need_fam(rule, FAM_4);
	expr_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, offset, len, NFT_REG_1);
}

void rule_tunnelled(struct rule *rule, enum fam fam, const char *ends)
{
	const uint8_t protocol = fam == FAM_4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	expr_need_protocol(rule, protocol);
	expr_text(rule, "meta l4proto %u", protocol);
	rule_addr_in_set(rule, fam, RULE_DESTINATION, RULE_IS, ends);
}

void rule_unfragmentable(struct rule *rule)
{
	const uint16_t bits = htons(IP_DF);
	rule_network(rule, 6, 2);
	expr_cmp(rule, NFT_CMP_EQ, &bits, sizeof(bits));
	expr_text(rule, "ip frag-off 0x%04x", IP_DF);
}

void rule_length_in(struct rule *rule, uint16_t first, uint16_t last)
{
	const uint16_t low = htons(first), high = htons(last);
	rule_network(rule, 2, 2);
	expr_cmp(rule, NFT_CMP_GTE, &low, sizeof(low));
	expr_cmp(rule, NFT_CMP_LTE, &high, sizeof(high));
	expr_text(rule, "ip length %u-%u", first, last);
}

// Two bytes, and the checksum over them.
static void rule_write(struct rule *rule, uint32_t base, uint32_t offset, uint16_t value, uint32_t checksum)
{
	const uint16_t net = htons(value);
	expr_immediate(rule, NFT_REG_1, &net, sizeof(net));
	struct nftnl_expr *expr = expr_add(rule, "payload");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_LEN, sizeof(net));
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_CSUM_TYPE, NFT_PAYLOAD_CSUM_INET);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, checksum);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_FLAGS, 0);
}

void rule_fragmentable(struct rule *rule)
{
	expr_need_fam(rule, FAM_4);
	rule_write(rule, NFT_PAYLOAD_NETWORK_HEADER, 6, 0, 10);
	expr_text(rule, "ip frag-off set 0");
}

void rule_remember(struct rule *rule, const char *set, uint32_t timeout_ms)
{
	expr_need_fam(rule, FAM_4);
	expr_addr(rule, FAM_4, RULE_SOURCE, NFT_REG_1);
	struct nftnl_expr *expr = expr_add(rule, "dynset");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_ADD);
	nftnl_expr_set_str(expr, NFTNL_EXPR_DYNSET_SET_NAME, set);
	nftnl_expr_set_u64(expr, NFTNL_EXPR_DYNSET_TIMEOUT, timeout_ms);
	expr_text(rule, "add @%s { ip saddr timeout %us }", set, timeout_ms / 1000);
}

static void rule_icmp_is(struct rule *rule, uint32_t offset, const void *value, uint32_t len)
{
	expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, offset, len, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_EQ, value, len);
}

void rule_too_big_says(struct rule *rule, uint16_t mtu)
{
	const uint8_t what[] = {ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED};
	const uint16_t none = 0;
	expr_need_fam(rule, FAM_4);
	expr_need_protocol(rule, IPPROTO_ICMP);
	rule_icmp_is(rule, 0, what, sizeof(what));
	rule_icmp_is(rule, 6, &none, sizeof(none));
	expr_text(rule, "icmp type destination-unreachable icmp code frag-needed icmp mtu 0");
	rule_write(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 6, mtu, 2);
	expr_text(rule, "icmp mtu set %u", mtu);
}

// The kernel leaves a smaller one as it is.
void rule_mss(struct rule *rule, uint16_t most)
{
	const uint8_t mask = 0x06 /* syn, rst */, syn = 0x02, none = 0;
	const uint16_t net = htons(most);
	expr_need_tcp(rule);
	expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, NFT_REG_1);
	expr_bitwise(rule, &mask, &none, sizeof(mask));
	expr_cmp(rule, NFT_CMP_EQ, &syn, sizeof(syn));
	expr_text(rule, "tcp flags and (syn | rst) == syn");
	expr_immediate(rule, NFT_REG_1, &net, sizeof(net));
	struct nftnl_expr *expr = expr_add(rule, "exthdr");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_SREG, NFT_REG_1);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_EXTHDR_TYPE, RULE_TCPOPT_MSS);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_OFFSET, 2);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_LEN, sizeof(net));
	nftnl_expr_set_u32(expr, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
	expr_text(rule, "tcp option maxseg size set %u", most);
}
