// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/expr.h"

#include <assert.h>
#include <linux/if_ether.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct nftnl_expr *expr_add(struct rule *rule, const char *name)
{
	struct nftnl_expr *expr = nftnl_expr_alloc(name);
	if (!expr)
		abort();
	nftnl_rule_add_expr(rule->nl, expr);
	return expr;
}

void expr_meta(struct rule *rule, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *expr = expr_add(rule, "meta");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_DREG, reg);
}

void expr_meta_set(struct rule *rule, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *expr = expr_add(rule, "meta");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_META_SREG, reg);
}

void expr_ct(struct rule *rule, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *expr = expr_add(rule, "ct");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_DREG, reg);
}

void expr_ct_set(struct rule *rule, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *expr = expr_add(rule, "ct");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CT_SREG, reg);
}

void expr_payload(struct rule *rule, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
	struct nftnl_expr *expr = expr_add(rule, "payload");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

void expr_fib(struct rule *rule, uint32_t flags, uint32_t result)
{
	struct nftnl_expr *expr = expr_add(rule, "fib");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_RESULT, result);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_FIB_FLAGS, flags);
}

void expr_cmp(struct rule *rule, uint32_t op, const void *data, uint32_t len)
{
	struct nftnl_expr *expr = expr_add(rule, "cmp");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(expr, NFTNL_EXPR_CMP_DATA, data, len);
}

void expr_bitwise(struct rule *rule, const void *mask, const void * xor, uint32_t len)
{
	struct nftnl_expr *expr = expr_add(rule, "bitwise");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_MASK, mask, len);
	nftnl_expr_set(expr, NFTNL_EXPR_BITWISE_XOR, xor, len);
}

void expr_lookup(struct rule *rule, const char *set, bool invert)
{
	struct nftnl_expr *expr = expr_add(rule, "lookup");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(expr, NFTNL_EXPR_LOOKUP_SET, set);
	if (invert)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

void expr_lookup_anonymous(struct rule *rule, const struct nftnl_set *set)
{
	struct nftnl_expr *expr = expr_add(rule, "lookup");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(expr, NFTNL_EXPR_LOOKUP_SET, nftnl_set_get_str(set, NFTNL_SET_NAME));
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SET_ID, nftnl_set_get_u32(set, NFTNL_SET_ID));
}

void expr_vmap(struct rule *rule, const char *map)
{
	struct nftnl_expr *expr = expr_add(rule, "lookup");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_str(expr, NFTNL_EXPR_LOOKUP_SET, map);
}

void expr_lookup_into(struct rule *rule, const char *map, uint32_t reg)
{
	struct nftnl_expr *expr = expr_add(rule, "lookup");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_LOOKUP_DREG, reg);
	nftnl_expr_set_str(expr, NFTNL_EXPR_LOOKUP_SET, map);
}

void expr_nat(struct rule *rule, uint32_t type, enum fam fam, uint32_t reg_addr, uint32_t reg_port,
	      bool given)
{
	struct nftnl_expr *expr = expr_add(rule, "nat");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_TYPE, type);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_FAMILY, fam == FAM_4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_ADDR_MIN, reg_addr);
	if (reg_port)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_PROTO_MIN, reg_port);
	if (given)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
}

void expr_immediate(struct rule *rule, uint32_t reg, const void *data, uint32_t len)
{
	struct nftnl_expr *expr = expr_add(rule, "immediate");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, reg);
	nftnl_expr_set(expr, NFTNL_EXPR_IMM_DATA, data, len);
}

void expr_verdict(struct rule *rule, int verdict, const char *chain)
{
	struct nftnl_expr *expr = expr_add(rule, "immediate");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	if (chain)
		nftnl_expr_set_str(expr, NFTNL_EXPR_IMM_CHAIN, chain);
}

void expr_need_fam(struct rule *rule, enum fam fam)
{
	if (rule->has_nfproto)
		return;
	uint8_t nfproto = fam == FAM_4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	uint16_t protocol = htons(fam == FAM_4 ? ETH_P_IP : ETH_P_IPV6);
	if (rule->table == PLAN_INET) {
		expr_meta(rule, NFT_META_NFPROTO, NFT_REG_1);
		expr_cmp(rule, NFT_CMP_EQ, &nfproto, sizeof(nfproto));
	} else {
		expr_meta(rule, NFT_META_PROTOCOL, NFT_REG_1);
		expr_cmp(rule, NFT_CMP_EQ, &protocol, sizeof(protocol));
	}
	rule->has_nfproto = true;
}

void expr_need_protocol(struct rule *rule, uint8_t protocol)
{
	if (rule->has_l4proto)
		return;
	expr_meta(rule, NFT_META_L4PROTO, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_EQ, &protocol, sizeof(protocol));
	rule->has_l4proto = true;
}

void expr_need_tcp(struct rule *rule)
{
	expr_need_protocol(rule, IPPROTO_TCP);
}

void expr_addr(struct rule *rule, enum fam fam, enum rule_side side, uint32_t reg)
{
	static const uint32_t offset[FAM_COUNT][2] = {[FAM_4] = {12, 16}, [FAM_6] = {8, 24}};
	expr_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, offset[fam][side], fam == FAM_4 ? 4 : 16, reg);
}

void expr_text(struct rule *rule, const char *fmt, ...)
{
	char *text;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	if (rule->text.n)
		buf_puts(&rule->text, " ");
	buf_puts(&rule->text, text);
	free(text);
}
