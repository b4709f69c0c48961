// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/netmon_event.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdlib.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/base/vec.h"
#include "gwd/core/plan.h"
#include "gwd/netmon.h"
#include "gwd/netmon_neigh.h"
#include "gwd/netmon_parse.h"

#define EVENT_BUFFER 65536
#define EVENT_ROOM (8 << 20)      // the default overflows after 256 route events (facts.md 6)
#define EVENT_BATCH 1024          // messages read in one turn
#define EVENT_NEW_LINK UINT32_MAX // ifi_change of an interface that was just created
#define EVENT_ALL (NETMON_LINK | NETMON_ADDR | NETMON_ROUTE | NETMON_NEIGH | NETMON_OURS)

struct netmon_events {
	struct mnl_socket *nl;
	const struct netmon_neighs *neighs;
	uint32_t own_port;
	bool nets; // more than default routes are heard of
	_Alignas(struct nlmsghdr) char buffer[EVENT_BUFFER];
};

// Lets pass what is no message about a route, or one about a default route or one that leads nowhere, or (`nets`)
// one about any route of main or local.
static int event_filter(int fd, bool nets)
{
	const unsigned dst_len = NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_dst_len);
	const unsigned type = NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_type);
	const unsigned table = NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_table);
	const uint8_t main = nets ? RT_TABLE_MAIN : RT_TABLE_UNSPEC,
		      local = nets ? RT_TABLE_LOCAL : RT_TABLE_UNSPEC;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 8),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, dst_len),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 6, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, type),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, RTN_BLACKHOLE, 0, 1),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, RTN_PROHIBIT, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, table),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, main, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, local, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = {.len = ARRAY_SIZE(code), .filter = code};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

static int event_subscribe(struct netmon_events *events)
{
	static const int groups[] = {RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				     RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_RULE,
				     RTNLGRP_IPV6_RULE,  RTNLGRP_NEXTHOP};
	int fd = mnl_socket_get_fd(events->nl), room = EVENT_ROOM;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (event_filter(fd, true) < 0)
		return -1;
	for (unsigned i = 0; i < ARRAY_SIZE(groups); i++) {
		int group = groups[i];
		if (mnl_socket_setsockopt(events->nl, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
			return -1;
	}
	return 0;
}

struct netmon_events *netmon_events_open(const struct netmon_neighs *neighs, struct err *err)
{
	struct netmon_events *events = xcalloc(1, sizeof(*events));
	events->neighs = neighs;
	events->nets = true;
	events->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!events->nl || mnl_socket_bind(events->nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    event_subscribe(events) < 0) {
		err_errno(err, errno, "can't listen to the kernel's route events");
		netmon_events_close(events);
		return NULL;
	}
	return events;
}

void netmon_events_close(struct netmon_events *events)
{
	if (!events)
		return;
	if (events->nl)
		mnl_socket_close(events->nl);
	free(events);
}

int netmon_events_fd(const struct netmon_events *events)
{
	return mnl_socket_get_fd(events->nl);
}

void netmon_events_set_own_port(struct netmon_events *events, uint32_t port)
{
	events->own_port = port;
}

void netmon_events_want_neighs(struct netmon_events *events, bool wanted)
{
	int group = RTNLGRP_NEIGH;
	mnl_socket_setsockopt(events->nl, wanted ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP, &group,
			      sizeof(group));
}

void netmon_events_want_nets(struct netmon_events *events, bool wanted)
{
	events->nets = wanted;
	event_filter(mnl_socket_get_fd(events->nl), wanted);
}

static unsigned event_link(const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(nlh);
	if (link->ifi_family != AF_UNSPEC) // a bridge's port, or one family's settings
		return NETMON_LINK;
	// down and up again within a turn looks as if nothing had been, but the routes are gone
	bool down = link->ifi_change & IFF_UP && link->ifi_change != EVENT_NEW_LINK &&
		    !(link->ifi_flags & IFF_UP);
	if (nlh->nlmsg_type == RTM_DELLINK || down)
		return NETMON_LINK | NETMON_ADDR | NETMON_ROUTE | NETMON_OURS;
	return NETMON_LINK;
}

static unsigned event_route(const struct netmon_events *events, const struct rtmsg *route, bool own)
{
	if (route->rtm_protocol == PLAN_PROTOCOL)
		return own ? 0 : NETMON_OURS;
	bool nowhere = route->rtm_type >= RTN_BLACKHOLE && route->rtm_type <= RTN_PROHIBIT;
	bool fact = events->nets || !route->rtm_dst_len || (nowhere && route->rtm_family == AF_INET6);
	bool asked =
		route->rtm_table == RT_TABLE_MAIN || (events->nets && route->rtm_table == RT_TABLE_LOCAL);
	return asked && fact ? NETMON_ROUTE : 0;
}

static unsigned event_rule(const struct nlmsghdr *nlh, bool own)
{
	if (netmon_parse_rule_protocol(nlh) != PLAN_PROTOCOL)
		return NETMON_ROUTE;
	return own ? 0 : NETMON_OURS;
}

static unsigned event_hints(const struct netmon_events *events, const struct nlmsghdr *nlh)
{
	const void *header = mnl_nlmsg_get_payload(nlh);
	const struct ndmsg *neigh = header;
	bool own = nlh->nlmsg_pid && nlh->nlmsg_pid == events->own_port;
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return event_link(nlh);
	case RTM_NEWADDR:
		return NETMON_ADDR;
	case RTM_DELADDR:
		return NETMON_ADDR | NETMON_ROUTE | NETMON_OURS;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return event_route(events, header, own);
	case RTM_DELNEXTHOP: // takes IPv4 routes with it that nothing else tells of
		return NETMON_ROUTE;
	case RTM_NEWRULE:
	case RTM_DELRULE:
		return event_rule(nlh, own);
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		return netmon_neighs_watched(events->neighs, (uint32_t)neigh->ndm_ifindex) ? NETMON_NEIGH : 0;
	default:
		return 0;
	}
}

unsigned netmon_events_read(struct netmon_events *events)
{
	unsigned hints = 0;
	for (unsigned i = 0; i < EVENT_BATCH; i++) {
		ssize_t size = mnl_socket_recvfrom(events->nl, events->buffer, sizeof(events->buffer));
		if (size < 0 && errno == EAGAIN)
			break;
		if (size < 0) { // ENOBUFS: an overrun
			hints |= EVENT_ALL;
			continue;
		}
		int left = (int)size;
		const struct nlmsghdr *nlh = (const void *)events->buffer;
		for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
			hints |= event_hints(events, nlh);
	}
	return hints;
}
