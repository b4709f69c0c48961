// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/ct_events.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/base/mono.h"
#include "gwd/base/vec.h"
#include "gwd/core/marks.h"
#include "nft/conntrack_parse.h"
#include "nft/nl.h"
#include "nft/socket.h"

#include <linux/netfilter/nfnetlink_conntrack.h>

#define CT_EVENTS_AT_ONCE 4096 // then others have their turn,
#define CT_EVENTS_US 10000     // or after this time,
#define CT_EVENTS_LOOK 64      // which is looked at so often
#define CT_EVENTS_ATTRS (NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg)))

struct ct_events {
	struct mnl_socket *sock;
	uint32_t mask;
};

// Looks for the mark (or the status) among the attributes and drops what has none of our bits set. Loads give
// host order, as if the word were big endian, as both are here.
static int ct_events_filter(struct mnl_socket *sock, uint16_t attribute, uint32_t mask)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_IMM, CT_EVENTS_ATTRS),
		BPF_STMT(BPF_LDX | BPF_IMM, attribute),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_NLATTR)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, 0), // no such attribute
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, NLA_HDRLEN),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, mask, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};
	return setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

// `mask` 0: all are told.
static struct ct_events *ct_events_listen(const int *groups, size_t n, uint16_t attribute, uint32_t mask,
					  struct err *err)
{
	struct mnl_socket *sock = socket_open(err);
	if (!sock)
		return NULL;
	int failed = mask ? ct_events_filter(sock, attribute, mask) : 0;
	for (size_t i = 0; !failed && i < n; i++) {
		int group = groups[i];
		failed = mnl_socket_setsockopt(sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group));
	}
	if (failed) {
		err_errno(err, errno, "listening to conntrack");
		mnl_socket_close(sock);
		return NULL;
	}
	struct ct_events *events = xcalloc(1, sizeof(*events));
	events->sock = sock;
	events->mask = mask;
	return events;
}

struct ct_events *ct_events_open(uint32_t mask, struct err *err)
{
	static const int groups[] = {NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_DESTROY};
	return ct_events_listen(groups, ARRAY_SIZE(groups), CTA_MARK, mask, err);
}

struct ct_events *ct_events_open_flows(uint32_t status, struct err *err)
{
	static const int groups[] = {NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_UPDATE,
				     NFNLGRP_CONNTRACK_DESTROY};
	return ct_events_listen(groups, ARRAY_SIZE(groups), CTA_STATUS, status, err);
}

void ct_events_close(struct ct_events *events)
{
	if (!events)
		return;
	mnl_socket_close(events->sock);
	free(events);
}

int ct_events_fd(const struct ct_events *events)
{
	return mnl_socket_get_fd(events->sock);
}

static void ct_event(const struct ct_events *events, const struct nlmsghdr *nlh, ct_event_fn *cb, void *arg)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	int change = NFNL_MSG_TYPE(nlh->nlmsg_type) == IPCTNL_MSG_CT_DELETE ? -1 : 1;
	nl_each_attr(attr, nlh, sizeof(*nfg))
		if (mnl_attr_get_type(attr) == CTA_MARK) {
			cb(arg, mark_to_id(events->mask, nl_be32(attr)),
			   nfg->nfgen_family == AF_INET6 ? FAM_6 : FAM_4, change);
			return;
		}
}

typedef void ct_message_fn(const struct ct_events *events, const struct nlmsghdr *nlh, void *arg);

static bool ct_events_each(struct ct_events *events, ct_message_fn *take, void *arg)
{
	char buf[8192]; // one event in each datagram
	bool whole = true;
	int64_t end_us = mono_now_us() + CT_EVENTS_US;
	for (unsigned i = 1; i <= CT_EVENTS_AT_ONCE; i++) {
		if (i % CT_EVENTS_LOOK == 0 && mono_now_us() >= end_us)
			break;
		ssize_t n = recv(ct_events_fd(events), buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0 && errno != ENOBUFS)
			break;
		whole &= n >= 0;
		int left = n < 0 ? 0 : (int)n;
		for (const struct nlmsghdr *nlh = (const void *)buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			if (NFNL_SUBSYS_ID(nlh->nlmsg_type) == NFNL_SUBSYS_CTNETLINK)
				take(events, nlh, arg);
	}
	return whole;
}

struct ct_told {
	ct_event_fn *cb;
	ct_flow_event_fn *flow_cb;
	void *arg;
};

static void ct_take_mark(const struct ct_events *events, const struct nlmsghdr *nlh, void *arg)
{
	const struct ct_told *told = arg;
	ct_event(events, nlh, told->cb, told->arg);
}

static void ct_take_flow(const struct ct_events *events, const struct nlmsghdr *nlh, void *arg)
{
	const struct ct_told *told = arg;
	struct ct_entry entry;
	(void)events;
	if (ct_entry_parse(&entry, nlh))
		told->flow_cb(told->arg, &entry.flow, NFNL_MSG_TYPE(nlh->nlmsg_type) == IPCTNL_MSG_CT_DELETE);
}

bool ct_events_read(struct ct_events *events, ct_event_fn *cb, void *arg)
{
	return ct_events_each(events, ct_take_mark, &(struct ct_told){.cb = cb, .arg = arg});
}

bool ct_events_read_flows(struct ct_events *events, ct_flow_event_fn *cb, void *arg)
{
	return ct_events_each(events, ct_take_flow, &(struct ct_told){.flow_cb = cb, .arg = arg});
}
