// SPDX-License-Identifier: GPL-2.0-or-later
// expr: the expressions that rules are made of, one call each. Only rule_*.c call it; nothing here
// writes text. Registers are libnftnl's: NFT_REG_1 to NFT_REG_4 hold 16 bytes each.
#ifndef GWD_NFT_EXPR_H
#define GWD_NFT_EXPR_H

#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "nft/nl.h"
#include "nft/rule.h"

#define EXPR_REG_1_4 (NFT_REG32_01) // the second 4 bytes of NFT_REG_1, where concatenations go on

struct nftnl_expr *expr_add(struct rule *rule, const char *name); // the rule owns it
void expr_meta(struct rule *rule, uint32_t key, uint32_t reg);
void expr_meta_set(struct rule *rule, uint32_t key, uint32_t reg);
void expr_ct(struct rule *rule, uint32_t key, uint32_t reg);
void expr_ct_set(struct rule *rule, uint32_t key, uint32_t reg);
void expr_payload(struct rule *rule, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg);
void expr_fib(struct rule *rule, uint32_t flags, uint32_t result);
void expr_cmp(struct rule *rule, uint32_t op, const void *data, uint32_t len);          // NFT_REG_1
void expr_bitwise(struct rule *rule, const void *mask, const void * xor, uint32_t len); // NFT_REG_1
void expr_lookup(struct rule *rule, const char *set, bool invert);                      // NFT_REG_1
void expr_lookup_anonymous(struct rule *rule, const struct nftnl_set *set);             // NFT_REG_1
void expr_vmap(struct rule *rule, const char *map);                                     // NFT_REG_1
void expr_lookup_into(struct rule *rule, const char *map, uint32_t reg);                // NFT_REG_1
// `type`: NFT_NAT_SNAT or _DNAT; reg_port 0: none; `given`: the port is a constant
void expr_nat(struct rule *rule, uint32_t type, enum fam fam, uint32_t reg_addr, uint32_t reg_port,
	      bool given);
void expr_immediate(struct rule *rule, uint32_t reg, const void *data, uint32_t len);
void expr_verdict(struct rule *rule, int verdict, const char *chain);

// What nft adds by itself: a match on the family or the protocol, unless the rule has one.
void expr_need_fam(struct rule *rule, enum fam fam);
void expr_need_tcp(struct rule *rule);
void expr_need_protocol(struct rule *rule, uint8_t protocol);

void expr_addr(struct rule *rule, enum fam fam, enum rule_side side, uint32_t reg); // needs the family

// Appends to the rule's text, with a space before it.
void expr_text(struct rule *rule, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
