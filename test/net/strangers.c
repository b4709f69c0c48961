// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/net/strangers.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>

#include "gwd/base/err.h"
#include "nft/conntrack.h"
#include "nft/nl.h"
#include "test/lab/lab_ns.h"
#include "test/net/net.h"

enum {
	AT_ONCE = 128,
	MESSAGE_MAX = 256,
	MARK = 0x55,
	LOUD_MARK = 0x55000000,
	TIMEOUT_S = 600,
	FIRST = 0x0b000000
};

// ---- one of them -------------------------------------------------------------------------------

static void put_tuple(struct nlmsghdr *nlh, uint16_t type, uint32_t src, uint32_t dst)
{
	struct nlattr *tuple = mnl_attr_nest_start(nlh, type);
	struct nlattr *part = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	mnl_attr_put_u32(nlh, CTA_IP_V4_SRC, htonl(src));
	mnl_attr_put_u32(nlh, CTA_IP_V4_DST, htonl(dst));
	mnl_attr_nest_end(nlh, part);
	part = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, IPPROTO_UDP);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(9));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(9));
	mnl_attr_nest_end(nlh, part);
	mnl_attr_nest_end(nlh, tuple);
}

static size_t put_stranger(char *buf, uint32_t number, uint32_t mark, bool ack)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	uint32_t other = 0x0c000001;
	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | (ack ? NLM_F_ACK : 0));
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = AF_INET;
	put_tuple(nlh, CTA_TUPLE_ORIG, FIRST + number, other);
	put_tuple(nlh, CTA_TUPLE_REPLY, other, FIRST + number);
	mnl_attr_put_u32(nlh, CTA_STATUS, htonl(IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_ASSURED));
	mnl_attr_put_u32(nlh, CTA_TIMEOUT, htonl(TIMEOUT_S));
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(mark));
	return nlh->nlmsg_len;
}

static int sysctl_of(struct net *net, const char *key)
{
	char *output = NULL;
	lab_run(lab_router(net->lab), &output, "sysctl -n net.netfilter.%s", key);
	int value = atoi(output);
	free(output);
	return value;
}

// ---- all of them -------------------------------------------------------------------------------

// The last of them is acknowledged; what is said before that are refusals.
static int read_refusals(struct mnl_socket *nl)
{
	char buf[16384];
	for (int refused = 0;;) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		int left = (int)n;
		cr_assert_gt(n, 0);
		for (struct nlmsghdr *nlh = (void *)buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			const struct nlmsgerr *said = mnl_nlmsg_get_payload(nlh);
			refused += said->error != 0;
			if (said->msg.nlmsg_flags & NLM_F_ACK)
				return refused;
		}
	}
}

static struct mnl_socket *open_inside(struct net *net)
{
	int before = lab_ns_enter(lab_router(net->lab));
	struct mnl_socket *nl = mnl_socket_open(NETLINK_NETFILTER);
	lab_ns_leave(before);
	cr_assert(nl && !mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID));
	return nl;
}

static int add(struct net *net, int count, uint32_t mark)
{
	char *buf = calloc(AT_ONCE, MESSAGE_MAX);
	struct mnl_socket *nl = open_inside(net);
	int refused = 0;
	for (int i = 0; i < count;) {
		size_t length = 0;
		for (int end = i + AT_ONCE < count ? i + AT_ONCE : count; i < end; i++)
			length += put_stranger(buf + length, (uint32_t)i, mark, i == end - 1);
		cr_assert_eq(mnl_socket_sendto(nl, buf, length), (ssize_t)length);
		refused += read_refusals(nl);
	}
	mnl_socket_close(nl);
	free(buf);
	return count - refused;
}

int strangers_add(struct net *net, int count)
{
	int events = sysctl_of(net, "nf_conntrack_events");
	lab_do(lab_router(net->lab), "sysctl -qw net.netfilter.nf_conntrack_events=0");
	int added = add(net, count, MARK);
	lab_do(lab_router(net->lab), "sysctl -qw net.netfilter.nf_conntrack_events=%d", events);
	return added;
}

int strangers_add_loudly(struct net *net, int count)
{
	return add(net, count, LOUD_MARK);
}

void strangers_leave(struct net *net)
{
	struct err err = {0};
	int before = lab_ns_enter(lab_router(net->lab));
	struct conntrack *ct = conntrack_open(&err);
	lab_ns_leave(before);
	cr_assert(ct && !conntrack_flush(ct, FAM_4, MARK, ~0u, &err) &&
			  !conntrack_flush(ct, FAM_4, LOUD_MARK, ~0u, &err),
		  "%s", err.text);
	conntrack_close(ct);
}

int strangers_count(struct net *net)
{
	return sysctl_of(net, "nf_conntrack_count");
}

int strangers_max(struct net *net)
{
	return sysctl_of(net, "nf_conntrack_max");
}
