// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/netmon_nets.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gwd/core/facts.h"

#define NETS_GONE_MAX 256

static int nets_order(const void *a, const void *b)
{
	const struct fact_net *left = a, *right = b;
	int order = addr_compare(&left->to.addr, &right->to.addr);
	if (order)
		return order;
	if (left->to.len != right->to.len)
		return left->to.len < right->to.len ? -1 : 1;
	if (left->local != right->local)
		return left->local ? -1 : 1;
	if (!left->gone_ms != !right->gone_ms)
		return left->gone_ms ? 1 : -1;
	if (left->metric != right->metric)
		return left->metric < right->metric ? -1 : 1;
	return left->oif < right->oif ? -1 : left->oif > right->oif;
}

bool netmon_nets_same(const struct facts *a, const struct facts *b)
{
	bool same = a->nets.n == b->nets.n && a->nets_many == b->nets_many &&
		    a->policy_routed == b->policy_routed;
	for (size_t i = 0; same && i < a->nets.n; i++)
		same = !nets_order(&a->nets.v[i], &b->nets.v[i]);
	return same;
}

// Routes come by table, those of one interface mostly one after the other.
static void nets_name(struct facts *read, const struct facts *ifaces)
{
	const struct fact_iface *iface = NULL;
	vec_each(&read->nets, net) {
		if (!iface || iface->index != net->oif)
			iface = facts_iface_by_index(ifaces, net->oif);
		if (iface)
			memcpy(net->ifname, iface->name, sizeof(net->ifname));
	}
}

// Of those that were read, which are in order, one leads there.
static const struct fact_net *nets_find(const struct facts *read, size_t n, const struct prefix *to,
					bool local)
{
	size_t first = 0, end = n;
	while (first < end) {
		size_t at = first + (end - first) / 2;
		const struct fact_net *net = &read->nets.v[at];
		int order = addr_compare(&net->to.addr, &to->addr);
		if (!order && net->to.len != to->len)
			order = net->to.len < to->len ? -1 : 1;
		if (!order && net->local != local)
			order = net->local ? -1 : 1;
		if (!order)
			return net;
		if (order < 0)
			first = at + 1;
		else
			end = at;
	}
	return NULL;
}

bool netmon_nets_take(const struct facts *facts, const struct addr *own)
{
	struct prefix to = {*own, (uint8_t)(8 * addr_size(own))};
	const struct fact_net *net = nets_find(facts, facts->nets.n, &to, true);
	return net && !net->gone_ms;
}

// Asked at the moment: what is known of the interfaces may have been read before they went.
static enum netmon_link nets_link(int fd, const char *ifname)
{
	struct ifreq req = {0};
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", ifname);
	if (ioctl(fd, SIOCGIFFLAGS, &req) < 0)
		return NETMON_LINK_NONE;
	return req.ifr_flags & IFF_UP ? NETMON_LINK_UP : NETMON_LINK_DOWN;
}

struct nets_keeper {
	netmon_keeps_fn *keeps;
	void *arg;
	int fd;
	size_t n;
	int64_t now_ms, due_ms;
};

static void nets_keep(struct facts *read, const struct fact_net *net, struct nets_keeper *keeper)
{
	struct fact_net gone = *net;
	int64_t keep_ms =
		keeper->keeps(keeper->arg, net->ifname, net->local, nets_link(keeper->fd, net->ifname));
	if (!gone.gone_ms || gone.gone_ms == NETMON_FOREVER)
		gone.gone_ms = keep_ms == NETMON_FOREVER ? NETMON_FOREVER : keeper->now_ms;
	int64_t left_ms = keep_ms == NETMON_FOREVER ? keep_ms : keep_ms - (keeper->now_ms - gone.gone_ms);
	if (left_ms <= 0 || keeper->n == NETS_GONE_MAX)
		return;
	if (keep_ms != NETMON_FOREVER && keeper->now_ms + left_ms < keeper->due_ms)
		keeper->due_ms = keeper->now_ms + left_ms;
	vec_push(&read->nets, gone);
	keeper->n++;
}

static void nets_keep_all(struct facts *read, const struct facts *old, struct nets_keeper *keeper)
{
	size_t n = read->nets.n;
	keeper->fd = -1;
	vec_each(&old->nets, net) {
		if (!net->to.len || !net->ifname[0] || nets_find(read, n, &net->to, net->local))
			continue;
		if (keeper->fd < 0 && (keeper->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
			return;
		nets_keep(read, net, keeper);
	}
	if (keeper->fd >= 0)
		close(keeper->fd);
}

static void nets_sort(struct facts *facts)
{
	if (facts->nets.n)
		qsort(facts->nets.v, facts->nets.n, sizeof(*facts->nets.v), nets_order);
}

int64_t netmon_nets_finish(struct facts *read, const struct facts *old, netmon_keeps_fn *keeps, void *arg,
			   int64_t now_ms)
{
	struct nets_keeper keeper = {.keeps = keeps, .arg = arg, .now_ms = now_ms, .due_ms = NETMON_FOREVER};
	// where they are too many, they are known again when they have become half as many
	read->nets_many |= old->nets_many && read->nets.n > FACTS_NETS_MAX / 2;
	if (read->nets_many) {
		read->nets.n = 0;
		return NETMON_FOREVER;
	}
	nets_name(read, old);
	nets_sort(read);
	if (keeps)
		nets_keep_all(read, old, &keeper);
	nets_sort(read);
	return keeper.due_ms;
}
