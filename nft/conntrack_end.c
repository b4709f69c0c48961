// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/conntrack_end.h"

#include <errno.h>
#include <string.h>

#include "nft/conntrack.h"
#include "nft/conntrack_parse.h"
#include "nft/conntrack_priv.h"
#include "nft/nl.h"
#include "nft/socket.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#define CONNTRACK_BATCH_MAX 65536 // bytes of deletions that are sent at a time
#define CONNTRACK_ANSWERS_MAX 512 // deletions at a time whose answers are waited for

// ---- the look ------------------------------------------------------------------------------------------

struct conntrack_cleaning {
	struct conntrack *ct;
	conntrack_end_cb cb;
	void *arg;
	struct buf now; // requests
	struct ct_later *later;
};

static void conntrack_put_copy(struct nlmsghdr *nlh, const struct nlattr *attr)
{
	if (attr)
		mnl_attr_put(nlh, attr->nla_type, mnl_attr_get_payload_len(attr), mnl_attr_get_payload(attr));
}

// An entry is named by its tuple, and by its id, so that no later one of the same tuple is meant.
static void conntrack_add_deletion(struct conntrack *ct, struct buf *requests, const struct ct_entry *entry)
{
	char buf[CONNTRACK_REQUEST_MAX];
	struct nlmsghdr *nlh =
		conntrack_request(ct, buf, IPCTNL_MSG_CT_DELETE, 0, entry->flow.orig.src.family);
	conntrack_put_copy(nlh, entry->orig);
	conntrack_put_copy(nlh, entry->zone);
	conntrack_put_copy(nlh, entry->id);
	buf_add(requests, nlh, nlh->nlmsg_len);
}

static int conntrack_clean_entry(const struct nlmsghdr *nlh, void *arg)
{
	struct conntrack_cleaning *cleaning = arg;
	struct ct_entry entry;
	if (!ct_entry_parse(&entry, nlh))
		return MNL_CB_OK;
	switch (cleaning->cb(cleaning->arg, &entry.flow)) {
	case CT_STAYS:
		break;
	case CT_ENDS:
		conntrack_add_deletion(cleaning->ct, &cleaning->now, &entry);
		break;
	case CT_ENDS_LATER:
		vec_push(&cleaning->later->at, cleaning->later->requests.n);
		conntrack_add_deletion(cleaning->ct, &cleaning->later->requests, &entry);
		break;
	}
	return MNL_CB_OK;
}

// Many messages in one go. One whose entry has gone meanwhile is answered with an error that nobody
// reads: the next request drains it.
static int conntrack_send_deletions(struct conntrack *ct, const struct buf *deletions, struct err *err)
{
	for (size_t at = 0; at < deletions->n;) {
		size_t size = 0;
		while (at + size < deletions->n && size < CONNTRACK_BATCH_MAX) {
			const struct nlmsghdr *nlh = (const void *)(deletions->text + at + size);
			size += MNL_ALIGN(nlh->nlmsg_len);
		}
		int code = socket_send(ct->sock, deletions->text + at, size, err);
		if (code < 0)
			return code;
		at += size;
	}
	return 0;
}

// What is listed need not be told apart here: 100,000 flows of others cost us nothing. Not for IPv6: the
// kernel's comparison is the wrong way round there (6.18 and before), and leaves out just those asked for.
static void conntrack_put_answers_from(struct nlmsghdr *nlh, const struct addr *from)
{
	if (from->family != AF_INET)
		return;
	struct nlattr *tuple = mnl_attr_nest_start(nlh, CTA_TUPLE_REPLY);
	struct nlattr *ip = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	mnl_attr_put(nlh, CTA_IP_V4_SRC, addr_size(from), from->b);
	mnl_attr_nest_end(nlh, ip);
	mnl_attr_nest_end(nlh, tuple);
	struct nlattr *filter = mnl_attr_nest_start(nlh, CTA_FILTER);
	mnl_attr_put_u32(nlh, CTA_FILTER_REPLY_FLAGS, CONNTRACK_FILTER_SOURCE);
	mnl_attr_nest_end(nlh, filter);
}

int conntrack_end(struct conntrack *ct, const struct ct_which *which, conntrack_end_cb cb,
		  struct ct_later *later, void *arg, struct err *err)
{
	char buf[CONNTRACK_REQUEST_MAX];
	struct conntrack_cleaning cleaning = {.ct = ct, .cb = cb, .arg = arg, .later = later};
	struct nlmsghdr *nlh = conntrack_request(ct, buf, IPCTNL_MSG_CT_GET, NLM_F_DUMP, which->family);
	if (which->status) {
		mnl_attr_put_u32(nlh, CTA_STATUS, htonl(which->status));
		mnl_attr_put_u32(nlh, CTA_STATUS_MASK, htonl(which->status));
	}
	conntrack_put_answers_from(nlh, &which->answers_from);
	int code = socket_ask(ct->sock, nlh, conntrack_clean_entry, &cleaning, "conntrack", err);
	if (!code)
		code = conntrack_send_deletions(ct, &cleaning.now, err);
	buf_free(&cleaning.now);
	return code;
}

// ---- later ---------------------------------------------------------------------------------------------

// Those that were sent with numbers from `first` on, and what became of them.
struct conntrack_asked {
	uint32_t first;
	size_t which[CONNTRACK_ANSWERS_MAX], n, answered;
};

static struct nlmsghdr *conntrack_later_request(struct ct_later *later, size_t i)
{
	return (void *)(later->requests.text + later->at.v[i]);
}

static int conntrack_read_ended(struct conntrack *ct, struct conntrack_asked *asked,
				void (*ended)(void *arg, size_t i), void *arg, struct err *err)
{
	char buf[SOCKET_BUFFER];
	while (asked->answered < asked->n) {
		ssize_t n = mnl_socket_recvfrom(ct->sock, buf, sizeof(buf));
		if (n < 0 && errno != EINTR)
			return err_errno(err, errno, "reading what ended");
		int left = n < 0 ? 0 : (int)n;
		for (const struct nlmsghdr *nlh = (const void *)buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			uint32_t at = nlh->nlmsg_seq - asked->first;
			const struct nlmsgerr *answer = mnl_nlmsg_get_payload(nlh);
			if (nlh->nlmsg_type != NLMSG_ERROR || at >= asked->n)
				continue; // of an earlier request
			asked->answered++;
			if (!answer->error)
				ended(arg, asked->which[at]);
		}
	}
	return 0;
}

int conntrack_end_later(struct conntrack *ct, struct ct_later *later, bool (*ends)(void *arg, size_t i),
			void (*ended)(void *arg, size_t i), void *arg, struct err *err)
{
	int code = 0;
	for (size_t i = 0; !code && i < later->at.n;) {
		struct buf batch = {0};
		struct conntrack_asked asked = {.first = ct->seq + 1};
		for (; i < later->at.n && asked.n < CONNTRACK_ANSWERS_MAX; i++) {
			struct nlmsghdr *nlh = conntrack_later_request(later, i);
			if (!ends(arg, i))
				continue;
			nlh->nlmsg_flags |= NLM_F_ACK;
			nlh->nlmsg_seq = ++ct->seq;
			asked.which[asked.n++] = i;
			buf_add(&batch, nlh, nlh->nlmsg_len);
		}
		if (asked.n)
			code = socket_send(ct->sock, batch.text, batch.n, err);
		if (!code)
			code = conntrack_read_ended(ct, &asked, ended, arg, err);
		buf_free(&batch);
	}
	return code;
}

void ct_later_free(struct ct_later *later)
{
	buf_free(&later->requests);
	vec_free(&later->at);
}

// ---- flows from before the first load ------------------------------------------------------------------

struct conntrack_before {
	const struct prefix *lans;
	size_t n_lans;
	const struct addr *local;
	size_t n_local;
	size_t n; // that were found
};

static bool conntrack_is_local(const struct conntrack_before *before, const struct addr *addr)
{
	for (size_t i = 0; i < before->n_local; i++)
		if (addr_equal(&before->local[i], addr))
			return true;
	return false;
}

static bool conntrack_is_lan(const struct conntrack_before *before, const struct addr *addr)
{
	for (size_t i = 0; i < before->n_lans; i++)
		if (prefix_contains(&before->lans[i], addr))
			return true;
	return !before->n_lans;
}

// Forwarded from the LAN, and its answers go to the address that it was sent from.
static enum ct_end conntrack_is_unnatted(void *arg, const struct ct_flow *flow)
{
	struct conntrack_before *before = arg;
	bool unnatted = !(flow->status & IPS_SRC_NAT) && addr_equal(&flow->reply.dst, &flow->orig.src) &&
			!conntrack_is_local(before, &flow->orig.src) &&
			!conntrack_is_local(before, &flow->reply.src) &&
			conntrack_is_lan(before, &flow->orig.src);
	before->n += unnatted;
	return unnatted ? CT_ENDS : CT_STAYS;
}

int conntrack_delete_unnatted(struct conntrack *ct, const struct prefix *lans, size_t n_lans,
			      const struct addr *local, size_t n_local, size_t *deleted, struct err *err)
{
	struct conntrack_before before = {.lans = lans, .n_lans = n_lans, .local = local, .n_local = n_local};
	int code = conntrack_end(ct, &(struct ct_which){.family = AF_UNSPEC}, conntrack_is_unnatted, NULL,
				 &before, err);
	if (deleted)
		*deleted = before.n;
	return code;
}
