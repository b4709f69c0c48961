// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/netmon_neigh.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/core/facts.h"
#include "gwd/netmon.h"
#include "gwd/netmon_parse.h"

#define NEIGH_BUFFER 4096
#define NEIGH_VALID (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

struct netmon_neighs {
	struct mnl_socket *nl;
	uint32_t seq;
	VEC(struct netmon_hop) hops;
};

struct netmon_neighs *netmon_neighs_open(struct err *err)
{
	struct netmon_neighs *neighs = xcalloc(1, sizeof(*neighs));
	neighs->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!neighs->nl || mnl_socket_bind(neighs->nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		err_errno(err, errno, "can't open a netlink socket");
		netmon_neighs_close(neighs);
		return NULL;
	}
	return neighs;
}

void netmon_neighs_close(struct netmon_neighs *neighs)
{
	if (!neighs)
		return;
	if (neighs->nl)
		mnl_socket_close(neighs->nl);
	vec_free(&neighs->hops);
	free(neighs);
}

static bool neigh_same_hop(const struct netmon_hop *a, const struct netmon_hop *b)
{
	return a->index == b->index && addr_equal(&a->addr, &b->addr);
}

bool netmon_neighs_watch(struct netmon_neighs *neighs, const struct netmon_hop *hops, size_t n)
{
	bool same = n == neighs->hops.n;
	for (size_t i = 0; same && i < n; i++)
		same = neigh_same_hop(&neighs->hops.v[i], &hops[i]);
	if (same)
		return false;
	neighs->hops.n = 0;
	for (size_t i = 0; i < n; i++)
		vec_push(&neighs->hops, hops[i]);
	return true;
}

bool netmon_neighs_watched(const struct netmon_neighs *neighs, uint32_t index)
{
	vec_each(&neighs->hops, hop)
		if (hop->index == index)
			return true;
	return false;
}

static struct nlmsghdr *neigh_request(struct netmon_neighs *neighs, char *buffer, uint16_t type,
				      uint16_t flags, const struct netmon_hop *hop, uint8_t ntf)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct ndmsg *neigh = mnl_nlmsg_put_extra_header(nlh, sizeof(*neigh));
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++neighs->seq;
	neigh->ndm_family = hop->addr.family;
	neigh->ndm_ifindex = (int)hop->index;
	neigh->ndm_flags = ntf;
	mnl_attr_put(nlh, NDA_DST, addr_size(&hop->addr), hop->addr.b);
	return nlh;
}

// Sends the request and gets its answer into `buffer` (the kernel answers before sendto returns).
static const struct nlmsghdr *neigh_ask(struct netmon_neighs *neighs, char *buffer, struct nlmsghdr *nlh)
{
	if (mnl_socket_sendto(neighs->nl, nlh, nlh->nlmsg_len) < 0)
		return NULL;
	for (;;) {
		ssize_t size = mnl_socket_recvfrom(neighs->nl, buffer, NEIGH_BUFFER);
		const struct nlmsghdr *answer = (const void *)buffer;
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 || !mnl_nlmsg_ok(answer, (int)size))
			return NULL;
		if (answer->nlmsg_seq == neighs->seq)
			return answer;
	}
}

// As if a packet were to be sent there: the kernel resolves it, if it isn't, and tells.
static void neigh_resolve(struct netmon_neighs *neighs, const struct netmon_hop *hop)
{
	_Alignas(struct nlmsghdr) char buffer[NEIGH_BUFFER];
	neigh_ask(neighs, buffer,
		  neigh_request(neighs, buffer, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK, hop, NTF_USE));
}

// NUD_NONE: there is no such neighbour.
static uint16_t neigh_get(struct netmon_neighs *neighs, const struct netmon_hop *hop, struct fact_neigh *out)
{
	_Alignas(struct nlmsghdr) char buffer[NEIGH_BUFFER];
	uint16_t state = NUD_NONE;
	const struct nlmsghdr *answer =
		neigh_ask(neighs, buffer, neigh_request(neighs, buffer, RTM_GETNEIGH, 0, hop, 0));
	if (!answer || !netmon_parse_neigh(out, &state, answer))
		return NUD_NONE;
	return state;
}

// What is known of the hop now: false if nothing is.
static bool neigh_read(struct netmon_neighs *neighs, const struct facts *facts, const struct netmon_hop *hop,
		       bool insist, struct fact_neigh *out)
{
	static const uint8_t no_mac[6];
	struct fact_neigh now = {0};
	const uint8_t *before = facts_mac(facts, hop->index, &hop->addr);
	if (!facts_iface_by_index(facts, hop->index))
		return false;
	uint16_t state = neigh_get(neighs, hop, &now);
	if (state == NUD_NONE || (state == NUD_FAILED && insist))
		neigh_resolve(neighs, hop);
	*out = (struct fact_neigh){.index = hop->index, .addr = hop->addr};
	if (state & NEIGH_VALID && memcmp(now.mac, no_mac, sizeof(no_mac)))
		memcpy(out->mac, now.mac, sizeof(out->mac));
	else if (state != NUD_FAILED && before)
		memcpy(out->mac, before, sizeof(out->mac));
	else
		return false;
	return true;
}

static bool neigh_equal(const struct fact_neigh *a, const struct fact_neigh *b)
{
	return a->index == b->index && addr_equal(&a->addr, &b->addr) &&
	       !memcmp(a->mac, b->mac, sizeof(a->mac));
}

bool netmon_neighs_read(struct netmon_neighs *neighs, struct facts *facts, bool insist)
{
	struct facts now = {0};
	vec_each(&neighs->hops, hop) {
		struct fact_neigh fact;
		if (neigh_read(neighs, facts, hop, insist, &fact))
			vec_push(&now.neighs, fact);
	}
	bool same = now.neighs.n == facts->neighs.n;
	for (size_t i = 0; same && i < now.neighs.n; i++)
		same = neigh_equal(&now.neighs.v[i], &facts->neighs.v[i]);
	vec_free(&facts->neighs);
	facts->neighs.v = now.neighs.v;
	facts->neighs.n = now.neighs.n;
	facts->neighs.cap = now.neighs.cap;
	return !same;
}
