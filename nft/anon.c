// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/anon.h"

#include <stdlib.h>
#include <string.h>

#include "nft/nl.h"
#include "nft/ranges.h"
#include "nft/rule.h"
#include "nft/table.h"
#include "nft/userdata.h"

static enum userdata_order anon_order(enum anon_type type)
{
	switch (type) {
	case ANON_STRING:
	case ANON_PROTO:
	case ANON_FIB_TYPE:
	case ANON_IFNAME:
		return USERDATA_ORDER_HOST;
	case ANON_IPV4:
	case ANON_IPV6:
	case ANON_PORT:
	case ANON_DSCP:
	case ANON_ICMP_TYPE:
	case ANON_ICMPV6_TYPE:
		return USERDATA_ORDER_NET;
	}
	return USERDATA_ORDER_NONE;
}

static struct nftnl_set *anon_new(struct rule *rule, enum anon_type type, unsigned size, uint32_t flags)
{
	struct nftnl_set *set = nftnl_set_alloc();
	if (!set)
		abort();
	nftnl_set_set_str(set, NFTNL_SET_TABLE, NFT_TABLE);
	nftnl_set_set_str(set, NFTNL_SET_NAME, "__set%d");
	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, table_family(rule->table));
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, NFT_SET_ANONYMOUS | NFT_SET_CONSTANT | flags);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, size);
	nftnl_set_set_u32(set, NFTNL_SET_ID, (*rule->next_set_id)++);
	userdata_set_order(set, anon_order(type), USERDATA_ORDER_NONE);
	vec_push(&rule->sets, set);
	return set;
}

static void anon_add(struct nftnl_set *set, const void *key, unsigned size, uint32_t flags)
{
	struct nftnl_set_elem *elem = nftnl_set_elem_alloc();
	if (!elem)
		abort();
	nftnl_set_elem_set(elem, NFTNL_SET_ELEM_KEY, key, size);
	if (flags)
		nftnl_set_elem_set_u32(elem, NFTNL_SET_ELEM_FLAGS, flags);
	nftnl_set_elem_add(set, elem);
}

struct nftnl_set *anon_values(struct rule *rule, enum anon_type type, const void *values, unsigned size,
			      size_t n)
{
	struct nftnl_set *set = anon_new(rule, type, size, 0);
	for (size_t i = 0; i < n; i++)
		anon_add(set, (const char *)values + i * size, size, 0);
	nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, (uint32_t)n);
	return set;
}

// The kernel wants the first value of each range, and the first value behind it flagged as an end.
static uint32_t anon_add_range(struct nftnl_set *set, const struct range *range, unsigned size)
{
	uint8_t behind[16];
	memcpy(behind, range->last, sizeof(behind));
	anon_add(set, range->first, size, 0);
	if (!addr_bytes_next(behind, size))
		return 1;
	anon_add(set, behind, size, NFT_SET_ELEM_INTERVAL_END);
	return 2;
}

struct nftnl_set *anon_ranges(struct rule *rule, enum anon_type type, const struct ranges *ranges)
{
	static const uint8_t zero[16];
	uint32_t n = 0;
	bool singles = ranges_singles(ranges);
	struct nftnl_set *set = anon_new(rule, type, ranges->size, singles ? 0 : NFT_SET_INTERVAL);
	if (!singles && memcmp(ranges->v.v[0].first, zero, ranges->size) != 0) {
		anon_add(set, zero, ranges->size, NFT_SET_ELEM_INTERVAL_END); // as nft does
		n++;
	}
	vec_each(&ranges->v, range) {
		if (singles)
			anon_add(set, range->first, ranges->size, 0);
		n += singles ? 1 : anon_add_range(set, range, ranges->size);
	}
	nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, n);
	return set;
}
