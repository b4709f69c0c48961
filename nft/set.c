// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/set.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "nft/nl.h"
#include "nft/ranges.h"
#include "nft/table.h"
#include "nft/userdata.h"

#define SET_TYPE_BITS 6 // of one field in the number of a concatenation's type

// nft's numbers of types (nftables: include/datatype.h)
static const uint32_t set_type_number[] = {
	[PLAN_T_NONE] = 0,
	[PLAN_T_MARK] = 19,
	[PLAN_T_INDEX] = 4,
	[PLAN_T_IPV4] = 7,
	[PLAN_T_IPV6] = 8,
	[PLAN_T_IFNAME] = 41,
	[PLAN_T_ETHER] = 9,
	[PLAN_T_PROTO] = 12,
	[PLAN_T_PORT] = 13,
	[PLAN_T_IFINDEX] = 20,
	[PLAN_T_FRAGMENT] = 4,
	[PLAN_T_BYTE] = 4,
	[PLAN_T_VERDICT] = NFT_DATA_VERDICT,
};

static enum userdata_order set_order(enum plan_type type)
{
	switch (type) {
	case PLAN_T_MARK:
	case PLAN_T_INDEX:
	case PLAN_T_IFNAME:
	case PLAN_T_PROTO:
	case PLAN_T_IFINDEX:
		return USERDATA_ORDER_HOST;
	case PLAN_T_IPV4:
	case PLAN_T_IPV6:
	case PLAN_T_ETHER:
	case PLAN_T_PORT:
	case PLAN_T_FRAGMENT:
	case PLAN_T_BYTE:
		return USERDATA_ORDER_NET;
	case PLAN_T_NONE:
	case PLAN_T_VERDICT:
		return USERDATA_ORDER_NONE;
	}
	return USERDATA_ORDER_NONE;
}

// ---- to the kernel -----------------------------------------------------------------------------

static uint32_t set_key_type(const struct plan_set *set)
{
	uint32_t number = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(set->key) && set->key[i] != PLAN_T_NONE; i++)
		number = number << SET_TYPE_BITS | set_type_number[set->key[i]];
	return number;
}

static bool set_data_is_address(const struct plan_set *set)
{
	return set->data == PLAN_T_IPV4 || set->data == PLAN_T_IPV6;
}

static uint32_t set_data_type(const struct plan_set *set)
{
	uint32_t number = set_type_number[set->data];
	return set->data_port ? number << SET_TYPE_BITS | set_type_number[PLAN_T_PORT] : number;
}

static unsigned set_data_size(const struct plan_set *set)
{
	return plan_type_size(set->data) + (set->data_port ? 4 : 0);
}

static uint32_t set_flags(const struct plan_set *set)
{
	uint32_t flags = set->data != PLAN_T_NONE ? NFT_SET_MAP : 0;
	if (set->dynamic)
		flags |= NFT_SET_EVAL | (set->timeless ? 0 : NFT_SET_TIMEOUT);
	if (set->interval)
		flags |= NFT_SET_INTERVAL;
	return flags;
}

struct nftnl_set *set_declare(const struct plan_set *set, uint32_t id)
{
	struct nftnl_set *nl = nftnl_set_alloc();
	if (!nl)
		abort();
	nftnl_set_set_str(nl, NFTNL_SET_TABLE, NFT_TABLE);
	nftnl_set_set_str(nl, NFTNL_SET_NAME, set->name);
	nftnl_set_set_u32(nl, NFTNL_SET_FAMILY, table_family(set->table));
	nftnl_set_set_u32(nl, NFTNL_SET_ID, id);
	nftnl_set_set_u32(nl, NFTNL_SET_FLAGS, set_flags(set));
	nftnl_set_set_u32(nl, NFTNL_SET_KEY_TYPE, set_key_type(set));
	nftnl_set_set_u32(nl, NFTNL_SET_KEY_LEN, plan_set_key_size(set));
	if (set->data != PLAN_T_NONE) {
		nftnl_set_set_u32(nl, NFTNL_SET_DATA_TYPE, set_data_type(set));
		nftnl_set_set_u32(nl, NFTNL_SET_DATA_LEN, set_data_size(set));
	}
	if (set->size)
		nftnl_set_set_u32(nl, NFTNL_SET_DESC_SIZE, set->size);
	if (set->sweep_ms)
		nftnl_set_set_u32(nl, NFTNL_SET_GC_INTERVAL, set->sweep_ms);
	if (set->key[0] == PLAN_T_INDEX && set_data_is_address(set))
		userdata_set_numgen_address(nl, set->modulus, set->data == PLAN_T_IPV4 ? FAM_4 : FAM_6,
					    set->data_port);
	else if (set->key[0] == PLAN_T_INDEX && set->data == PLAN_T_MARK)
		userdata_set_numgen_mark(nl, set->modulus);
	else if (set->key[0] == PLAN_T_INDEX)
		userdata_set_numgen(nl, set->modulus);
	else if (set->key[0] == PLAN_T_BYTE)
		userdata_set_byte(nl);
	else if (set->key[2] == PLAN_T_FRAGMENT)
		userdata_set_fragment(nl);
	else
		userdata_set_order(nl,
				   set->key[1] == PLAN_T_NONE ? set_order(set->key[0]) : USERDATA_ORDER_NONE,
				   set_order(set->data));
	return nl;
}

static struct nftnl_set_elem *set_elem_new(const void *key, unsigned size)
{
	struct nftnl_set_elem *nl = nftnl_set_elem_alloc();
	if (!nl)
		abort();
	nftnl_set_elem_set(nl, NFTNL_SET_ELEM_KEY, key, size);
	return nl;
}

struct nftnl_set_elem *set_elem_key(const struct plan_set *set, const struct plan_elem *elem)
{
	return set_elem_new(elem->key, plan_set_key_size(set));
}

// A range without an end: nft notes that on its first value, to list it as it was.
static void set_mark_open(struct nftnl_set_elem *nl, const struct plan_set *set, const struct plan_elem *elem)
{
	static const uint8_t open[] = {1 /* flags */, 4, 1 /* interval open */, 0, 0, 0};
	uint8_t behind[sizeof(elem->last)];
	memcpy(behind, elem->last, sizeof(behind));
	if (set->interval && !addr_bytes_next(behind, plan_set_key_size(set)))
		nftnl_set_elem_set(nl, NFTNL_SET_ELEM_USERDATA, open, sizeof(open));
}

struct nftnl_set_elem *set_elem(const struct plan_set *set, const struct plan_elem *elem)
{
	struct nftnl_set_elem *nl = set_elem_key(set, elem);
	set_mark_open(nl, set, elem);
	if (set->data == PLAN_T_VERDICT) {
		nftnl_set_elem_set_u32(nl, NFTNL_SET_ELEM_VERDICT,
				       (uint32_t)(set->jump ? NFT_JUMP : NFT_GOTO));
		nftnl_set_elem_set_str(nl, NFTNL_SET_ELEM_CHAIN, elem->chain);
	} else if (set->data == PLAN_T_MARK || set->data == PLAN_T_IFINDEX) {
		nftnl_set_elem_set(nl, NFTNL_SET_ELEM_DATA, &elem->mark, sizeof(elem->mark));
	} else if (set_data_is_address(set)) {
		uint8_t data[20] = {0};
		unsigned size = plan_type_size(set->data);
		uint16_t port = htons((uint16_t)elem->mark);
		memcpy(data, elem->last, size);
		memcpy(data + size, &port, sizeof(port));
		nftnl_set_elem_set(nl, NFTNL_SET_ELEM_DATA, data, set_data_size(set));
	} else if (set->dynamic && !set->timeless) {
		nftnl_set_elem_set_u64(nl, NFTNL_SET_ELEM_TIMEOUT, elem->mark);
	}
	return nl;
}

struct nftnl_set_elem *set_elem_end(const struct plan_set *set, const struct plan_elem *elem)
{
	uint8_t behind[sizeof(elem->last)];
	unsigned size = plan_set_key_size(set);
	memcpy(behind, elem->last, sizeof(behind));
	if (!set->interval || !addr_bytes_next(behind, size))
		return NULL;
	struct nftnl_set_elem *nl = set_elem_new(behind, size);
	nftnl_set_elem_set_u32(nl, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	return nl;
}

// ---- from the kernel -----------------------------------------------------------------------------

static enum plan_type set_type_of(uint32_t number)
{
	for (unsigned i = 1; i < ARRAY_SIZE(set_type_number); i++)
		if (set_type_number[i] == number)
			return (enum plan_type)i;
	return PLAN_T_NONE;
}

static void set_parse_key(struct plan_set *out, uint32_t number)
{
	unsigned n = 0;
	for (uint32_t rest = number; rest; rest >>= SET_TYPE_BITS)
		n++;
	for (; n && number; number >>= SET_TYPE_BITS)
		if (n-- <= ARRAY_SIZE(out->key))
			out->key[n] = set_type_of(number & ((1u << SET_TYPE_BITS) - 1));
}

// Whether its verdicts jump is for the name to tell: the kernel knows that of each element only.
static void set_parse_data(struct plan_set *out, uint32_t number)
{
	uint32_t port = number & ((1u << SET_TYPE_BITS) - 1), address = number >> SET_TYPE_BITS;
	out->data_port = number != NFT_DATA_VERDICT && address && set_type_of(port) == PLAN_T_PORT;
	out->data = set_type_of(out->data_port ? address : number);
}

bool set_parse(struct plan_set *out, const struct nftnl_set *set)
{
	uint32_t flags = nftnl_set_get_u32(set, NFTNL_SET_FLAGS);
	const char *name = nftnl_set_get_str(set, NFTNL_SET_NAME);
	if (flags & NFT_SET_ANONYMOUS || strlen(name) >= sizeof(out->name))
		return false;
	*out = (struct plan_set){.dynamic = flags & NFT_SET_EVAL, .interval = flags & NFT_SET_INTERVAL};
	strcpy(out->name, name);
	if (nftnl_set_get_u32(set, NFTNL_SET_FAMILY) == NFPROTO_NETDEV)
		out->table = PLAN_NETDEV;
	set_parse_key(out, nftnl_set_get_u32(set, NFTNL_SET_KEY_TYPE));
	if (flags & NFT_SET_MAP)
		set_parse_data(out, nftnl_set_get_u32(set, NFTNL_SET_DATA_TYPE));
	out->size = nftnl_set_get_u32(set, NFTNL_SET_DESC_SIZE);
	if (out->key[0] == PLAN_T_INDEX)
		out->modulus = out->size;
	return true;
}

#define SET_IS_END UINT32_MAX // as the `mark` of an element: the end of a range, until set_finish()

static int set_parse_elem(struct nftnl_set_elem *nl, void *arg)
{
	struct plan_set *out = arg;
	struct plan_elem *elem;
	uint32_t size = 0;
	const void *key = nftnl_set_elem_get(nl, NFTNL_SET_ELEM_KEY, &size);
	if (!key || size > sizeof(elem->key))
		return 0;
	vec_add(&out->elems, elem);
	memcpy(elem->key, key, size);
	if (nftnl_set_elem_is_set(nl, NFTNL_SET_ELEM_FLAGS) &&
	    nftnl_set_elem_get_u32(nl, NFTNL_SET_ELEM_FLAGS) & NFT_SET_ELEM_INTERVAL_END)
		elem->mark = SET_IS_END;
	const char *chain = nftnl_set_elem_is_set(nl, NFTNL_SET_ELEM_CHAIN)
				    ? nftnl_set_elem_get_str(nl, NFTNL_SET_ELEM_CHAIN)
				    : NULL;
	if (chain)
		snprintf(elem->chain, sizeof(elem->chain), "%s", chain);
	const void *data = nftnl_set_elem_get(nl, NFTNL_SET_ELEM_DATA, &size);
	if ((out->data == PLAN_T_MARK || out->data == PLAN_T_IFINDEX) && data && size == sizeof(elem->mark))
		memcpy(&elem->mark, data, sizeof(elem->mark));
	if (set_data_is_address(out) && data && size == set_data_size(out)) {
		uint16_t port = 0;
		memcpy(elem->last, data, plan_type_size(out->data));
		if (out->data_port)
			memcpy(&port, (const uint8_t *)data + plan_type_size(out->data), sizeof(port));
		elem->mark = ntohs(port);
	}
	return 0;
}

void set_parse_elems(struct plan_set *out, struct nftnl_set *dump)
{
	nftnl_set_elem_foreach(dump, set_parse_elem, out);
}

static int set_compare_elems(const void *a, const void *b)
{
	const struct plan_elem *left = a, *right = b;
	int order = memcmp(left->key, right->key, sizeof(left->key));
	if (order)
		return order;
	return (right->mark == SET_IS_END) - (left->mark == SET_IS_END); // an end before the next start
}

// Starts and ends, sorted, become ranges; the last one may have no end: it reaches to the top.
static void set_join_ranges(struct plan_set *out, unsigned size)
{
	size_t kept = 0;
	for (size_t i = 0; i < out->elems.n; i++) {
		struct plan_elem elem = out->elems.v[i];
		if (elem.mark == SET_IS_END)
			continue;
		memset(elem.last, 0xff, size);
		if (i + 1 < out->elems.n) {
			memcpy(elem.last, out->elems.v[i + 1].key, size);
			addr_bytes_before(elem.last, size);
		}
		out->elems.v[kept++] = elem;
	}
	out->elems.n = kept;
}

void set_finish(struct plan_set *out)
{
	if (out->elems.n)
		qsort(out->elems.v, out->elems.n, sizeof(*out->elems.v), set_compare_elems);
	if (out->interval)
		set_join_ranges(out, plan_set_key_size(out));
}
