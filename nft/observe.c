// SPDX-License-Identifier: GPL-2.0-or-later
// What the packet path wrote: counters and pins.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nft/batch.h"
#include "nft/nft_priv.h"
#include "nft/nl.h"
#include "nft/socket.h"
#include "nft/table.h"

#define OBSERVE_TRIES 5 // while somebody changes the ruleset under the dump

struct observe_counters {
	nft_counter_cb cb;
	void *arg;
};

static int observe_counter(const struct nlmsghdr *nlh, void *arg)
{
	const struct observe_counters *observe = arg;
	struct nftnl_obj *obj = nftnl_obj_alloc();
	if (!obj)
		abort();
	if (nftnl_obj_nlmsg_parse(nlh, obj) == 0 &&
	    nftnl_obj_get_u32(obj, NFTNL_OBJ_TYPE) == NFT_OBJECT_COUNTER)
		observe->cb(observe->arg, nftnl_obj_get_str(obj, NFTNL_OBJ_NAME),
			    nftnl_obj_get_u64(obj, NFTNL_OBJ_CTR_PKTS),
			    nftnl_obj_get_u64(obj, NFTNL_OBJ_CTR_BYTES));
	nftnl_obj_free(obj);
	return MNL_CB_OK;
}

int nft_read_counters(struct nft *nft, nft_counter_cb cb, void *arg, struct err *err)
{
	struct observe_counters observe = {.cb = cb, .arg = arg};
	return nft_dump_objects(nft, observe_counter, &observe, err);
}

static int observe_nothing(const struct nlmsghdr *nlh, void *arg)
{
	(void)nlh, (void)arg;
	return MNL_CB_OK;
}

int nft_zero_counters(struct nft *nft, struct err *err)
{
	return nft_dump(nft, PLAN_INET, NFT_MSG_GETOBJ_RESET, NULL, observe_nothing, NULL, err);
}

struct observe_pin {
	uint8_t key[PLAN_KEY_SIZE];
	uint32_t key_size, mark;
	uint64_t expires_ms;
};

struct observe_pins {
	VEC(struct observe_pin) v;
};

static int observe_elem(struct nftnl_set_elem *elem, void *arg)
{
	struct observe_pins *pins = arg;
	struct observe_pin *pin;
	uint32_t key_size = 0, data_size = 0;
	const void *key = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_KEY, &key_size);
	const void *data = nftnl_set_elem_get(elem, NFTNL_SET_ELEM_DATA, &data_size);
	if (!key || key_size > sizeof(pin->key) || !data || data_size != sizeof(pin->mark))
		return 0;
	vec_add(&pins->v, pin);
	memcpy(pin->key, key, key_size);
	memcpy(&pin->mark, data, sizeof(pin->mark));
	pin->key_size = key_size;
	if (nftnl_set_elem_is_set(elem,
				  NFTNL_SET_ELEM_EXPIRATION)) // one that an operator added may stay for ever
		pin->expires_ms = nftnl_set_elem_get_u64(elem, NFTNL_SET_ELEM_EXPIRATION);
	return 0;
}

static int observe_elems(const struct nlmsghdr *nlh, void *arg)
{
	struct nftnl_set *set = nftnl_set_alloc();
	if (!set)
		abort();
	if (nftnl_set_elems_nlmsg_parse(nlh, set) == 0)
		nftnl_set_elem_foreach(set, observe_elem, arg);
	nftnl_set_free(set);
	return MNL_CB_OK;
}

static int observe_pins(struct nft *nft, enum plan_table table, const char *set, nft_pin_cb cb, void *arg,
			struct err *err)
{
	struct observe_pins pins = {0};
	int code = -EINTR;
	for (unsigned tries = 0; code == -EINTR && tries < OBSERVE_TRIES; tries++) {
		pins.v.n = 0;
		code = nft_dump(nft, table, NFT_MSG_GETSETELEM, set, observe_elems, &pins, err);
	}
	for (size_t i = 0; !code && i < pins.v.n; i++) {
		const struct observe_pin *pin = &pins.v.v[i];
		cb(arg, pin->key, pin->key_size, pin->mark, pin->expires_ms);
	}
	vec_free(&pins.v);
	return code;
}

int nft_get_pin(struct nft *nft, enum plan_table table, const char *set, const uint8_t *key,
		unsigned key_size, uint32_t *mark, uint64_t *expires_ms, struct err *err)
{
	char buf[1024];
	struct observe_pins pins = {0};
	struct nlmsghdr *nlh =
		nftnl_nlmsg_build_hdr(buf, NFT_MSG_GETSETELEM, table_family(table), NLM_F_ACK, ++nft->seq);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	struct nlattr *list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *elem = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
	struct nlattr *data = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
	mnl_attr_put(nlh, NFTA_DATA_VALUE, key_size, key);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, elem);
	mnl_attr_nest_end(nlh, list);
	int code = socket_ask(nft->sock, nlh, observe_elems, &pins, set, err);
	if (!code && pins.v.n) {
		*mark = pins.v.v[0].mark;
		*expires_ms = pins.v.v[0].expires_ms;
	} else if (!code) {
		code = err_set(err, ENOENT, "%s has no such element", set);
	}
	vec_free(&pins.v);
	return code;
}

int nft_dump_pins(struct nft *nft, const char *set, nft_pin_cb cb, void *arg, struct err *err)
{
	return observe_pins(nft, PLAN_INET, set, cb, arg, err);
}

int nft_dump_conns(struct nft *nft, const char *set, nft_pin_cb cb, void *arg, struct err *err)
{
	return observe_pins(nft, PLAN_NETDEV, set, cb, arg, err);
}

int nft_flush_set(struct nft *nft, const char *set, struct err *err)
{
	struct batch batch = {0};
	batch_begin(&batch, 0); // whatever the rest of the ruleset has become
	struct nlmsghdr *nlh =
		batch_message(&batch, PLAN_INET, NFT_MSG_DELSETELEM, 0); // no elements given: all
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	batch_add(&batch, nlh, "map", set, NULL);
	int code = nft_commit(nft, &batch, err);
	batch_free(&batch);
	return code;
}
