// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_nft: a few nf_tables messages through libmnl. Called by lab_fault (switches) and lab_watch (counters);
 * each ISP has one socket, used under the lab's lock.
 */
#include "test/lab/lab_nft.h"

#include "test/lab/lab_die.h"
#include "test/lab/lab_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REPLY_MAX = 65536 };

struct mnl_socket *lab_nft_open(const struct lab_isp *isp)
{
	int before = lab_ns_enter(&isp->ns);
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);

	lab_ns_leave(before);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID))
		lab_must(-1, "a netlink socket");
	return nl;
}

void lab_nft_close(struct mnl_socket *nl)
{
	mnl_socket_close(nl);
}

static struct nlmsghdr *message(void *at, int type, int flags, uint8_t family, uint16_t id)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(at);
	struct nfgenmsg *generic = mnl_nlmsg_put_extra_header(header, sizeof(*generic));

	header->nlmsg_type = (uint16_t)type;
	header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	generic->nfgen_family = family;
	generic->version = NFNETLINK_V0;
	generic->res_id = htons(id);
	return header;
}

static int nft_type(int type)
{
	return NFNL_SUBSYS_NFTABLES << 8 | type;
}

static void put_element(struct nlmsghdr *header, const struct lab_nft_element *element)
{
	char key[IFNAMSIZ] = {0};
	struct nlattr *list, *entry, *data;

	memcpy(key, element->ifname, strnlen(element->ifname, IFNAMSIZ - 1));
	mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_TABLE, "lab");
	mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_SET, element->set);
	list = mnl_attr_nest_start(header, NFTA_SET_ELEM_LIST_ELEMENTS);
	entry = mnl_attr_nest_start(header, NFTA_LIST_ELEM);
	data = mnl_attr_nest_start(header, NFTA_SET_ELEM_KEY);
	mnl_attr_put(header, NFTA_DATA_VALUE, sizeof(key), key);
	mnl_attr_nest_end(header, data);
	mnl_attr_nest_end(header, entry);
	mnl_attr_nest_end(header, list);
}

/* The kernel's word on the one message that asked for it: 0 or -errno. */
static int acknowledged(struct mnl_socket *nl)
{
	char reply[4096];
	ssize_t length = mnl_socket_recvfrom(nl, reply, sizeof(reply));
	const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)reply;
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(header);

	if (length < (ssize_t)sizeof(*header) || header->nlmsg_type != NLMSG_ERROR)
		lab_die("nftables: an answer that is none");
	return error->error;
}

void lab_nft_switch(struct mnl_socket *nl, const struct lab_nft_element *element, bool add)
{
	_Alignas(8) char batch[1024];
	int type = nft_type(add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM);
	struct nlmsghdr *header;
	size_t length = 0;
	int error;

	header = message(batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	length += header->nlmsg_len;
	header = message(batch + length, type, NLM_F_ACK | (add ? NLM_F_CREATE : 0), (uint8_t)element->family,
			 0);
	put_element(header, element);
	length += header->nlmsg_len;
	header = message(batch + length, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	length += header->nlmsg_len;
	lab_must((int)mnl_socket_sendto(nl, batch, length), "nftables");
	error = acknowledged(nl);
	if (error && !(error == -ENOENT && !add))
		lab_die("nftables set %s: %s", element->set, strerror(-error));
}

/* A ruleset change elsewhere (a test's own table) marks a dump as interrupted, which libmnl takes for a failure. Our own
 * counters and sets neither come nor go, so the dump is complete for us. */
static void forgive_interruption(char *reply, ssize_t length)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)reply;
	int left = (int)length;

	for (; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left))
		header->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
}

/* Sends a dump request and gives every message of the answer to `each`. */
static void dump(struct mnl_socket *nl, struct nlmsghdr *request, mnl_cb_t each, void *arg)
{
	char *reply = lab_alloc(1, REPLY_MAX);
	static unsigned sequence;
	int more = 1;

	request->nlmsg_seq = ++sequence;
	lab_must((int)mnl_socket_sendto(nl, request, request->nlmsg_len), "nftables");
	while (more > 0) {
		ssize_t length = mnl_socket_recvfrom(nl, reply, REPLY_MAX);

		lab_must((int)length, "nftables");
		forgive_interruption(reply, length);
		more = lab_must(mnl_cb_run(reply, (size_t)length, request->nlmsg_seq, 0, each, arg),
				"nftables");
	}
	free(reply);
}

struct attribute_table {
	const struct nlattr *at[32];
};

static int keep_attribute(const struct nlattr *attribute, void *arg)
{
	struct attribute_table *table = arg;
	unsigned type = mnl_attr_get_type(attribute);

	if (type < 32)
		table->at[type] = attribute;
	return MNL_CB_OK;
}

static struct attribute_table nested(const struct nlattr *attribute)
{
	struct attribute_table table = {{NULL}};

	if (attribute)
		mnl_attr_parse_nested(attribute, keep_attribute, &table);
	return table;
}

static uint64_t packets_of(const struct nlattr *counter_data)
{
	struct attribute_table counter = nested(counter_data);

	return counter.at[NFTA_COUNTER_PACKETS] ? be64toh(mnl_attr_get_u64(counter.at[NFTA_COUNTER_PACKETS]))
						: 0;
}

struct counter_call {
	void (*each)(void *arg, const char *name, uint64_t packets);
	void *arg;
};

static int on_counter(const struct nlmsghdr *header, void *arg)
{
	struct counter_call *call = arg;
	struct attribute_table object = {{NULL}};

	mnl_attr_parse(header, sizeof(struct nfgenmsg), keep_attribute, &object);
	if (object.at[NFTA_OBJ_NAME])
		call->each(call->arg, mnl_attr_get_str(object.at[NFTA_OBJ_NAME]),
			   packets_of(object.at[NFTA_OBJ_DATA]));
	return MNL_CB_OK;
}

void lab_nft_counters(struct mnl_socket *nl, void (*each)(void *, const char *, uint64_t), void *arg)
{
	_Alignas(8) char request[256];
	struct nlmsghdr *header = message(request, nft_type(NFT_MSG_GETOBJ), NLM_F_DUMP, NFPROTO_INET, 0);
	struct counter_call call = {each, arg};

	mnl_attr_put_strz(header, NFTA_OBJ_TABLE, "lab");
	mnl_attr_put_u32(header, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	dump(nl, header, on_counter, &call);
}

struct element_call {
	void (*each)(void *arg, const unsigned char *key, unsigned length, uint64_t packets);
	void *arg;
};

static int call_element(const struct nlattr *attribute, void *arg)
{
	const struct element_call *call = arg;
	struct attribute_table element = nested(attribute);
	struct attribute_table key = nested(element.at[NFTA_SET_ELEM_KEY]);
	struct attribute_table expression = nested(element.at[NFTA_SET_ELEM_EXPR]);
	const struct nlattr *value = key.at[NFTA_DATA_VALUE];

	if (value)
		call->each(call->arg, mnl_attr_get_payload(value), mnl_attr_get_payload_len(value),
			   packets_of(expression.at[NFTA_EXPR_DATA]));
	return MNL_CB_OK;
}

static int on_elements(const struct nlmsghdr *header, void *arg)
{
	struct attribute_table list = {{NULL}};

	mnl_attr_parse(header, sizeof(struct nfgenmsg), keep_attribute, &list);
	if (list.at[NFTA_SET_ELEM_LIST_ELEMENTS])
		mnl_attr_parse_nested(list.at[NFTA_SET_ELEM_LIST_ELEMENTS], call_element, arg);
	return MNL_CB_OK;
}

void lab_nft_elements(struct mnl_socket *nl, const char *set,
		      void (*each)(void *, const unsigned char *, unsigned, uint64_t), void *arg)
{
	_Alignas(8) char request[256];
	struct nlmsghdr *header = message(request, nft_type(NFT_MSG_GETSETELEM), NLM_F_DUMP, NFPROTO_INET, 0);
	struct element_call call = {each, arg};

	mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_TABLE, "lab");
	mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_SET, set);
	dump(nl, header, on_elements, &call);
}
