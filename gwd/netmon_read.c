// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/netmon_read.h"

#include <assert.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdlib.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/core/facts.h"

#define READ_BUFFER 32768 // the kernel fills no more than this per message of a dump
#define READ_ATTEMPTS 3   // of a table that keeps changing under the dump; then it is taken as it came

struct netmon_reader {
	const struct netmon_request *requests;
	size_t n_requests;
	struct mnl_socket *nl;
	uint32_t seq;
	size_t at; // the request that is being answered; n_requests: none
	bool asked, interrupted, again;
	bool rest; // of a dump that was given up may still come
	unsigned attempt;
	struct facts facts;
	_Alignas(struct nlmsghdr) char buffer[READ_BUFFER];
};

struct netmon_reader *netmon_reader_open(const struct netmon_request *requests, size_t n, struct err *err)
{
	int one = 1;
	struct netmon_reader *reader = xcalloc(1, sizeof(*reader));
	reader->requests = requests;
	reader->n_requests = reader->at = n;
	reader->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!reader->nl || mnl_socket_bind(reader->nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_setsockopt(reader->nl, NETLINK_GET_STRICT_CHK, &one, sizeof(one)) < 0) {
		err_errno(err, errno, "can't open a netlink socket");
		netmon_reader_close(reader);
		return NULL;
	}
	return reader;
}

void netmon_reader_close(struct netmon_reader *reader)
{
	if (!reader)
		return;
	if (reader->nl)
		mnl_socket_close(reader->nl);
	facts_free(&reader->facts);
	free(reader);
}

int netmon_reader_fd(const struct netmon_reader *reader)
{
	return mnl_socket_get_fd(reader->nl);
}

bool netmon_reader_busy(const struct netmon_reader *reader)
{
	return reader->at < reader->n_requests;
}

static void reader_begin(struct netmon_reader *reader)
{
	facts_free(&reader->facts);
	reader->at = 0;
	reader->asked = reader->interrupted = false;
}

void netmon_reader_start(struct netmon_reader *reader)
{
	reader->attempt = 0;
	reader->again = netmon_reader_busy(reader) && reader->asked; // a socket can carry one dump at a time
	if (!reader->again)
		reader_begin(reader);
}

static void reader_put_link(struct nlmsghdr *nlh)
{
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

static void reader_put_route(struct nlmsghdr *nlh, const struct netmon_request *request)
{
	struct rtmsg *route = mnl_nlmsg_put_extra_header(nlh, sizeof(*route));
	route->rtm_family = request->family;
	mnl_attr_put_u32(nlh, RTA_TABLE, request->table);
}

static void reader_put_rule(struct nlmsghdr *nlh, uint8_t family)
{
	struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(nlh, sizeof(*rule));
	rule->family = family;
}

static void reader_put_stats(struct nlmsghdr *nlh)
{
	struct if_stats_msg *stats = mnl_nlmsg_put_extra_header(nlh, sizeof(*stats));
	stats->filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
}

static int reader_ask(struct netmon_reader *reader, struct err *err)
{
	const struct netmon_request *request = &reader->requests[reader->at];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(reader->buffer);
	assert(request->type == RTM_GETLINK || request->type == RTM_GETADDR ||
	       request->type == RTM_GETROUTE || request->type == RTM_GETRULE ||
	       request->type == RTM_GETSTATS);
	nlh->nlmsg_type = request->type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = ++reader->seq;
	if (request->type == RTM_GETLINK)
		reader_put_link(nlh);
	else if (request->type == RTM_GETADDR)
		mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifaddrmsg));
	else if (request->type == RTM_GETROUTE)
		reader_put_route(nlh, request);
	else if (request->type == RTM_GETRULE)
		reader_put_rule(nlh, request->family);
	else
		reader_put_stats(nlh);
	if (mnl_socket_sendto(reader->nl, nlh, nlh->nlmsg_len) < 0)
		return err_errno(err, errno, "can't ask the kernel for its tables");
	reader->asked = true;
	return 0;
}

// The end of one dump: on to the next request, or all over again.
static void reader_next(struct netmon_reader *reader)
{
	reader->asked = false;
	reader->at++;
	if (netmon_reader_busy(reader))
		return;
	if (reader->interrupted && ++reader->attempt < READ_ATTEMPTS)
		reader_begin(reader);
}

static int reader_refused(struct netmon_reader *reader, int code, struct err *err)
{
	// the routing table was never used; the family is switched off
	if (!code || code == ENOENT || code == EAFNOSUPPORT || code == EOPNOTSUPP) {
		reader_next(reader);
		return 0;
	}
	return err_errno(err, code, "the kernel does not show its tables");
}

// Carries the message on; a dump ends with an answer to a status.
static int reader_message(struct netmon_reader *reader, const struct nlmsghdr *nlh, struct err *err)
{
	if (nlh->nlmsg_seq != reader->seq)
		return 0;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		reader->interrupted = true;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		const int *code = mnl_nlmsg_get_payload(nlh);
		bool coded = mnl_nlmsg_get_payload_len(nlh) >= sizeof(*code);
		return reader_refused(reader, coded ? -*code : 0, err);
	}
	// every family's header begins with the family; without IPv6 the kernel answers with IPv4
	const uint8_t *family = mnl_nlmsg_get_payload(nlh), wanted = reader->requests[reader->at].family;
	if (mnl_nlmsg_get_payload_len(nlh) && (wanted == AF_UNSPEC || wanted == *family))
		reader->requests[reader->at].parse(&reader->facts, nlh);
	return 0;
}

static int reader_receive(struct netmon_reader *reader, struct err *err)
{
	ssize_t size = mnl_socket_recvfrom(reader->nl, reader->buffer, sizeof(reader->buffer));
	if (size < 0)
		return err_errno(err, errno, "can't read the kernel's tables");
	int left = (int)size, rc = 0;
	const struct nlmsghdr *nlh = (const void *)reader->buffer;
	while (!rc && netmon_reader_busy(reader) && reader->asked && mnl_nlmsg_ok(nlh, left)) {
		rc = reader_message(reader, nlh, err);
		nlh = mnl_nlmsg_next(nlh, &left);
	}
	return rc;
}

// The kernel takes no new request before the last one's answer was taken from it.
bool netmon_reader_discard(struct netmon_reader *reader, unsigned parts)
{
	char byte;
	while (reader->rest && parts--)
		if (recv(netmon_reader_fd(reader), &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN)
			reader->rest = false;
	return !reader->rest;
}

int netmon_reader_step(struct netmon_reader *reader, unsigned parts, struct err *err)
{
	int rc = 0;
	if (!netmon_reader_discard(reader, parts))
		return 0;
	while (!rc && netmon_reader_busy(reader) && parts--) {
		if (!reader->asked)
			rc = reader_ask(reader, err);
		if (!rc)
			rc = reader_receive(reader, err);
	}
	if (!rc && netmon_reader_busy(reader) && !reader->asked)
		rc = reader_ask(reader, err); // so that the answer wakes the caller
	if (rc == -EAGAIN || rc == -EINTR)
		return 0;
	if (rc < 0) {
		reader->rest = true;
		reader->at = reader->n_requests;
		return rc;
	}
	return netmon_reader_busy(reader) ? 0 : 1;
}

int netmon_reader_run(struct netmon_reader *reader, struct err *err)
{
	struct pollfd fd = {.fd = netmon_reader_fd(reader), .events = POLLIN};
	netmon_reader_start(reader);
	for (;;) {
		int rc = netmon_reader_step(reader, 64, err);
		if (rc)
			return rc < 0 ? rc : 0;
		poll(&fd, 1, 1000);
	}
}

void netmon_reader_take(struct netmon_reader *reader, struct facts *out)
{
	*out = reader->facts;
	reader->facts = (struct facts){0};
	if (reader->again)
		netmon_reader_start(reader);
}
