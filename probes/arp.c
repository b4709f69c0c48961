// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/arp.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gwd/base/alloc.h"
#include "gwd/base/mono.h"
#include "probes/arp_packet.h"
#include "probes/ask.h"
#include "probes/link_socket.h"
#include "probes/turn.h"

#define IDLE_S 60LL
#define BATCH 64
#define ROOM 256

struct arp_ask {
	struct ask ask;
	struct arp_channel *channel;
	struct arp_ask *next; // a younger one
	struct addr target;
	int64_t sent_us;
};

struct arp_channel {
	struct arp *arp;
	struct arp_channel *next;
	enum fam fam;
	char ifname[16];
	int fd; // < 0: closed
	uint32_t ifindex;
	uint8_t mac[ARP_MAC];
	struct event *readable;
	int64_t used_us;
	struct arp_ask *asks; // oldest first
};

struct arp {
	struct event_base *base;
	struct arp_channel *channels;
};

// ---- life ------------------------------------------------------------------------------------

struct arp *arp_new(struct event_base *base)
{
	struct arp *arp = xcalloc(1, sizeof(*arp));

	arp->base = base;
	return arp;
}

static void close_channel(struct arp_channel *c)
{
	if (c->fd < 0)
		return;
	event_free(c->readable);
	close(c->fd);
	c->fd = -1;
}

static void free_channel(struct arp_channel *c)
{
	struct arp_channel **at = &c->arp->channels;

	assert(!c->asks);
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	close_channel(c);
	free(c);
}

void arp_free(struct arp *arp)
{
	while (arp->channels)
		free_channel(arp->channels);
	free(arp);
}

static void forget(struct arp_ask *ask)
{
	struct arp_ask **at = &ask->channel->asks;

	while (*at != ask)
		at = &(*at)->next;
	*at = ask->next;
	free(ask);
}

static void cancel(struct ask *ask)
{
	forget((struct arp_ask *)ask);
}

// ---- answers ---------------------------------------------------------------------------------

static void deliver(struct arp_channel *c, const struct addr *owner, int64_t when_us)
{
	struct answer answer = {.kind = ANSWER_ALIVE};

	for (struct arp_ask *ask = c->asks; ask; ask = ask->next) {
		if (!addr_equal(&ask->target, owner))
			continue;
		struct ask head = ask->ask;
		answer.rtt_ms = (double)(when_us - ask->sent_us) / 1000;
		forget(ask);
		head.cb(head.arg, head.id, &answer);
		return;
	}
}

// A raw socket gets what routers forwarded, too; only the link itself can send a hop limit of 255.
static bool from_the_link(struct msghdr *msg)
{
	int hops = 0;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h))
		if (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_HOPLIMIT)
			memcpy(&hops, CMSG_DATA(h), sizeof(hops));
	return hops == 255;
}

// False: nothing more to read.
static bool read_one(struct arp_channel *c)
{
	_Alignas(struct cmsghdr) uint8_t control[128];
	uint8_t data[ROOM];
	struct iovec iov = {data, sizeof(data)};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct addr owner;
	ssize_t n = recvmsg(c->fd, &msg, MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR;
	if (c->fam == FAM_6 && !from_the_link(&msg))
		return true;
	if (arp_parse(c->fam, data, (size_t)n, c->mac, &owner))
		deliver(c, &owner, link_arrived_us(&msg));
	return true;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct arp_channel *c = arg;

	(void)fd;
	if (what & EV_TIMEOUT) {
		if (!c->asks && mono_now_us() - c->used_us >= IDLE_S * 1000000)
			free_channel(c);
		return;
	}
	for (int i = 0; i < BATCH && c->fd >= 0; i++)
		if (!read_one(c))
			break;
}

// ---- the socket ------------------------------------------------------------------------------

static int open4(const struct arp_channel *c)
{
	struct sockaddr_ll on = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETHERTYPE_ARP),
				 .sll_ifindex = (int)c->ifindex};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); // deaf until bound

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&on, sizeof(on)))
		return fd;
	int r = -errno;
	close(fd);
	return r;
}

static int open6(const struct arp_channel *c)
{
	struct icmp6_filter filter;
	int hops = 255, one = 1, index = (int)c->ifindex;
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);

	if (fd < 0)
		return -errno;
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ND_NEIGHBOR_ADVERT, &filter);
	int r = link_socket_bind(fd, c->ifname, 0);
	if (!r && (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) ||
		   setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) ||
		   setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index)) ||
		   setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &one, sizeof(one))))
		r = -errno;
	if (!r)
		return fd;
	close(fd);
	return r;
}

// The device's own MAC address; -EAFNOSUPPORT where there is no such thing.
static int read_mac(struct arp_channel *c)
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", c->ifname);
	if (ioctl(c->fd, SIOCGIFHWADDR, &request) < 0)
		return -errno;
	if (request.ifr_hwaddr.sa_family != 1) // ARPHRD_ETHER
		return -EAFNOSUPPORT;
	memcpy(c->mac, request.ifr_hwaddr.sa_data, ARP_MAC);
	return 0;
}

static int open_channel(struct arp_channel *c)
{
	const struct timeval idle = {.tv_sec = IDLE_S};
	int fd;

	c->ifindex = if_nametoindex(c->ifname);
	if (!c->ifindex)
		return -ENODEV;
	fd = c->fam == FAM_4 ? open4(c) : open6(c);
	if (fd < 0)
		return fd;
	c->fd = fd;
	c->readable = turn_first(event_new(c->arp->base, fd, EV_READ | EV_PERSIST, on_readable, c));
	event_add(c->readable, &idle);
	int r = read_mac(c);
	if (!r)
		r = link_stamp(fd);
	if (r)
		close_channel(c);
	return r;
}

static struct arp_channel *find_channel(struct arp *arp, const struct prober_link *link)
{
	struct arp_channel *c;

	for (c = arp->channels; c; c = c->next)
		if (c->fam == link->fam && !strcmp(c->ifname, link->ifname))
			return c;
	c = xcalloc(1, sizeof(*c));
	c->arp = arp;
	c->fam = link->fam;
	memcpy(c->ifname, link->ifname, sizeof(c->ifname));
	c->fd = -1;
	c->next = arp->channels;
	arp->channels = c;
	return c;
}

// ---- asking ----------------------------------------------------------------------------------

static int send4(const struct arp_channel *c, const uint8_t *data, size_t size)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETHERTYPE_ARP),
				 .sll_ifindex = (int)c->ifindex,
				 .sll_halen = ARP_MAC};

	memset(to.sll_addr, 0xff, ARP_MAC);
	return sendto(c->fd, data, size, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

static int send6(const struct arp_channel *c, const uint8_t *data, size_t size, const struct addr *target)
{
	struct addr node = arp_solicited_node(target);
	struct sockaddr_storage to;
	socklen_t n = link_sockaddr(&to, &node, 0, c->ifindex);

	((struct sockaddr_in6 *)&to)->sin6_scope_id = c->ifindex;
	return sendto(c->fd, data, size, MSG_DONTWAIT, (struct sockaddr *)&to, n) < 0 ? -errno : 0;
}

static int send_request(struct arp_channel *c, const struct ask_spec *spec)
{
	uint8_t data[ARP_PACKET_MAX];
	uint32_t ifindex = spec->link->ifindex;

	if (c->fd >= 0 && ifindex && ifindex != c->ifindex)
		close_channel(c); // the device was made anew
	int r = c->fd < 0 ? open_channel(c) : 0;
	if (r)
		return r;
	size_t size = arp_build(spec->target, &spec->link->source, c->mac, data);
	c->used_us = mono_now_us();
	r = c->fam == FAM_4 ? send4(c, data, size) : send6(c, data, size, spec->target);
	if (r && link_is_stale(c->ifname, c->ifindex))
		close_channel(c);
	return r;
}

static struct ask *keep(struct arp_channel *c, const struct addr *target)
{
	struct arp_ask *ask = xcalloc(1, sizeof(*ask)), **last = &c->asks;

	ask->ask.cancel = cancel;
	ask->channel = c;
	ask->target = *target;
	ask->sent_us = c->used_us;
	while (*last)
		last = &(*last)->next;
	*last = ask;
	return &ask->ask;
}

struct ask *arp_ask(struct arp *arp, const struct ask_spec *spec, struct answer *failed)
{
	struct arp_channel *c;
	char text[ADDR_TEXT];
	int r;

	if (!*spec->link->ifname) {
		*failed = (struct answer){ANSWER_CANT, 0, "an arp probe needs an interface"};
		return NULL;
	}
	c = find_channel(arp, spec->link);
	r = send_request(c, spec);
	if (!r)
		return keep(c, spec->target);
	link_failed(failed, addr_text(spec->target, text), r);
	if (r == -EAFNOSUPPORT) {
		failed->kind = ANSWER_CANT;
		snprintf(failed->text, sizeof(failed->text), "%s has no neighbours to ask by arp", c->ifname);
	}
	return NULL;
}
