// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/tunnels.h"

#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <netlink/route/link.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/link/ip6tnl.h>
#include <netlink/route/link/ipip.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/core/diff.h"
#include "gwd/core/plan.h"
#include "gwd/core/tunnel.h"
#include "gwd/nlroute.h"

#define TUNNELS_PATIENCE_MS 3000
#define TUNNELS_HOPS 64             // of the packet around one of IPv6
#define TUNNELS_ADDRGEN_NONE 1      // IN6_ADDR_GEN_MODE_NONE
#define TUNNELS_IGN_ENCAP_LIMIT 0x1 // IP6_TNL_F_IGN_ENCAP_LIMIT

struct tunnels {
	struct nlroute link;
	struct tunnel_refusals refusals;
	int64_t missing_until_ms[FAM_COUNT]; // the kernel has no such device
	bool news;
};

// ---- what was refused ----------------------------------------------------------------------------

static struct tunnel_refusal *tunnels_find(struct tunnels *tunnels, const char *ifname)
{
	return (struct tunnel_refusal *)(uintptr_t)tunnel_refused(&tunnels->refusals, ifname);
}

static void tunnels_taken(struct tunnels *tunnels, const char *ifname)
{
	struct tunnel_refusal *old = tunnels_find(tunnels, ifname);
	if (!old)
		return;
	*old = tunnels->refusals.v.v[--tunnels->refusals.v.n];
	tunnels->news = true;
}

static void tunnels_refuse(struct tunnels *tunnels, const char *ifname, const char *reason)
{
	struct tunnel_refusal *refusal = tunnels_find(tunnels, ifname);
	if (refusal && !strcmp(refusal->reason, reason))
		return;
	if (!refusal)
		vec_add(&tunnels->refusals.v, refusal);
	snprintf(refusal->ifname, sizeof(refusal->ifname), "%s", ifname);
	snprintf(refusal->reason, sizeof(refusal->reason), "%.*s", (int)sizeof(refusal->reason) - 1, reason);
	tunnels->news = true;
}

const struct tunnel_refusals *tunnels_refused(const struct tunnels *tunnels)
{
	return &tunnels->refusals;
}

bool tunnels_have_news(struct tunnels *tunnels)
{
	bool news = tunnels->news;
	tunnels->news = false;
	return news;
}

// ---- messages ------------------------------------------------------------------------------------

static struct rtnl_link *tunnels_link(const char *type, const char *ifname)
{
	struct rtnl_link *link = rtnl_link_alloc();
	if (!link || (type && rtnl_link_set_type(link, type) < 0))
		abort(); // out of memory
	rtnl_link_set_name(link, ifname);
	return link;
}

// Packets take their own time to live along; what must stay whole outside does so inside only.
static struct rtnl_link *tunnels_link4(const struct plan_tunnel *tunnel)
{
	struct rtnl_link *link = tunnels_link("ipip", tunnel->ifname);
	uint32_t remote;
	memcpy(&remote, tunnel->remote.b, sizeof(remote));
	rtnl_link_ipip_set_remote(link, remote);
	rtnl_link_ipip_set_local(link, 0);
	rtnl_link_ipip_set_ttl(link, 0);
	rtnl_link_ipip_set_pmtudisc(link, 0);
	return link;
}

static struct rtnl_link *tunnels_link6(const struct plan_tunnel *tunnel)
{
	struct rtnl_link *link = tunnels_link("ip6tnl", tunnel->ifname);
	struct in6_addr remote, local;
	memcpy(&remote, tunnel->remote.b, sizeof(remote));
	memcpy(&local, tunnel->local.b, sizeof(local));
	rtnl_link_ip6_tnl_set_remote(link, &remote);
	rtnl_link_ip6_tnl_set_local(link, &local);
	rtnl_link_ip6_tnl_set_ttl(link, TUNNELS_HOPS);
	rtnl_link_ip6_tnl_set_proto(link, IPPROTO_IPV6);
	rtnl_link_ip6_tnl_set_flags(link, TUNNELS_IGN_ENCAP_LIMIT);
	return link;
}

static int tunnels_send_link(struct tunnels *tunnels, struct rtnl_link *link, int flags)
{
	struct nl_msg *msg = NULL;
	if (rtnl_link_build_add_request(link, flags, &msg) < 0 || !msg)
		abort(); // out of memory
	rtnl_link_put(link);
	return nlroute_send(&tunnels->link, msg);
}

// It needs no addresses, and makes none up by itself; where there is no IPv6 that can't be said.
static int tunnels_up(struct tunnels *tunnels, const char *ifname)
{
	struct rtnl_link *link = tunnels_link(NULL, ifname);
	rtnl_link_inet6_set_addr_gen_mode(link, TUNNELS_ADDRGEN_NONE);
	tunnels_send_link(tunnels, link, 0);
	link = tunnels_link(NULL, ifname);
	rtnl_link_set_flags(link, IFF_UP);
	return tunnels_send_link(tunnels, link, 0);
}

static int tunnels_remove(struct tunnels *tunnels, const char *ifname)
{
	struct rtnl_link *link = tunnels_link(NULL, ifname);
	struct nl_msg *msg = NULL;
	if (rtnl_link_build_delete_request(link, &msg) < 0 || !msg)
		abort(); // out of memory
	rtnl_link_put(link);
	int r = nlroute_send(&tunnels->link, msg);
	return r == -ENODEV ? 0 : r;
}

// ---- operations ------------------------------------------------------------------------------------

// Whether the device of that name is the one that is wanted: netmon may not have told yet.
static bool tunnels_is_there(struct tunnels *tunnels, const struct plan_tunnel *tunnel)
{
	struct rtnl_link *link = NULL;
	bool same = false, four = addr_fam(&tunnel->remote) == FAM_4;
	if (rtnl_link_get_kernel(tunnels->link.nl, 0, tunnel->ifname, &link) < 0)
		return false;
	if (four && rtnl_link_is_ipip(link)) {
		uint32_t remote = rtnl_link_ipip_get_remote(link);
		same = !memcmp(&remote, tunnel->remote.b, sizeof(remote));
	} else if (!four && rtnl_link_is_ip6_tnl(link)) {
		struct in6_addr remote, local;
		same = !rtnl_link_ip6_tnl_get_remote(link, &remote) &&
		       !rtnl_link_ip6_tnl_get_local(link, &local) &&
		       !memcmp(&remote, tunnel->remote.b, sizeof(remote)) &&
		       !memcmp(&local, tunnel->local.b, sizeof(local));
	}
	rtnl_link_put(link);
	return same;
}

// One whose end moved is made anew: not every kernel changes all of a device.
static int tunnels_make(struct tunnels *tunnels, const struct plan_tunnel *tunnel)
{
	bool four = addr_fam(&tunnel->remote) == FAM_4;
	int r = -EEXIST;
	for (int again = 0; r == -EEXIST && again < 2; again++) {
		r = tunnels_send_link(tunnels, four ? tunnels_link4(tunnel) : tunnels_link6(tunnel),
				      NLM_F_CREATE | NLM_F_EXCL);
		if (r != -EEXIST || tunnels_is_there(tunnels, tunnel))
			return r && r != -EEXIST ? r : tunnels_up(tunnels, tunnel->ifname);
		int removed = again || !if_nametoindex(tunnel->ifname)
				      ? 0
				      : tunnels_remove(tunnels, tunnel->ifname);
		if (removed)
			return removed;
	}
	return r;
}

static int tunnels_explain(const struct tunnels *tunnels, const struct plan_tunnel *tunnel, int r,
			   struct err *err)
{
	char to[ADDR_TEXT];
	const char *type = addr_fam(&tunnel->remote) == FAM_4 ? "ipip" : "ip6_tunnel";
	addr_text(&tunnel->remote, to);
	if (r == -EOPNOTSUPP || r == -ENODEV)
		return err_set(err, -r, "no tunnel to %s: this kernel has no %s: modprobe %s", to, type,
			       type);
	if (r == -EEXIST)
		return err_set(err, -r, "no tunnel to %s: somebody else has one: delete that", to);
	return err_set(err, -r, "no tunnel to %s: %s", to,
		       tunnels->link.reason[0] ? tunnels->link.reason : strerror(-r));
}

static int tunnels_set(struct tunnels *tunnels, const struct plan_tunnel *tunnel, struct err *err)
{
	int64_t *missing_until_ms = &tunnels->missing_until_ms[addr_fam(&tunnel->remote)];
	int64_t now_ms = mono_now_ms();
	int r = now_ms < *missing_until_ms ? -EOPNOTSUPP : tunnels_make(tunnels, tunnel);
	char to[ADDR_TEXT];
	if (r) {
		tunnels_explain(tunnels, tunnel, r, err);
		tunnels_refuse(tunnels, tunnel->ifname, err->text);
		if (r == -EOPNOTSUPP && now_ms >= *missing_until_ms)
			*missing_until_ms = now_ms + TUNNELS_PATIENCE_MS;
		return r;
	}
	tunnels_taken(tunnels, tunnel->ifname);
	log_info("tunnel", "%s leads to %s", tunnel->ifname, addr_text(&tunnel->remote, to));
	return 0;
}

int tunnels_apply_op(struct tunnels *tunnels, const struct op *op, struct err *err)
{
	assert(op->kind == OP_TUNNEL_SET || op->kind == OP_TUNNEL_DEL);
	if (op->kind == OP_TUNNEL_SET)
		return tunnels_set(tunnels, op->tunnel, err);
	int r = tunnels_remove(tunnels, op->tunnel->ifname);
	if (r)
		return err_set(err, -r, "tunnel %s can't be deleted: %s", op->tunnel->ifname, strerror(-r));
	log_info("tunnel", "%s is gone", op->tunnel->ifname);
	return 0;
}

// ---- life --------------------------------------------------------------------------------------

struct tunnels *tunnels_open(struct err *err)
{
	struct tunnels *tunnels = xcalloc(1, sizeof(*tunnels));
	if (nlroute_open(&tunnels->link, err)) {
		tunnels_close(tunnels);
		return NULL;
	}
	return tunnels;
}

void tunnels_close(struct tunnels *tunnels)
{
	if (!tunnels)
		return;
	nlroute_close(&tunnels->link);
	vec_free(&tunnels->refusals.v);
	free(tunnels);
}
