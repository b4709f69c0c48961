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
#include "gwd/nlroute.h"
#include "gwd/routes_msg.h"
#include "gwd/routes_read.h"

struct routes {
	struct nlroute link;
	bool no_ipv6; // the kernel is without: then nothing of it is needed either
};

// ---- the socket --------------------------------------------------------------------------------

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
	routes->no_ipv6 = routes_is_without_ipv6();
	if (nlroute_open(&routes->link, err)) {
		routes_close(routes);
		return NULL;
	}
	return routes;
}

void routes_close(struct routes *routes)
{
	if (!routes)
		return;
	nlroute_close(&routes->link);
	free(routes);
}

uint32_t routes_port(const struct routes *routes)
{
	return nl_socket_get_local_port(routes->link.nl);
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
	nlroute_forget(&routes->link);
	nl_socket_modify_cb(routes->link.nl, NL_CB_VALID, NL_CB_CUSTOM, routes_found_message, found);
	int rc = nl_send_auto(routes->link.nl, msg);
	nlmsg_free(msg);
	rc = nlroute_result(&routes->link, rc < 0 ? rc : nl_recvmsgs_default(routes->link.nl));
	nl_socket_modify_cb(routes->link.nl, NL_CB_VALID, NL_CB_DEFAULT, NULL, NULL);
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
	return nlroute_send(&routes->link, routes_msg_route(route, add, flags));
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
	return rc ? nlroute_explain(&routes->link, rc, "route", text, err) : 0;
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
		rc = nlroute_explain(&routes->link, rc, "route", &text, err);
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
		nlroute_explain(&routes->link, rc, "deleting route", &text, err);
		buf_free(&text);
	}
	return rc;
}

// ---- ip rules --------------------------------------------------------------------------------------

static int routes_change_iprule(struct routes *routes, const struct plan_iprule *rule, bool add, int flags)
{
	return nlroute_send(&routes->link, routes_msg_iprule(rule, add, flags));
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
		nlroute_explain(&routes->link, rc, "ip rule", &text, err);
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
		nlroute_explain(&routes->link, rc, "deleting ip rule", &text, err);
		buf_free(&text);
	}
	return rc;
}

static int routes_apply_route(struct routes *routes, const struct op *op, struct err *err)
{
	if (routes->no_ipv6 && op->route->fam == FAM_6)
		return 0;
	bool del = op->kind == OP_ROUTE_CLOSE || op->kind == OP_ROUTE_DEL;
	return del ? routes_del(routes, op->route, err) : routes_set(routes, op->route, err);
}

static int routes_apply_iprule(struct routes *routes, const struct op *op, struct err *err)
{
	if (routes->no_ipv6 && op->iprule->fam == FAM_6)
		return 0;
	return op->kind == OP_IPRULE_ADD ? routes_add_iprule(routes, op->iprule, err)
					 : routes_del_iprule(routes, op->iprule, err);
}

static bool routes_op_is_route(enum op_kind kind)
{
	return kind == OP_ROUTE_CLOSE || kind == OP_ROUTE_SET || kind == OP_ROUTE_OPEN ||
	       kind == OP_ROUTE_DEL;
}

int routes_apply_op(struct routes *routes, const struct op *op, struct err *err)
{
	if (routes_op_is_route(op->kind))
		return routes_apply_route(routes, op, err);
	assert(op->kind == OP_IPRULE_ADD || op->kind == OP_IPRULE_DEL);
	return routes_apply_iprule(routes, op, err);
}
