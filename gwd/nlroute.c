// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/nlroute.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"

static int nlroute_refused(struct sockaddr_nl *from, struct nlmsgerr *refusal, void *arg)
{
	struct nlroute *link = arg;
	struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)refusal - NLMSG_HDRLEN);
	struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1];
	int header = sizeof(*refusal);
	(void)from;
	link->code = -refusal->error;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NL_STOP;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		header += (int)(refusal->msg.nlmsg_len - NLMSG_HDRLEN);
	if (!nlmsg_parse(nlh, header, attrs, NLMSGERR_ATTR_MAX, NULL) && attrs[NLMSGERR_ATTR_MSG])
		nla_strlcpy(link->reason, attrs[NLMSGERR_ATTR_MSG], sizeof(link->reason));
	return NL_STOP;
}

static int nlroute_connect(struct nlroute *link)
{
	static const int options[] = {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK};
	int one = 1;
	if (nl_connect(link->nl, NETLINK_ROUTE) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (setsockopt(nl_socket_get_fd(link->nl), SOL_NETLINK, options[i], &one, sizeof(one)) < 0)
			return -1;
	return nl_socket_modify_err_cb(link->nl, NL_CB_CUSTOM, nlroute_refused, link);
}

int nlroute_open(struct nlroute *link, struct err *err)
{
	link->nl = nl_socket_alloc();
	if (!link->nl)
		abort(); // out of memory
	return nlroute_connect(link) < 0 ? err_errno(err, errno, "can't open a netlink socket") : 0;
}

void nlroute_close(struct nlroute *link)
{
	if (link->nl)
		nl_socket_free(link->nl);
	link->nl = NULL;
}

void nlroute_forget(struct nlroute *link)
{
	link->code = 0;
	link->reason[0] = 0;
}

int nlroute_result(const struct nlroute *link, int rc)
{
	if (rc >= 0)
		return 0;
	return link->code ? -link->code : -EIO;
}

int nlroute_send(struct nlroute *link, struct nl_msg *msg)
{
	nlroute_forget(link);
	int rc = nl_send_auto(link->nl, msg);
	nlmsg_free(msg);
	return nlroute_result(link, rc < 0 ? rc : nl_wait_for_ack(link->nl));
}

int nlroute_explain(const struct nlroute *link, int rc, const char *what, const struct buf *text,
		    struct err *err)
{
	const char *name = strerrorname_np(-rc);
	return err_set(err, -rc, "%s %s: %s (%s)", what, buf_text(text),
		       link->reason[0] ? link->reason : strerror(-rc), name ? name : "?");
}
