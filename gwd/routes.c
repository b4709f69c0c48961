// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/routes.h"

#include <assert.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/core/diff.h"
#include "gwd/core/plan.h"
#include "gwd/core/plan_text.h"
#include "gwd/routes_msg.h"
#include "gwd/routes_read.h"

struct routes {
	struct nl_sock *nl;
	int code;         // the kernel's errno of the last request that it refused
	char reason[256]; // its own words for it, or empty
	bool no_ipv6;     // the kernel is without: then nothing of it is needed either
};

// ---- the socket --------------------------------------------------------------------------------

// libnl turns most refusals into "Unspecific failure": take them from the message itself.
static int routes_refused(struct sockaddr_nl *from, struct nlmsgerr *refusal, void *arg)
{
	struct routes *routes = arg;
	struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)refusal - NLMSG_HDRLEN);
	struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1];
	int header = sizeof(*refusal);
	(void)from;
	routes->code = -refusal->error;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NL_STOP;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		header += (int)(refusal->msg.nlmsg_len - NLMSG_HDRLEN);
	if (!nlmsg_parse(nlh, header, attrs, NLMSGERR_ATTR_MAX, NULL) && attrs[NLMSGERR_ATTR_MSG])
		nla_strlcpy(routes->reason, attrs[NLMSGERR_ATTR_MSG], sizeof(routes->reason));
	return NL_STOP;
}

static int routes_connect(struct routes *routes)
{
	static const int options[] = {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK};
	int one = 1;
	if (nl_connect(routes->nl, NETLINK_ROUTE) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (setsockopt(nl_socket_get_fd(routes->nl), SOL_NETLINK, options[i], &one, sizeof(one)) < 0)
			return -1;
	return nl_socket_modify_err_cb(routes->nl, NL_CB_CUSTOM, routes_refused, routes);
}

static bool routes_is_without_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EAFNOSUPPORT;
}

struct routes *routes_open(struct err *err)
{
	struct routes *routes = xcalloc(1, sizeof(*routes));
	routes->nl = nl_socket_alloc();
	if (!routes->nl)
		abort(); // out of memory
	routes->no_ipv6 = routes_is_without_ipv6();
	if (routes_connect(routes) < 0) {
		err_errno(err, errno, "can't open a netlink socket");
		routes_close(routes);
		return NULL;
	}
	return routes;
}

void routes_close(struct routes *routes)
{
	if (!routes)
		return;
	nl_socket_free(routes->nl);
	free(routes);
}

uint32_t routes_port(const struct routes *routes)
{
	return nl_socket_get_local_port(routes->nl);
}

// 0 or -errno of what libnl's call came to.
static int routes_result(struct routes *routes, int rc)
{
	if (rc >= 0)
		return 0;
	return routes->code ? -routes->code : -EIO;
}

static void routes_forget(struct routes *routes)
{
	routes->code = 0;
	routes->reason[0] = 0;
}

static int routes_send(struct routes *routes, struct nl_msg *msg)
{
	routes_forget(routes);
	int rc = nl_send_auto(routes->nl, msg);
	nlmsg_free(msg);
	return routes_result(routes, rc < 0 ? rc : nl_wait_for_ack(routes->nl));
}

static int routes_explain(const struct routes *routes, int rc, const char *what, const struct buf *text,
			  struct err *err)
{
	const char *name = strerrorname_np(-rc);
	return err_set(err, -rc, "%s %s: %s (%s)", what, buf_text(text),
		       routes->reason[0] ? routes->reason : strerror(-rc), name ? name : "?");
}

// ---- reading -------------------------------------------------------------------------------------

struct routes_found {
	VEC(struct plan_route) routes;
	VEC(struct plan_iprule) iprules;
	const struct plan_route *slot; // given: only routes in its place, of everybody
	uint8_t foreign;               // protocol of one in that place that is not ours; 0: none
};

static int routes_found_message(struct nl_msg *msg, void *arg)
{
	struct routes_found *found = arg;
	const struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct plan_route route;
	struct plan_iprule rule;
	uint8_t protocol;
	if (routes_read_route(nlh, &route, &protocol)) {
		if (found->slot && !plan_route_compare(found->slot, &route) && protocol != PLAN_PROTOCOL)
			found->foreign = protocol;
		if (!found->slot && protocol == PLAN_PROTOCOL)
			vec_push(&found->routes, route);
	} else if (routes_read_iprule(nlh, &rule, &protocol) && protocol == PLAN_PROTOCOL) {
		vec_push(&found->iprules, rule);
	}
	return NL_OK;
}

static int routes_dump(struct routes *routes, struct nl_msg *msg, struct routes_found *found, struct err *err)
{
	routes_forget(routes);
	nl_socket_modify_cb(routes->nl, NL_CB_VALID, NL_CB_CUSTOM, routes_found_message, found);
	int rc = nl_send_auto(routes->nl, msg);
	nlmsg_free(msg);
	rc = routes_result(routes, rc < 0 ? rc : nl_recvmsgs_default(routes->nl));
	nl_socket_modify_cb(routes->nl, NL_CB_VALID, NL_CB_DEFAULT, NULL, NULL);
	if (rc == -ENOENT)
		return 0; // there is no such table
	return rc ? err_errno(err, -rc, "can't read the kernel's routes and ip rules") : 0;
}

static struct nl_msg *routes_message(int type, int flags, const void *header, size_t size)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);
	if (!msg || nlmsg_append(msg, (void *)(uintptr_t)header, size, NLMSG_ALIGNTO) < 0)
		abort(); // out of memory
	return msg;
}

static int routes_dump_routes(struct routes *routes, enum fam fam, const struct plan_route *slot,
			      struct routes_found *found, struct err *err)
{
	struct rtmsg rtm = {.rtm_family = (uint8_t)fam_af(fam), .rtm_protocol = slot ? 0 : PLAN_PROTOCOL};
	struct nl_msg *msg = routes_message(RTM_GETROUTE, NLM_F_DUMP, &rtm, sizeof(rtm));
	found->slot = slot;
	if (slot && nla_put_u32(msg, RTA_TABLE, slot->table) < 0)
		abort(); // out of memory
	return routes_dump(routes, msg, found, err);
}

static int routes_dump_iprules(struct routes *routes, enum fam fam, struct routes_found *found,
			       struct err *err)
{
	struct fib_rule_hdr header = {.family = (uint8_t)fam_af(fam)};
	return routes_dump(routes, routes_message(RTM_GETRULE, NLM_F_DUMP, &header, sizeof(header)), found,
			   err);
}

static void routes_found_free(struct routes_found *found)
{
	vec_free(&found->routes);
	vec_free(&found->iprules);
}

static int routes_order(const void *a, const void *b)
{
	return plan_route_compare(a, b);
}

static int routes_order_iprules(const void *a, const void *b)
{
	return plan_iprule_compare(a, b);
}

static void routes_take(struct routes_found *found, struct plan *applied)
{
	applied->routes.n = applied->iprules.n = 0;
	vec_each(&found->routes, route) {
		if_indextoname(route->oif, route->ifname); // stays empty if it is gone by now
		vec_push(&applied->routes, *route);
	}
	vec_each(&found->iprules, rule)
		vec_push(&applied->iprules, *rule);
	if (applied->routes.n)
		qsort(applied->routes.v, applied->routes.n, sizeof(*applied->routes.v), routes_order);
	if (applied->iprules.n)
		qsort(applied->iprules.v, applied->iprules.n, sizeof(*applied->iprules.v),
		      routes_order_iprules);
}

int routes_read(struct routes *routes, struct plan *applied, struct err *err)
{
	struct routes_found found = {0};
	int rc = 0;
	for (enum fam fam = FAM_4; fam < (routes->no_ipv6 ? FAM_6 : FAM_COUNT) && !rc; fam++) {
		rc = routes_dump_routes(routes, fam, NULL, &found, err);
		if (!rc)
			rc = routes_dump_iprules(routes, fam, &found, err);
	}
	if (!rc)
		routes_take(&found, applied);
	routes_found_free(&found);
	return rc;
}

// ---- routes ----------------------------------------------------------------------------------------

static int routes_change(struct routes *routes, const struct plan_route *route, bool add, int flags)
{
	return routes_send(routes, routes_msg_route(route, add, flags));
}

// Replaces what is in the route's place, unless that is somebody else's: a replacement would not
// ask whose it was.
static int routes_replace(struct routes *routes, const struct plan_route *route, const struct buf *text,
			  struct err *err)
{
	struct routes_found found = {0};
	int rc = routes_dump_routes(routes, route->fam, route, &found, err);
	if (rc)
		return rc;
	if (found.foreign)
		return err_set(err, EEXIST,
			       "route %s: somebody else's route (protocol %u) has this table and metric "
			       "(EEXIST); remove it, or give gwd other tables by table-base",
			       buf_text(text), found.foreign);
	rc = routes_change(routes, route, true, NLM_F_CREATE | NLM_F_REPLACE);
	return rc ? routes_explain(routes, rc, "route", text, err) : 0;
}

static int routes_set(struct routes *routes, const struct plan_route *route, struct err *err)
{
	struct buf text = {0};
	assert(route->metric); // 0 is "any" when it comes to deleting, and 1024 in IPv6
	plan_text_route(route, &text);
	int rc = routes_change(routes, route, true, NLM_F_CREATE | NLM_F_EXCL);
	if (rc == -EEXIST)
		rc = routes_replace(routes, route, &text, err);
	else if (rc)
		rc = routes_explain(routes, rc, "route", &text, err);
	buf_free(&text);
	return rc;
}

static int routes_del(struct routes *routes, const struct plan_route *route, struct err *err)
{
	struct buf text = {0};
	int rc = routes_change(routes, route, false, 0);
	if (rc == -ESRCH || rc == -ENODEV)
		return 0; // gone already
	if (rc) {
		plan_text_route(route, &text);
		routes_explain(routes, rc, "deleting route", &text, err);
		buf_free(&text);
	}
	return rc;
}

// ---- ip rules --------------------------------------------------------------------------------------

static int routes_change_iprule(struct routes *routes, const struct plan_iprule *rule, bool add, int flags)
{
	return routes_send(routes, routes_msg_iprule(rule, add, flags));
}

static bool routes_has_iprule(const struct routes_found *found, const struct plan_iprule *rule)
{
	vec_each(&found->iprules, have)
		if (!plan_iprule_compare(have, rule))
			return true;
	return false;
}

// The kernel calls it a duplicate also when the other one carries another protocol. Then ours has
// to stand beside it, or it would be gone when its owner takes it away.
static int routes_add_iprule_beside(struct routes *routes, const struct plan_iprule *rule, struct err *err)
{
	struct routes_found found = {0};
	int rc = routes_dump_iprules(routes, rule->fam, &found, err);
	if (!rc && !routes_has_iprule(&found, rule))
		rc = routes_change_iprule(routes, rule, true, 0);
	routes_found_free(&found);
	return rc;
}

static int routes_add_iprule(struct routes *routes, const struct plan_iprule *rule, struct err *err)
{
	struct buf text = {0};
	int rc = routes_change_iprule(routes, rule, true, NLM_F_EXCL);
	if (rc == -EEXIST)
		rc = routes_add_iprule_beside(routes, rule, err);
	if (rc) {
		plan_text_iprule(rule, &text);
		routes_explain(routes, rc, "ip rule", &text, err);
		buf_free(&text);
	}
	return rc;
}

static int routes_del_iprule(struct routes *routes, const struct plan_iprule *rule, struct err *err)
{
	struct buf text = {0};
	int rc = routes_change_iprule(routes, rule, false, 0);
	if (rc == -ENOENT || rc == -ESRCH)
		return 0; // gone already
	if (rc) {
		plan_text_iprule(rule, &text);
		routes_explain(routes, rc, "deleting ip rule", &text, err);
		buf_free(&text);
	}
	return rc;
}

static int routes_apply_route(struct routes *routes, const struct op *op, struct err *err)
{
	if (routes->no_ipv6 && op->route->fam == FAM_6)
		return 0;
	return op->kind == OP_ROUTE_SET ? routes_set(routes, op->route, err)
					: routes_del(routes, op->route, err);
}

static int routes_apply_iprule(struct routes *routes, const struct op *op, struct err *err)
{
	if (routes->no_ipv6 && op->iprule->fam == FAM_6)
		return 0;
	return op->kind == OP_IPRULE_ADD ? routes_add_iprule(routes, op->iprule, err)
					 : routes_del_iprule(routes, op->iprule, err);
}

int routes_apply_op(struct routes *routes, const struct op *op, struct err *err)
{
	if (op->kind == OP_ROUTE_SET || op->kind == OP_ROUTE_DEL)
		return routes_apply_route(routes, op, err);
	assert(op->kind == OP_IPRULE_ADD || op->kind == OP_IPRULE_DEL);
	return routes_apply_iprule(routes, op, err);
}
