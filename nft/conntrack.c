// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/conntrack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "nft/conntrack_parse.h"
#include "nft/conntrack_priv.h"
#include "nft/nl.h"
#include "nft/socket.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

struct conntrack *conntrack_open(struct err *err)
{
	struct mnl_socket *sock = socket_open(err);
	if (!sock)
		return NULL;
	struct conntrack *ct = xcalloc(1, sizeof(*ct));
	ct->sock = sock;
	return ct;
}

void conntrack_close(struct conntrack *ct)
{
	if (!ct)
		return;
	mnl_socket_close(ct->sock);
	free(ct);
}

// ---- requests ------------------------------------------------------------------------------------

// The version says to the kernel that the family is meant: without it, it flushes all of them.
struct nlmsghdr *conntrack_request(struct conntrack *ct, void *buf, uint16_t type, uint16_t flags, int family)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++ct->seq;
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	*nfg = (struct nfgenmsg){.nfgen_family = (uint8_t)family, .version = 1};
	return nlh;
}

static void conntrack_put_mark(struct nlmsghdr *nlh, uint32_t mark, uint32_t mask)
{
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(mark));
	mnl_attr_put_u32(nlh, CTA_MARK_MASK, htonl(mask));
}

int conntrack_flush(struct conntrack *ct, enum fam fam, uint32_t mark, uint32_t mask, struct err *err)
{
	char buf[CONNTRACK_REQUEST_MAX];
	struct nlmsghdr *nlh = conntrack_request(ct, buf, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, fam_af(fam));
	conntrack_put_mark(nlh, mark, mask);
	int code = socket_ask(ct->sock, nlh, NULL, NULL, "the answer to a flush of conntrack", err);
	return code == -ENOENT ? 0 : code; // there was none
}

// ---- dumps -----------------------------------------------------------------------------------------

struct conntrack_counting {
	uint32_t mask;
	uint64_t *counts;
	size_t n_counts;
};

static int conntrack_count_entry(const struct nlmsghdr *nlh, void *arg)
{
	const struct conntrack_counting *counting = arg;
	nl_each_attr(attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) != CTA_MARK)
			continue;
		uint32_t id = (nl_be32(attr) & counting->mask) / (counting->mask & -counting->mask);
		if (id < counting->n_counts)
			counting->counts[id]++;
		break;
	}
	return MNL_CB_OK;
}

int conntrack_count(struct conntrack *ct, uint32_t mask, uint64_t *counts, size_t n_counts, struct err *err)
{
	char buf[CONNTRACK_REQUEST_MAX];
	struct conntrack_counting counting = {.mask = mask, .counts = counts, .n_counts = n_counts};
	memset(counts, 0, n_counts * sizeof(*counts));
	struct nlmsghdr *nlh = conntrack_request(ct, buf, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);
	return socket_ask(ct->sock, nlh, conntrack_count_entry, &counting, "conntrack", err);
}

// 100,000 others of a dead link are not told.
static void conntrack_put_protocol(struct nlmsghdr *nlh, uint8_t protocol)
{
	struct nlattr *tuple = mnl_attr_nest_start(nlh, CTA_TUPLE_ORIG);
	struct nlattr *part = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, protocol);
	mnl_attr_nest_end(nlh, part);
	mnl_attr_nest_end(nlh, tuple);
	struct nlattr *filter = mnl_attr_nest_start(nlh, CTA_FILTER);
	mnl_attr_put_u32(nlh, CTA_FILTER_ORIG_FLAGS, CONNTRACK_FILTER_PROTOCOL);
	mnl_attr_nest_end(nlh, filter);
}

struct conntrack_listing {
	conntrack_cb cb;
	void *arg;
};

static int conntrack_tcp_entry(const struct nlmsghdr *nlh, void *arg)
{
	const struct conntrack_listing *listing = arg;
	struct ct_entry entry;
	if (ct_entry_parse(&entry, nlh) && conntrack_is_open(&entry.flow))
		listing->cb(listing->arg, &entry.flow);
	return MNL_CB_OK;
}

int conntrack_dump_tcp(struct conntrack *ct, enum fam fam, uint32_t mark, uint32_t mask, conntrack_cb cb,
		       void *arg, struct err *err)
{
	char buf[CONNTRACK_REQUEST_MAX];
	struct conntrack_listing listing = {.cb = cb, .arg = arg};
	struct nlmsghdr *nlh = conntrack_request(ct, buf, IPCTNL_MSG_CT_GET, NLM_F_DUMP, fam_af(fam));
	conntrack_put_mark(nlh, mark, mask);
	conntrack_put_protocol(nlh, IPPROTO_TCP);
	return socket_ask(ct->sock, nlh, conntrack_tcp_entry, &listing, "conntrack", err);
}

struct conntrack_waiting {
	conntrack_unreplied_cb cb;
	void *arg;
};

// A kernel before 5.18 does not filter by status.
static int conntrack_unreplied_entry(const struct nlmsghdr *nlh, void *arg)
{
	const struct conntrack_waiting *waiting = arg;
	struct ct_entry entry;
	if (ct_entry_parse(&entry, nlh) && entry.id && !(entry.flow.status & IPS_SEEN_REPLY))
		waiting->cb(waiting->arg, &entry.flow, nl_be32(entry.id));
	return MNL_CB_OK;
}

int conntrack_dump_unreplied(struct conntrack *ct, conntrack_unreplied_cb cb, void *arg, struct err *err)
{
	char buf[CONNTRACK_REQUEST_MAX];
	struct conntrack_waiting waiting = {.cb = cb, .arg = arg};
	struct nlmsghdr *nlh = conntrack_request(ct, buf, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);
	mnl_attr_put_u32(nlh, CTA_STATUS, 0);
	mnl_attr_put_u32(nlh, CTA_STATUS_MASK, htonl(IPS_SEEN_REPLY));
	return socket_ask(ct->sock, nlh, conntrack_unreplied_entry, &waiting, "conntrack", err);
}

struct conntrack_dumping {
	uint32_t status;
	conntrack_cb cb;
	void *arg;
};

static int conntrack_dump_entry(const struct nlmsghdr *nlh, void *arg)
{
	const struct conntrack_dumping *dumping = arg;
	struct ct_entry entry;
	if (ct_entry_parse(&entry, nlh) && (entry.flow.status & dumping->status) == dumping->status)
		dumping->cb(dumping->arg, &entry.flow);
	return MNL_CB_OK;
}

int conntrack_dump(struct conntrack *ct, uint32_t status, conntrack_cb cb, void *arg, struct err *err)
{
	char buf[CONNTRACK_REQUEST_MAX];
	struct conntrack_dumping dumping = {status, cb, arg};
	struct nlmsghdr *nlh = conntrack_request(ct, buf, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);
	if (status) {
		mnl_attr_put_u32(nlh, CTA_STATUS, htonl(status));
		mnl_attr_put_u32(nlh, CTA_STATUS_MASK, htonl(status));
	}
	return socket_ask(ct->sock, nlh, conntrack_dump_entry, &dumping, "conntrack", err);
}

int conntrack_list_start(struct conntrack *ct, struct err *err)
{
	char buf[CONNTRACK_REQUEST_MAX];
	struct nlmsghdr *nlh = conntrack_request(ct, buf, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);
	return socket_send(ct->sock, nlh, nlh->nlmsg_len, err);
}

int conntrack_list_next(struct conntrack *ct, conntrack_cb cb, void *arg, struct err *err)
{
	char buf[SOCKET_BUFFER];
	struct conntrack_dumping dumping = {0, cb, arg};
	ssize_t n = mnl_socket_recvfrom(ct->sock, buf, sizeof(buf));
	int more = n < 0 ? MNL_CB_ERROR
			 : mnl_cb_run(buf, (size_t)n, ct->seq, mnl_socket_get_portid(ct->sock),
				      conntrack_dump_entry, &dumping);
	if (more < MNL_CB_STOP)
		return err_errno(err, errno, "reading conntrack");
	return more > MNL_CB_STOP;
}

struct conntrack_drops {
	uint64_t insert_failed, dropped;
};

static int conntrack_drops_of_cpu(const struct nlmsghdr *nlh, void *arg)
{
	struct conntrack_drops *drops = arg;
	nl_each_attr(attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == CTA_STATS_INSERT_FAILED)
			drops->insert_failed += nl_be32(attr);
		if (mnl_attr_get_type(attr) == CTA_STATS_DROP)
			drops->dropped += nl_be32(attr);
	}
	return MNL_CB_OK;
}

int conntrack_read_drops(struct conntrack *ct, uint64_t *insert_failed, uint64_t *dropped, struct err *err)
{
	char buf[CONNTRACK_REQUEST_MAX];
	struct conntrack_drops drops = {0};
	struct nlmsghdr *nlh = conntrack_request(ct, buf, IPCTNL_MSG_CT_GET_STATS_CPU, NLM_F_DUMP, AF_UNSPEC);
	int code = socket_ask(ct->sock, nlh, conntrack_drops_of_cpu, &drops, "conntrack's counters", err);
	*insert_failed = drops.insert_failed;
	*dropped = drops.dropped;
	return code;
}

bool conntrack_is_translated(const struct ct_flow *flow)
{
	return flow->status & IPS_SRC_NAT;
}

bool conntrack_is_over(const struct ct_flow *flow)
{
	return flow->orig.protocol == IPPROTO_TCP &&
	       (flow->tcp_state == TCP_CONNTRACK_TIME_WAIT || flow->tcp_state == TCP_CONNTRACK_CLOSE);
}

bool conntrack_is_open(const struct ct_flow *flow)
{
	return flow->orig.protocol == IPPROTO_TCP && flow->tcp_state > TCP_CONNTRACK_SYN_SENT &&
	       !conntrack_is_over(flow);
}

// ---- one flow ----------------------------------------------------------------------------------------

static void conntrack_put_tuple(struct nlmsghdr *nlh, const struct ct_tuple *tuple)
{
	bool v4 = tuple->src.family == AF_INET;
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_ORIG);
	struct nlattr *part = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	mnl_attr_put(nlh, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, addr_size(&tuple->src), tuple->src.b);
	mnl_attr_put(nlh, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, addr_size(&tuple->dst), tuple->dst.b);
	mnl_attr_nest_end(nlh, part);
	part = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, tuple->protocol);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(tuple->sport));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(tuple->dport));
	mnl_attr_nest_end(nlh, part);
	mnl_attr_nest_end(nlh, nest);
}

static int conntrack_got_entry(const struct nlmsghdr *nlh, void *arg)
{
	struct ct_entry *entry = arg;
	ct_entry_parse(entry, nlh);
	return MNL_CB_OK;
}

int conntrack_get(struct conntrack *ct, const struct ct_tuple *tuple, struct ct_flow *flow, struct err *err)
{
	char buf[CONNTRACK_REQUEST_MAX];
	struct ct_entry entry = {0};
	struct nlmsghdr *nlh = conntrack_request(ct, buf, IPCTNL_MSG_CT_GET, NLM_F_ACK, tuple->src.family);
	conntrack_put_tuple(nlh, tuple);
	int code = socket_ask(ct->sock, nlh, conntrack_got_entry, &entry, "conntrack", err);
	*flow = entry.flow;
	return code;
}
