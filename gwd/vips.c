// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/vips.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netpacket/packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/core/diff.h"
#include "gwd/core/plan.h"
#include "probes/arp_packet.h"

#define VIPS_ANSWER 8192 // room for the kernel's answer
#define VIPS_ANNOUNCE 3
#define VIPS_ANNOUNCE_S 1

struct vips_notice {
	struct plan_vip vip;
	unsigned left;
};

struct vips {
	struct mnl_socket *sock;
	uint32_t seq;
	struct event *again;
	VEC(struct vips_notice) notices;
};

// ---- to the neighbours -------------------------------------------------------------------------

static bool vips_mac(const struct plan_vip *vip, uint8_t mac[ARP_MAC])
{
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	memcpy(ifr.ifr_name, vip->ifname, sizeof(ifr.ifr_name) - 1);
	bool ok = fd >= 0 && !ioctl(fd, SIOCGIFHWADDR, &ifr) && ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER;
	if (fd >= 0)
		close(fd);
	memcpy(mac, ifr.ifr_hwaddr.sa_data, ARP_MAC);
	return ok;
}

// RFC 5227, 3: a request for one's own address.
static int vips_say_arp(const struct plan_vip *vip, const uint8_t mac[ARP_MAC])
{
	uint8_t packet[ARP_PACKET_MAX];
	size_t size = arp_build(&vip->addr, &vip->addr, mac, packet);
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ARP),
				 .sll_ifindex = (int)vip->index,
				 .sll_halen = ARP_MAC};
	memset(to.sll_addr, 0xff, ARP_MAC);
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ssize_t sent = fd < 0 ? -1 : sendto(fd, packet, size, 0, (struct sockaddr *)&to, sizeof(to));
	if (fd >= 0)
		close(fd);
	return sent < 0 ? -1 : 0;
}

// RFC 4861, 7.2.6: unsolicited, to all nodes, overriding what they know.
static int vips_say_nd(const struct plan_vip *vip, const uint8_t mac[ARP_MAC])
{
	struct {
		struct nd_neighbor_advert advert;
		uint8_t option[2];
		uint8_t mac[ARP_MAC];
	} packet = {.advert = {.nd_na_hdr = {.icmp6_type = ND_NEIGHBOR_ADVERT}},
		    .option = {ND_OPT_TARGET_LINKADDR, 1}};
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_scope_id = vip->index};
	struct sockaddr_in6 from = {.sin6_family = AF_INET6};
	int hops = 255, index = (int)vip->index;
	packet.advert.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
	memcpy(&packet.advert.nd_na_target, vip->addr.b, 16);
	memcpy(&from.sin6_addr, vip->addr.b, 16);
	memcpy(packet.mac, mac, ARP_MAC);
	inet_pton(AF_INET6, "ff02::1", &to.sin6_addr);
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	if (fd < 0)
		return -1;
	int r = setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index)) ||
		bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
		sendto(fd, &packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to)) < 0;
	close(fd);
	return r ? -1 : 0;
}

static void vips_say(const struct plan_vip *vip)
{
	uint8_t mac[ARP_MAC];
	char text[ADDR_TEXT];
	if (!vips_mac(vip, mac))
		return; // no Ethernet: nobody has to be told
	int r = vip->addr.family == AF_INET ? vips_say_arp(vip, mac) : vips_say_nd(vip, mac);
	if (r)
		log_debug("vips", "%s on %s can't be announced: %s", addr_text(&vip->addr, text), vip->ifname,
			  strerror(errno));
}

static void vips_schedule(struct vips *vips)
{
	struct timeval later = {.tv_sec = VIPS_ANNOUNCE_S};
	if (vips->notices.n && !event_pending(vips->again, EV_TIMEOUT, NULL))
		event_add(vips->again, &later);
}

static void vips_on_again(int fd, short what, void *arg)
{
	struct vips *vips = arg;
	size_t kept = 0;
	(void)fd, (void)what;
	for (size_t i = 0; i < vips->notices.n; i++) {
		struct vips_notice notice = vips->notices.v[i];
		vips_say(&notice.vip);
		if (--notice.left)
			vips->notices.v[kept++] = notice;
	}
	vips->notices.n = kept;
	vips_schedule(vips);
}

static void vips_announce(struct vips *vips, const struct plan_vip *vip)
{
	vips_say(vip);
	vec_push(&vips->notices, (struct vips_notice){.vip = *vip, .left = VIPS_ANNOUNCE - 1});
	vips_schedule(vips);
}

static void vips_forget(struct vips *vips, const struct plan_vip *vip)
{
	for (size_t i = vips->notices.n; i-- > 0;)
		if (vips->notices.v[i].vip.index == vip->index &&
		    addr_equal(&vips->notices.v[i].vip.addr, &vip->addr))
			vips->notices.v[i] = vips->notices.v[--vips->notices.n];
}

// ---- to the kernel -----------------------------------------------------------------------------

static int vips_talk(struct vips *vips, struct nlmsghdr *nlh)
{
	char answer[VIPS_ANSWER];
	nlh->nlmsg_seq = ++vips->seq;
	if (mnl_socket_sendto(vips->sock, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	ssize_t n = mnl_socket_recvfrom(vips->sock, answer, sizeof(answer));
	if (n < 0)
		return -errno;
	unsigned port = mnl_socket_get_portid(vips->sock);
	return mnl_cb_run(answer, (size_t)n, vips->seq, port, NULL, NULL) < 0 ? -errno : 0;
}

// 0 or -errno.
static int vips_change(struct vips *vips, const struct plan_vip *vip, bool add)
{
	char room[256];
	unsigned size = addr_size(&vip->addr);
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(room);
	nlh->nlmsg_type = add ? RTM_NEWADDR : RTM_DELADDR;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0));
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));
	ifa->ifa_family = vip->addr.family;
	ifa->ifa_prefixlen = (uint8_t)(8 * size);
	ifa->ifa_index = vip->index;
	ifa->ifa_scope = RT_SCOPE_UNIVERSE;
	mnl_attr_put(nlh, IFA_LOCAL, size, vip->addr.b);
	mnl_attr_put(nlh, IFA_ADDRESS, size, vip->addr.b);
	mnl_attr_put_u8(nlh, IFA_PROTO, PLAN_PROTOCOL);
	if (vip->addr.family ==
	    AF_INET6) // a director that takes over must not wait, nor yield to the old one
		mnl_attr_put_u32(nlh, IFA_FLAGS, IFA_F_NODAD);
	return vips_talk(vips, nlh);
}

int vips_apply_op(struct vips *vips, const struct op *op, struct err *err)
{
	char text[ADDR_TEXT];
	bool add = op->kind == OP_VIP_ADD;
	assert(add || op->kind == OP_VIP_DEL);
	addr_text(&op->vip->addr, text);
	int r = vips_change(vips, op->vip, add);
	if (r == (add ? -EEXIST : -EADDRNOTAVAIL) || (!add && r == -ENODEV))
		return 0; // done already: netmon has not told yet
	if (r)
		return err_set(err, -r, "address %s can't be %s %s: %s", text, add ? "put on" : "taken off",
			       op->vip->ifname, strerror(-r));
	log_info("vips", "%s is %s %s", text, add ? "put on" : "taken off", op->vip->ifname);
	if (add)
		vips_announce(vips, op->vip);
	else
		vips_forget(vips, op->vip);
	return 0;
}

// ---- life --------------------------------------------------------------------------------------

struct vips *vips_open(struct event_base *base, struct err *err)
{
	struct vips *vips = xcalloc(1, sizeof(*vips));
	vips->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!vips->sock || mnl_socket_bind(vips->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		err_errno(err, errno, "can't open a netlink socket");
		vips_close(vips);
		return NULL;
	}
	vips->again = event_new(base, -1, 0, vips_on_again, vips);
	return vips;
}

void vips_close(struct vips *vips)
{
	if (!vips)
		return;
	if (vips->again)
		event_free(vips->again);
	if (vips->sock)
		mnl_socket_close(vips->sock);
	vec_free(&vips->notices);
	free(vips);
}
