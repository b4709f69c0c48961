// SPDX-License-Identifier: GPL-2.0-or-later
// How a rule picks a gateway: by a number or a hash into a slot map, or by the client's pin.
#include <stdio.h>

#include "gwd/core/plan.h"
#include "nft/expr.h"
#include "nft/rule.h"

#define RULE_KEY_TEXT 128

static const char *const rule_fam_name[FAM_COUNT] = {[FAM_4] = "ip", [FAM_6] = "ip6"};

#define RULE_PICK_TEXT 96

// What a new flow's slot is drawn by, into NFT_REG_1; returns its text.
static const char *rule_draw(char text[RULE_PICK_TEXT], struct rule *rule, enum rule_draw draw, enum fam fam,
			     uint32_t modulus)
{
	const char *ip = rule_fam_name[fam];
	struct nftnl_expr *expr;
	if (draw == RULE_DRAW_TURN || draw == RULE_DRAW_RANDOM) {
		bool random = draw == RULE_DRAW_RANDOM;
		expr = expr_add(rule, "numgen");
		nftnl_expr_set_u32(expr, NFTNL_EXPR_NG_DREG, NFT_REG_1);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_NG_MODULUS, modulus);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_NG_TYPE, random ? NFT_NG_RANDOM : NFT_NG_INCREMENTAL);
		nftnl_expr_set_u32(expr, NFTNL_EXPR_NG_OFFSET, 0);
		snprintf(text, RULE_PICK_TEXT, "numgen %s mod %u", random ? "random" : "inc", modulus);
		return text;
	}
	uint32_t size = fam == FAM_4 ? 4 : 16;
	expr_need_fam(rule, fam);
	expr_addr(rule, fam, draw == RULE_DRAW_DESTINATION ? RULE_DESTINATION : RULE_SOURCE, NFT_REG_2);
	if (draw == RULE_DRAW_SOURCE_PORT) {
		expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2,
			     fam == FAM_4 ? NFT_REG32_05 : NFT_REG_3);
		size += 4;
	}
	expr = expr_add(rule, "hash");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_HASH_SREG, NFT_REG_2);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_HASH_DREG, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_HASH_LEN, size);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_HASH_MODULUS, modulus);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_HASH_SEED, PLAN_HASH_SEED);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_HASH_OFFSET, 0);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_HASH_TYPE, NFT_HASH_JENKINS);
	snprintf(text, RULE_PICK_TEXT, "jhash %s %s%s mod %u seed 0x%x", ip,
		 draw == RULE_DRAW_DESTINATION ? "daddr" : "saddr",
		 draw == RULE_DRAW_SOURCE_PORT ? " . th sport" : "", modulus, PLAN_HASH_SEED);
	return text;
}

enum rule_draw rule_draw_of(enum scheduler scheduler)
{
	switch (scheduler) {
	case SCHED_RR:
	case SCHED_WRR:
	case SCHED_FO:
	case SCHED_LEAST_LOAD:
	case SCHED_LOWEST_LATENCY:
	case SCHED_LC:
	case SCHED_WLC:
	case SCHED_SED:
	case SCHED_NQ:
		return RULE_DRAW_TURN;
	case SCHED_RANDOM:
		return RULE_DRAW_RANDOM;
	case SCHED_SH:
		return RULE_DRAW_SOURCE;
	case SCHED_DH:
		return RULE_DRAW_DESTINATION;
	case SCHED_MH:
		return RULE_DRAW_SOURCE_PORT;
	}
	__builtin_unreachable();
}

void rule_draw_mark(struct rule *rule, enum rule_draw draw, enum fam fam, uint32_t modulus, const char *map)
{
	char text[RULE_PICK_TEXT];
	rule_draw(text, rule, draw, fam, modulus);
	expr_lookup_into(rule, map, NFT_REG_1);
	expr_meta_set(rule, NFT_META_MARK, NFT_REG_1);
	expr_text(rule, "meta mark set %s map @%s", text, map);
}

void rule_draw_vmap(struct rule *rule, enum rule_draw draw, enum fam fam, uint32_t modulus, const char *map)
{
	char text[RULE_PICK_TEXT];
	rule_draw(text, rule, draw, fam, modulus);
	expr_vmap(rule, map);
	expr_text(rule, "%s vmap @%s", text, map);
}

void rule_draw_dnat(struct rule *rule, enum rule_draw draw, enum fam fam, uint32_t modulus, const char *map,
		    bool port)
{
	char text[RULE_PICK_TEXT];
	rule_draw(text, rule, draw, fam, modulus);
	expr_lookup_into(rule, map, NFT_REG_1);
	expr_nat(rule, NFT_NAT_DNAT, fam, NFT_REG_1,
		 !port          ? 0
		 : fam == FAM_4 ? EXPR_REG_1_4
				: NFT_REG_2,
		 false);
	expr_text(rule, "dnat %s%s to %s map @%s", rule_fam_name[fam], port ? " addr . port" : "", text, map);
}

// ---- pins --------------------------------------------------------------------------------------

// The client into NFT_REG_1 and on. The masked field comes first: nft can't list the other order.
static void rule_client_key(struct rule *rule, const struct rule_client *client)
{
	static const uint8_t none[16];
	uint8_t mask[16];
	unsigned size = client->fam == FAM_4 ? 4 : 16;
	expr_need_fam(rule, client->fam);
	expr_addr(rule, client->fam, RULE_SOURCE, NFT_REG_1);
	if (client->mask < size * 8) {
		addr_netmask(client->fam, client->mask, mask);
		expr_bitwise(rule, mask, none, size);
	}
	if (client->by == PERSIST_SOURCE_DESTINATION)
		expr_addr(rule, client->fam, RULE_DESTINATION,
			  client->fam == FAM_4 ? EXPR_REG_1_4 : NFT_REG_2);
}

static const char *rule_client_text(char text[RULE_KEY_TEXT], const struct rule_client *client)
{
	const char *ip = rule_fam_name[client->fam];
	unsigned size = client->fam == FAM_4 ? 4 : 16;
	char mask_text[ADDR_TEXT], masked[RULE_KEY_TEXT / 2] = "";
	if (client->mask < size * 8) {
		uint8_t mask[16];
		addr_netmask(client->fam, client->mask, mask);
		struct addr addr = addr_from(fam_af(client->fam), mask);
		snprintf(masked, sizeof(masked), " and %s", addr_text(&addr, mask_text));
	}
	if (client->by == PERSIST_SOURCE_DESTINATION)
		snprintf(text, RULE_KEY_TEXT, "%s saddr%s . %s daddr", ip, masked, ip);
	else
		snprintf(text, RULE_KEY_TEXT, "%s saddr%s", ip, masked);
	return text;
}

// A register that the key leaves free. (nft 1.0.6 would take NFT_REG_2, which two IPv6 addresses
// fill, and its lister crashes on that; see datapath/outbound.md)
static uint32_t rule_data_register(const struct rule_client *client)
{
	bool long_key = client->fam == FAM_6 && client->by == PERSIST_SOURCE_DESTINATION;
	return long_key ? NFT_REG_3 : NFT_REG_2;
}

void rule_pin_lookup(struct rule *rule, const struct rule_client *client, const char *map,
		     enum rule_mark into)
{
	char key[RULE_KEY_TEXT];
	rule_client_key(rule, client);
	expr_lookup_into(rule, map, NFT_REG_1);
	if (into == RULE_MARK_PACKET)
		expr_meta_set(rule, NFT_META_MARK, NFT_REG_1);
	else
		expr_ct_set(rule, NFT_CT_MARK, NFT_REG_1);
	expr_text(rule, "%s set %s map @%s", into == RULE_MARK_PACKET ? "meta mark" : "ct mark",
		  rule_client_text(key, client), map);
}

static struct nftnl_expr *rule_dynset(struct rule *rule, const struct rule_client *client, const char *map,
				      uint32_t op)
{
	struct nftnl_expr *expr = expr_add(rule, "dynset");
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_SREG_DATA, rule_data_register(client));
	nftnl_expr_set_u32(expr, NFTNL_EXPR_DYNSET_OP, op);
	nftnl_expr_set_str(expr, NFTNL_EXPR_DYNSET_SET_NAME, map);
	return expr;
}

void rule_pin_update(struct rule *rule, const struct rule_client *client, const char *map,
		     uint32_t timeout_ms, uint32_t mark)
{
	char key[RULE_KEY_TEXT];
	bool seconds = timeout_ms % 1000 == 0;
	rule_client_key(rule, client);
	expr_immediate(rule, rule_data_register(client), &mark, sizeof(mark));
	nftnl_expr_set_u64(rule_dynset(rule, client, map, NFT_DYNSET_OP_UPDATE), NFTNL_EXPR_DYNSET_TIMEOUT,
			   timeout_ms);
	expr_text(rule, "update @%s { %s timeout %u%s : 0x%08x }", map, rule_client_text(key, client),
		  seconds ? timeout_ms / 1000 : timeout_ms, seconds ? "s" : "ms", mark);
}

void rule_pin_delete(struct rule *rule, const struct rule_client *client, const char *map,
		     enum rule_mark data)
{
	char key[RULE_KEY_TEXT];
	rule_client_key(rule, client);
	if (data == RULE_MARK_PACKET)
		expr_meta(rule, NFT_META_MARK, rule_data_register(client));
	else
		expr_ct(rule, NFT_CT_MARK, rule_data_register(client));
	rule_dynset(rule, client, map, NFT_DYNSET_OP_DELETE);
	expr_text(rule, "delete @%s { %s : %s }", map, rule_client_text(key, client),
		  data == RULE_MARK_PACKET ? "meta mark" : "ct mark");
}

void rule_pin_forget(struct rule *rule, const struct rule_client *client, const char *map, uint32_t mark)
{
	char key[RULE_KEY_TEXT];
	rule_client_key(rule, client);
	expr_immediate(rule, rule_data_register(client), &mark, sizeof(mark));
	rule_dynset(rule, client, map, NFT_DYNSET_OP_DELETE);
	expr_text(rule, "delete @%s { %s : 0x%08x }", map, rule_client_text(key, client), mark);
}

void rule_pin_renew(struct rule *rule, const struct rule_client *client, const char *map, uint32_t timeout_ms)
{
	char key[RULE_KEY_TEXT];
	bool seconds = timeout_ms % 1000 == 0;
	rule_client_key(rule, client);
	expr_meta(rule, NFT_META_MARK, rule_data_register(client));
	nftnl_expr_set_u64(rule_dynset(rule, client, map, NFT_DYNSET_OP_UPDATE), NFTNL_EXPR_DYNSET_TIMEOUT,
			   timeout_ms);
	expr_text(rule, "update @%s { %s timeout %u%s : meta mark }", map, rule_client_text(key, client),
		  seconds ? timeout_ms / 1000 : timeout_ms, seconds ? "s" : "ms");
}
