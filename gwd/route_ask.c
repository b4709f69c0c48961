// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/route_ask.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "gwd/base/err.h"

#define ROUTE_BUFFER 8192

static uint32_t route_first_hop(const struct nlattr *multipath)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(multipath);
	return mnl_attr_get_payload_len(multipath) >= sizeof(*hop) ? (uint32_t)hop->rtnh_ifindex : 0;
}

static int route_parse_attr(const struct nlattr *attr, void *arg)
{
	struct route_answer *answer = arg;
	if (mnl_attr_get_type(attr) == RTA_OIF && mnl_attr_get_payload_len(attr) >= sizeof(uint32_t))
		answer->oif = mnl_attr_get_u32(attr);
	if (mnl_attr_get_type(attr) == RTA_MULTIPATH && !answer->oif)
		answer->oif = route_first_hop(attr);
	return MNL_CB_OK;
}

static int route_parse(const struct nlmsghdr *nlh, void *arg)
{
	struct route_answer *answer = arg;
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	if (nlh->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm))
		return MNL_CB_OK;
	*answer = (struct route_answer){.type = rtm->rtm_type, .len = rtm->rtm_dst_len};
	return mnl_attr_parse(nlh, sizeof(*rtm), route_parse_attr, answer);
}

static struct nlmsghdr *route_request(char *buf, const struct addr *to, uint32_t mark)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = 1;
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = to->family;
	rtm->rtm_dst_len = (uint8_t)(8 * addr_size(to));
	rtm->rtm_flags = RTM_F_FIB_MATCH; // the route itself, not what becomes of a packet
	mnl_attr_put(nlh, RTA_DST, addr_size(to), to->b);
	if (mark)
		mnl_attr_put_u32(nlh, RTA_MARK, mark);
	return nlh;
}

// A route that says no: prohibit, unreachable, blackhole.
static bool route_refuses(int code)
{
	return code == EACCES || code == EHOSTUNREACH || code == EINVAL;
}

// One that is not there is an answer, too.
static bool route_is_none(int code)
{
	return code == ENETUNREACH || code == ESRCH;
}

int route_ask(struct route_answer *answer, const struct addr *to, uint32_t mark, struct err *err)
{
	char buf[ROUTE_BUFFER];
	int rc = 0, more = MNL_CB_OK;
	*answer = (struct route_answer){.type = RTN_UNSPEC};
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		rc = err_errno(err, errno, "can't open a netlink socket");
		goto out;
	}
	struct nlmsghdr *nlh = route_request(buf, to, mark);
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0) {
		rc = err_errno(err, errno, "can't ask for a route");
		goto out;
	}
	while (more > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		more = n < 0 ? MNL_CB_ERROR
			     : mnl_cb_run(buf, (size_t)n, 1, mnl_socket_get_portid(nl), route_parse, answer);
	}
	answer->refuses = more < 0 && route_refuses(errno);
	if (more < 0 && !answer->refuses && !route_is_none(errno))
		rc = err_errno(err, errno, "can't ask for a route");
out:
	if (nl)
		mnl_socket_close(nl);
	return rc;
}
