// SPDX-License-Identifier: GPL-2.0-or-later
// Rules themselves, and their statements: verdicts, counters, rejects, marks, translation.
#include "nft/rule.h"

#include <netinet/ip_icmp.h>
#include <stdlib.h>

#include "nft/expr.h"
#include "nft/table.h"

struct rule *rule_new(enum plan_table table, const char *chain, uint32_t *next_set_id)
{
	struct rule *rule = xcalloc(1, sizeof(*rule));
	rule->nl = nftnl_rule_alloc();
	if (!rule->nl)
		abort();
	rule->table = table;
	rule->next_set_id = next_set_id;
	nftnl_rule_set_u32(rule->nl, NFTNL_RULE_FAMILY, table_family(table));
	nftnl_rule_set_str(rule->nl, NFTNL_RULE_TABLE, NFT_TABLE);
	nftnl_rule_set_str(rule->nl, NFTNL_RULE_CHAIN, chain);
	return rule;
}

void rule_free(struct rule *rule)
{
	nftnl_rule_free(rule->nl);
	vec_each(&rule->sets, set)
		nftnl_set_free(*set);
	vec_free(&rule->sets);
	buf_free(&rule->text);
	free(rule);
}

// ---- what happens ----------------------------------------------------------------------------

void rule_accept(struct rule *rule)
{
	expr_verdict(rule, NF_ACCEPT, NULL);
	expr_text(rule, "accept");
}

void rule_drop(struct rule *rule)
{
	expr_verdict(rule, NF_DROP, NULL);
	expr_text(rule, "drop");
}

void rule_goto(struct rule *rule, const char *chain)
{
	expr_verdict(rule, NFT_GOTO, chain);
	expr_text(rule, "goto %s", chain);
}

void rule_jump(struct rule *rule, const char *chain)
{
	expr_verdict(rule, NFT_JUMP, chain);
	expr_text(rule, "jump %s", chain);
}

void rule_counter(struct rule *rule, const char *name)
{
	struct nftnl_expr *expr = expr_add(rule, "objref");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	nftnl_expr_set_str(expr, NFTNL_EXPR_OBJREF_IMM_NAME, name);
	expr_text(rule, "counter name \"%s\"", name);
}

void rule_count(struct rule *rule)
{
	struct nftnl_expr *expr = expr_add(rule, "counter");
	nftnl_expr_set_u64(expr, NFTNL_EXPR_CTR_PACKETS, 0);
	nftnl_expr_set_u64(expr, NFTNL_EXPR_CTR_BYTES, 0);
	expr_text(rule, "counter");
}

static void rule_reject_expr(struct rule *rule, uint32_t type, uint8_t code)
{
	struct nftnl_expr *expr = expr_add(rule, "reject");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_REJECT_TYPE, type);
	nftnl_expr_set_u8(expr, NFTNL_EXPR_REJECT_CODE, code);
}

void rule_reject(struct rule *rule, enum rule_reject how)
{
	switch (how) {
	case RULE_REJECT_TCP_RESET:
		expr_need_tcp(rule);
		rule_reject_expr(rule, NFT_REJECT_TCP_RST, 0);
		expr_text(rule, "reject with tcp reset");
		return;
	case RULE_REJECT_NO_ROUTE:
		rule_reject_expr(rule, NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_NO_ROUTE);
		expr_text(rule, "reject with icmpx no-route");
		return;
	case RULE_REJECT_PROHIBITED:
		rule_reject_expr(rule, NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
		expr_text(rule, "reject with icmpx admin-prohibited");
		return;
	case RULE_REJECT_TOO_BIG:
		expr_need_fam(rule, FAM_4);
		rule_reject_expr(rule, NFT_REJECT_ICMP_UNREACH, ICMP_FRAG_NEEDED);
		expr_text(rule, "reject with icmp type frag-needed");
		return;
	}
}

void rule_notrack(struct rule *rule)
{
	expr_add(rule, "notrack");
	expr_text(rule, "notrack");
}

void rule_snat(struct rule *rule, const struct addr *first, const struct addr *last)
{
	char from[ADDR_TEXT], to[ADDR_TEXT];
	enum fam fam = addr_fam(first);
	bool range = !addr_equal(first, last);
	expr_immediate(rule, NFT_REG_1, first->b, addr_size(first));
	if (range)
		expr_immediate(rule, NFT_REG_2, last->b, addr_size(last));
	struct nftnl_expr *expr = expr_add(rule, "nat");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_TYPE, NFT_NAT_SNAT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_FAMILY, fam == FAM_4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
	if (range)
		nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_ADDR_MAX, NFT_REG_2);
	expr_text(rule, "snat %s to %s%s%s", fam == FAM_4 ? "ip" : "ip6", addr_text(first, from),
		  range ? "-" : "", range ? addr_text(last, to) : "");
}

void rule_snat_prefix(struct rule *rule, const struct prefix *prefix)
{
	char text[PREFIX_TEXT];
	enum fam fam = addr_fam(&prefix->addr);
	struct addr last = prefix_last(prefix);
	expr_immediate(rule, NFT_REG_1, prefix->addr.b, addr_size(&last));
	expr_immediate(rule, NFT_REG_2, last.b, addr_size(&last));
	struct nftnl_expr *expr = expr_add(rule, "nat");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_TYPE, NFT_NAT_SNAT);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_FAMILY, fam == FAM_4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_REG_ADDR_MAX, NFT_REG_2);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_NETMAP);
	expr_text(rule, "snat %s prefix to %s", fam == FAM_4 ? "ip" : "ip6", prefix_text(prefix, text));
}

void rule_snat_by_link(struct rule *rule, enum fam fam, uint32_t mask, const char *map)
{
	const uint32_t none = 0;
	const char *ip = fam == FAM_4 ? "ip" : "ip6";
	expr_need_fam(rule, fam);
	expr_meta(rule, NFT_META_MARK, NFT_REG_1);
	expr_bitwise(rule, &mask, &none, sizeof(mask));
	expr_meta(rule, NFT_META_OIF, EXPR_REG_1_4);
	expr_lookup_into(rule, map, NFT_REG_1);
	expr_nat(rule, NFT_NAT_SNAT, fam, NFT_REG_1, 0, false);
	expr_text(rule, "meta nfproto %s snat %s to meta mark and 0x%08x . oif map @%s",
		  fam == FAM_4 ? "ipv4" : "ipv6", ip, mask, map);
}

void rule_masquerade(struct rule *rule)
{
	expr_add(rule, "masq");
	expr_text(rule, "masquerade");
}

void rule_flow_add(struct rule *rule, const char *flowtable)
{
	nftnl_expr_set_str(expr_add(rule, "flow_offload"), NFTNL_EXPR_FLOW_TABLE_NAME, flowtable);
	expr_text(rule, "flow add @%s", flowtable);
}

// ---- marks -----------------------------------------------------------------------------------

static const char *const rule_mark_name[] = {[RULE_MARK_PACKET] = "meta mark", [RULE_MARK_CT] = "ct mark"};

static void rule_mark_load(struct rule *rule, enum rule_mark mark)
{
	if (mark == RULE_MARK_PACKET)
		expr_meta(rule, NFT_META_MARK, NFT_REG_1);
	else
		expr_ct(rule, NFT_CT_MARK, NFT_REG_1);
}

static void rule_mark_store(struct rule *rule, enum rule_mark mark)
{
	if (mark == RULE_MARK_PACKET)
		expr_meta_set(rule, NFT_META_MARK, NFT_REG_1);
	else
		expr_ct_set(rule, NFT_CT_MARK, NFT_REG_1);
}

static void rule_mark_and_or(struct rule *rule, uint32_t keep, uint32_t bits)
{
	expr_bitwise(rule, &keep, &bits, sizeof(keep));
}

void rule_mark_match(struct rule *rule, enum rule_mark mark, uint32_t mask, enum rule_op op, uint32_t value)
{
	const char *is = op == RULE_IS ? "==" : "!=", *name = rule_mark_name[mark];
	rule_mark_load(rule, mark);
	if (mask != UINT32_MAX)
		rule_mark_and_or(rule, mask, 0);
	expr_cmp(rule, op == RULE_IS ? NFT_CMP_EQ : NFT_CMP_NEQ, &value, sizeof(value));
	if (mask != UINT32_MAX)
		expr_text(rule, "%s and 0x%08x %s 0x%08x", name, mask, is, value);
	else
		expr_text(rule, "%s %s 0x%08x", name, is, value);
}

void rule_mark_vmap(struct rule *rule, enum rule_mark mark, uint32_t mask, const char *map)
{
	rule_mark_load(rule, mark);
	if (mask != UINT32_MAX)
		rule_mark_and_or(rule, mask, 0);
	expr_vmap(rule, map);
	if (mask != UINT32_MAX)
		expr_text(rule, "%s and 0x%08x vmap @%s", rule_mark_name[mark], mask, map);
	else
		expr_text(rule, "%s vmap @%s", rule_mark_name[mark], map);
}

void rule_mark_in_set(struct rule *rule, enum rule_mark mark, const char *set)
{
	rule_mark_load(rule, mark);
	expr_lookup(rule, set, false);
	expr_text(rule, "%s @%s", rule_mark_name[mark], set);
}

void rule_mark_set(struct rule *rule, enum rule_mark mark, uint32_t value)
{
	expr_immediate(rule, NFT_REG_1, &value, sizeof(value));
	rule_mark_store(rule, mark);
	expr_text(rule, "%s set 0x%08x", rule_mark_name[mark], value);
}

void rule_mark_copy(struct rule *rule, enum rule_mark to, enum rule_mark from, uint32_t mask)
{
	rule_mark_load(rule, from);
	rule_mark_and_or(rule, mask, 0);
	rule_mark_store(rule, to);
	expr_text(rule, "%s set %s and 0x%08x", rule_mark_name[to], rule_mark_name[from], mask);
}

void rule_mark_stamp(struct rule *rule, enum rule_mark mark, uint32_t keep, uint32_t bits)
{
	const char *name = rule_mark_name[mark];
	rule_mark_load(rule, mark);
	rule_mark_and_or(rule, keep, bits);
	rule_mark_store(rule, mark);
	expr_text(rule, "%s set %s and 0x%08x or 0x%08x", name, name, keep, bits);
}
