// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/userdata.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include "nft/nl.h"

#define USERDATA_ROOM 256

// nft's own numbers of expressions and their attributes (nftables: include/expression.h, src/numgen.c)
#define USERDATA_EXPR_VERDICT 1
#define USERDATA_EXPR_PAYLOAD 7
#define USERDATA_EXPR_META 9
#define USERDATA_EXPR_CONCAT 13
#define USERDATA_EXPR_NUMGEN 23
#define USERDATA_TYPEOF_EXPR 0
#define USERDATA_TYPEOF_DATA 1
#define USERDATA_NUMGEN_TYPE 0
#define USERDATA_NUMGEN_MOD 1
#define USERDATA_NUMGEN_OFFSET 2
#define USERDATA_PAYLOAD_DESC 0
#define USERDATA_PAYLOAD_TYPE 1
#define USERDATA_PAYLOAD_BASE 2
#define USERDATA_PAYLOAD_OFFSET 3
#define USERDATA_PAYLOAD_LEN 4
#define USERDATA_DESC_UNKNOWN 0
#define USERDATA_DESC_TH 11 // enum proto_desc_id (include/proto.h)
#define USERDATA_DESC_IP 12
#define USERDATA_DESC_IP6 13
#define USERDATA_TH_DPORT 2
#define USERDATA_META_KEY 0
#define USERDATA_IP_ID 6
#define USERDATA_IP_PROTOCOL 9
#define USERDATA_IP_SADDR 11
#define USERDATA_IP_DADDR 12
#define USERDATA_IP6_DADDR 9

static struct nftnl_udata_buf *userdata_new(void)
{
	struct nftnl_udata_buf *buf = nftnl_udata_buf_alloc(USERDATA_ROOM);
	if (!buf)
		abort();
	return buf;
}

static void userdata_put_u32(struct nftnl_udata_buf *buf, uint8_t type, uint32_t value)
{
	bool fits = nftnl_udata_put_u32(buf, type, value);
	assert(fits);
	(void)fits;
}

static void userdata_give(struct nftnl_set *set, struct nftnl_udata_buf *buf)
{
	nftnl_set_set_data(set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(buf), nftnl_udata_buf_len(buf));
	nftnl_udata_buf_free(buf);
}

static void userdata_put_order(struct nftnl_udata_buf *buf, enum userdata_order key, enum userdata_order data)
{
	userdata_put_u32(buf, NFTNL_UDATA_SET_KEYBYTEORDER, key);
	userdata_put_u32(buf, NFTNL_UDATA_SET_DATABYTEORDER, data);
}

void userdata_set_order(struct nftnl_set *set, enum userdata_order key, enum userdata_order data)
{
	struct nftnl_udata_buf *buf = userdata_new();
	userdata_put_order(buf, key, data);
	userdata_give(set, buf);
}

static void userdata_put_typeof(struct nftnl_udata_buf *buf, uint8_t side, uint32_t expr, uint32_t modulus)
{
	struct nftnl_udata *outer = nftnl_udata_nest_start(buf, side);
	userdata_put_u32(buf, USERDATA_TYPEOF_EXPR, expr);
	struct nftnl_udata *inner = nftnl_udata_nest_start(buf, USERDATA_TYPEOF_DATA);
	if (expr == USERDATA_EXPR_NUMGEN) {
		userdata_put_u32(buf, USERDATA_NUMGEN_TYPE, NFT_NG_INCREMENTAL);
		userdata_put_u32(buf, USERDATA_NUMGEN_MOD, modulus);
		userdata_put_u32(buf, USERDATA_NUMGEN_OFFSET, 0);
	} else if (expr == USERDATA_EXPR_META) {
		userdata_put_u32(buf, USERDATA_META_KEY, NFT_META_MARK);
	}
	nftnl_udata_nest_end(buf, inner);
	nftnl_udata_nest_end(buf, outer);
}

static void userdata_give_numgen(struct nftnl_set *set, uint32_t modulus, enum userdata_order order,
				 uint32_t data)
{
	struct nftnl_udata_buf *buf = userdata_new();
	userdata_put_order(buf, USERDATA_ORDER_HOST, order);
	userdata_put_typeof(buf, NFTNL_UDATA_SET_KEY_TYPEOF, USERDATA_EXPR_NUMGEN, modulus);
	userdata_put_typeof(buf, NFTNL_UDATA_SET_DATA_TYPEOF, data, 0);
	userdata_give(set, buf);
}

void userdata_set_numgen(struct nftnl_set *set, uint32_t modulus)
{
	userdata_give_numgen(set, modulus, USERDATA_ORDER_NONE, USERDATA_EXPR_VERDICT);
}

void userdata_set_numgen_mark(struct nftnl_set *set, uint32_t modulus)
{
	userdata_give_numgen(set, modulus, USERDATA_ORDER_HOST, USERDATA_EXPR_META);
}

static void userdata_put_payload(struct nftnl_udata_buf *buf, uint8_t side, uint32_t desc, uint32_t type)
{
	struct nftnl_udata *outer = nftnl_udata_nest_start(buf, side);
	userdata_put_u32(buf, USERDATA_TYPEOF_EXPR, USERDATA_EXPR_PAYLOAD);
	struct nftnl_udata *inner = nftnl_udata_nest_start(buf, USERDATA_TYPEOF_DATA);
	userdata_put_u32(buf, USERDATA_PAYLOAD_DESC, desc);
	userdata_put_u32(buf, USERDATA_PAYLOAD_TYPE, type);
	nftnl_udata_nest_end(buf, inner);
	nftnl_udata_nest_end(buf, outer);
}

// A field that has no name, in bits.
static void userdata_put_raw(struct nftnl_udata_buf *buf, uint8_t side, uint32_t offset, uint32_t len)
{
	struct nftnl_udata *outer = nftnl_udata_nest_start(buf, side);
	userdata_put_u32(buf, USERDATA_TYPEOF_EXPR, USERDATA_EXPR_PAYLOAD);
	struct nftnl_udata *inner = nftnl_udata_nest_start(buf, USERDATA_TYPEOF_DATA);
	userdata_put_u32(buf, USERDATA_PAYLOAD_DESC, USERDATA_DESC_UNKNOWN);
	userdata_put_u32(buf, USERDATA_PAYLOAD_TYPE, 0);
	userdata_put_u32(buf, USERDATA_PAYLOAD_BASE, 2); // enum proto_bases: network header
	userdata_put_u32(buf, USERDATA_PAYLOAD_OFFSET, offset);
	userdata_put_u32(buf, USERDATA_PAYLOAD_LEN, len);
	nftnl_udata_nest_end(buf, inner);
	nftnl_udata_nest_end(buf, outer);
}

void userdata_set_byte(struct nftnl_set *set)
{
	struct nftnl_udata_buf *buf = userdata_new();
	userdata_put_order(buf, USERDATA_ORDER_NET, USERDATA_ORDER_NONE);
	userdata_put_raw(buf, NFTNL_UDATA_SET_KEY_TYPEOF, 128, 8);
	userdata_give(set, buf);
}

static void userdata_put_address(struct nftnl_udata_buf *buf, uint8_t side, enum fam fam)
{
	userdata_put_payload(buf, side, fam == FAM_4 ? USERDATA_DESC_IP : USERDATA_DESC_IP6,
			     fam == FAM_4 ? USERDATA_IP_DADDR : USERDATA_IP6_DADDR);
}

static void userdata_put_address_port(struct nftnl_udata_buf *buf, uint8_t side, enum fam fam)
{
	struct nftnl_udata *outer = nftnl_udata_nest_start(buf, side);
	userdata_put_u32(buf, USERDATA_TYPEOF_EXPR, USERDATA_EXPR_CONCAT);
	struct nftnl_udata *inner = nftnl_udata_nest_start(buf, USERDATA_TYPEOF_DATA);
	userdata_put_address(buf, 0, fam);
	userdata_put_payload(buf, 1, USERDATA_DESC_TH, USERDATA_TH_DPORT);
	nftnl_udata_nest_end(buf, inner);
	nftnl_udata_nest_end(buf, outer);
}

void userdata_set_fragment(struct nftnl_set *set)
{
	static const uint32_t fields[] = {USERDATA_IP_SADDR, USERDATA_IP_DADDR, USERDATA_IP_ID,
					  USERDATA_IP_PROTOCOL};
	struct nftnl_udata_buf *buf = userdata_new();
	userdata_put_order(buf, USERDATA_ORDER_NONE, USERDATA_ORDER_HOST);
	struct nftnl_udata *outer = nftnl_udata_nest_start(buf, NFTNL_UDATA_SET_KEY_TYPEOF);
	userdata_put_u32(buf, USERDATA_TYPEOF_EXPR, USERDATA_EXPR_CONCAT);
	struct nftnl_udata *inner = nftnl_udata_nest_start(buf, USERDATA_TYPEOF_DATA);
	for (uint8_t i = 0; i < 4; i++)
		userdata_put_payload(buf, i, USERDATA_DESC_IP, fields[i]);
	nftnl_udata_nest_end(buf, inner);
	nftnl_udata_nest_end(buf, outer);
	userdata_put_typeof(buf, NFTNL_UDATA_SET_DATA_TYPEOF, USERDATA_EXPR_META, 0);
	userdata_give(set, buf);
}

void userdata_set_numgen_address(struct nftnl_set *set, uint32_t modulus, enum fam fam, bool port)
{
	struct nftnl_udata_buf *buf = userdata_new();
	userdata_put_order(buf, USERDATA_ORDER_HOST, port ? USERDATA_ORDER_NONE : USERDATA_ORDER_NET);
	userdata_put_typeof(buf, NFTNL_UDATA_SET_KEY_TYPEOF, USERDATA_EXPR_NUMGEN, modulus);
	if (port)
		userdata_put_address_port(buf, NFTNL_UDATA_SET_DATA_TYPEOF, fam);
	else
		userdata_put_address(buf, NFTNL_UDATA_SET_DATA_TYPEOF, fam);
	userdata_give(set, buf);
}
