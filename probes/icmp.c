// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/icmp.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gwd/base/alloc.h"
#include "gwd/base/vec.h"
#include "probes/ask.h"
#include "probes/icmp_packet.h"

#define IDLE_S 60LL             // a socket that was not used for so long is closed
#define BATCH 64                // packets read in one turn
#define ROOM 16                 // questions under way per socket, to begin with
#define STAMP_TRUST_US 60000000 // a packet that waited longer than this has a stamp of another clock

struct icmp_ask {
	struct ask ask;
	struct icmp_socket *socket;
	struct addr target;
	struct icmp_echo echo;
	int64_t sent_us;
};

struct icmp_socket {
	struct icmp *icmp;
	struct icmp_socket *next;
	enum fam fam;
	char ifname[16];
	uint32_t mark;
	int fd; // < 0: closed
	uint32_t ifindex;
	struct event *readable;
	uint16_t id, seq;
	int64_t used_us;
	struct icmp_ask **asks; // by sequence number modulo `room`, a power of 2
	size_t room, n_asks;
};

struct icmp {
	struct event_base *base;
	struct icmp_socket *sockets;
	uint16_t last_id;
	uint64_t nonces[32];
	size_t n_nonces;
};

// ---- clocks and chance -----------------------------------------------------------------------

static int64_t clock_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void fill_random(void *out, size_t size)
{
	ssize_t n;

	do
		n = getrandom(out, size, 0);
	while (n < 0 && errno == EINTR);
	assert(n == (ssize_t)size);
}

static uint64_t nonce(struct icmp *icmp)
{
	if (!icmp->n_nonces) {
		fill_random(icmp->nonces, sizeof(icmp->nonces));
		icmp->n_nonces = ARRAY_SIZE(icmp->nonces);
	}
	return icmp->nonces[--icmp->n_nonces];
}

static bool id_taken(const struct icmp *icmp, uint16_t id)
{
	for (const struct icmp_socket *s = icmp->sockets; s; s = s->next)
		if (s->id == id)
			return true;
	return false;
}

static uint16_t fresh_id(struct icmp *icmp)
{
	do
		icmp->last_id++;
	while (!icmp->last_id || id_taken(icmp, icmp->last_id));
	return icmp->last_id;
}

// ---- life ------------------------------------------------------------------------------------

struct icmp *icmp_new(struct event_base *base)
{
	struct icmp *icmp = xcalloc(1, sizeof(*icmp));

	icmp->base = base;
	fill_random(&icmp->last_id, sizeof(icmp->last_id));
	return icmp;
}

static void close_socket(struct icmp_socket *s)
{
	if (s->fd < 0)
		return;
	event_free(s->readable);
	s->readable = NULL;
	close(s->fd);
	s->fd = -1;
}

static void free_socket(struct icmp_socket *s)
{
	struct icmp_socket **at = &s->icmp->sockets;

	assert(s->n_asks == 0);
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	close_socket(s);
	free(s->asks);
	free(s);
}

void icmp_free(struct icmp *icmp)
{
	while (icmp->sockets)
		free_socket(icmp->sockets);
	free(icmp);
}

// ---- questions under way ---------------------------------------------------------------------

static struct icmp_ask **place(struct icmp_socket *s, uint16_t seq)
{
	return &s->asks[seq & (s->room - 1)];
}

static void double_room(struct icmp_socket *s)
{
	struct icmp_ask **old = s->asks;
	size_t n = s->room;

	s->room *= 2;
	s->asks = xcalloc(s->room, sizeof(struct icmp_ask *));
	for (size_t i = 0; i < n; i++)
		if (old[i])
			*place(s, old[i]->echo.seq) = old[i];
	free(old);
}

static void forget(struct icmp_ask *ask)
{
	*place(ask->socket, ask->echo.seq) = NULL;
	ask->socket->n_asks--;
	free(ask);
}

static void cancel(struct ask *ask)
{
	forget((struct icmp_ask *)ask);
}

// Returns NULL when 65536 questions are under way on this socket.
static struct icmp_ask *keep(struct icmp_socket *s, const struct addr *target)
{
	struct icmp_ask *ask;

	s->seq++;
	while (*place(s, s->seq)) {
		if (s->room > UINT16_MAX)
			return NULL;
		double_room(s);
	}
	ask = xcalloc(1, sizeof(*ask));
	ask->ask.cancel = cancel;
	ask->socket = s;
	ask->target = *target;
	ask->echo = (struct icmp_echo){s->id, s->seq, nonce(s->icmp)};
	*place(s, s->seq) = ask;
	s->n_asks++;
	return ask;
}

// ---- receiving -------------------------------------------------------------------------------

struct arrival {
	struct addr from; // IPv6
	uint32_t ifindex;
	int64_t when_us; // CLOCK_MONOTONIC
};

// The kernel stamps by the wall clock; how long the packet lay there is right by any clock.
static int64_t arrived_us(const struct timespec *stamp)
{
	int64_t lay = clock_us(CLOCK_REALTIME) - ((int64_t)stamp->tv_sec * 1000000 + stamp->tv_nsec / 1000);

	return clock_us(CLOCK_MONOTONIC) - (lay > 0 && lay < STAMP_TRUST_US ? lay : 0);
}

static void read_control(struct msghdr *msg, struct arrival *out)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct timespec stamp;
		struct in_pktinfo info4;
		struct in6_pktinfo info6;

		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
			out->when_us = arrived_us(&stamp);
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info4, CMSG_DATA(c), sizeof(info4));
			out->ifindex = (uint32_t)info4.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info6, CMSG_DATA(c), sizeof(info6));
			out->ifindex = info6.ipi6_ifindex;
		}
	}
}

static bool answers(const struct icmp_packet *packet, const struct icmp_ask *ask)
{
	const struct addr *about = packet->kind == ICMP_KIND_REPLY ? &packet->from : &packet->target;

	return packet->echo.id == ask->echo.id && packet->echo.seq == ask->echo.seq &&
	       packet->echo.nonce == ask->echo.nonce && addr_equal(about, &ask->target);
}

static void deliver(struct icmp_ask *ask, const struct icmp_packet *packet, int64_t when_us)
{
	struct ask head = ask->ask;
	struct answer answer = {.kind = ANSWER_ALIVE};
	char target[ADDR_TEXT], from[ADDR_TEXT];
	int64_t took_us = when_us - ask->sent_us;

	answer.rtt_ms = took_us > 0 ? (double)took_us / 1000 : 0;
	if (packet->kind == ICMP_KIND_ERROR) {
		answer.kind = ANSWER_DEAD;
		snprintf(answer.text, sizeof(answer.text), "%s: %s, says %s", addr_text(&ask->target, target),
			 icmp_error_text(ask->socket->fam, packet->type, packet->code),
			 addr_text(&packet->from, from));
	}
	forget(ask);
	head.cb(head.arg, head.id, &answer);
}

static void receive(struct icmp_socket *s, const uint8_t *data, size_t size, const struct arrival *arrival)
{
	struct icmp_packet packet;
	struct icmp_ask *ask;

	if (arrival->ifindex != s->ifindex && s->ifname[0])
		return;
	if (icmp_parse(s->fam, data, size, &packet) == ICMP_KIND_OTHER)
		return;
	if (s->fam == FAM_6)
		packet.from = arrival->from;
	ask = *place(s, packet.echo.seq);
	if (ask && answers(&packet, ask))
		deliver(ask, &packet, arrival->when_us);
}

// False: nothing more to read.
static bool read_one(struct icmp_socket *s)
{
	uint8_t data[576], control[256];
	struct sockaddr_in6 from = {0};
	struct iovec iov = {data, sizeof(data)};
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct arrival arrival = {.when_us = clock_us(CLOCK_MONOTONIC)};
	ssize_t n = recvmsg(s->fd, &msg, MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR;
	if (msg.msg_flags & MSG_TRUNC)
		return true;
	read_control(&msg, &arrival);
	if (s->fam == FAM_6)
		arrival.from = addr_from(AF_INET6, &from.sin6_addr);
	receive(s, data, (size_t)n, &arrival);
	return true;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct icmp_socket *s = arg;

	(void)fd;
	if (what & EV_TIMEOUT) {
		if (!s->n_asks && clock_us(CLOCK_MONOTONIC) - s->used_us >= IDLE_S * 1000000)
			free_socket(s);
		return;
	}
	for (int i = 0; i < BATCH && s->fd >= 0; i++)
		if (!read_one(s))
			break;
}

// ---- the socket ------------------------------------------------------------------------------

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int attach_filter(const struct icmp_socket *s, int fd)
{
	struct sock_filter filter[ICMP_PACKET_FILTER];
	struct sock_fprog prog = {icmp_filter(s->fam, s->id, filter), filter};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 ? -errno : 0;
}

static int bind_to_link(const struct icmp_socket *s, int fd)
{
	int r = attach_filter(s, fd);

	if (!r && s->mark)
		r = set_int(fd, SOL_SOCKET, SO_MARK, (int)s->mark);
	if (!r && s->ifname[0] &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, s->ifname, (socklen_t)strlen(s->ifname) + 1) < 0)
		r = -errno;
	if (!r)
		r = set_int(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	if (!r)
		r = s->fam == FAM_4 ? set_int(fd, IPPROTO_IP, IP_PKTINFO, 1)
				    : set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	return r;
}

static int open_socket(struct icmp_socket *s)
{
	const struct timeval idle = {.tv_sec = IDLE_S};
	int fd = socket(fam_af(s->fam), SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			s->fam == FAM_4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);

	if (fd < 0)
		return -errno;
	int r = bind_to_link(s, fd);
	if (r) {
		close(fd);
		return r;
	}
	s->fd = fd;
	s->ifindex = s->ifname[0] ? if_nametoindex(s->ifname) : 0;
	s->readable = event_new(s->icmp->base, fd, EV_READ | EV_PERSIST, on_readable, s);
	event_add(s->readable, &idle);
	return 0;
}

static struct icmp_socket *find_socket(struct icmp *icmp, const struct prober_link *link, enum fam fam)
{
	struct icmp_socket *s;

	for (s = icmp->sockets; s; s = s->next)
		if (s->fam == fam && s->mark == link->mark && !strcmp(s->ifname, link->ifname))
			return s;
	s = xcalloc(1, sizeof(*s));
	s->icmp = icmp;
	s->fam = fam;
	s->mark = link->mark;
	snprintf(s->ifname, sizeof(s->ifname), "%s", link->ifname);
	s->fd = -1;
	s->id = fresh_id(icmp);
	fill_random(&s->seq, sizeof(s->seq));
	s->room = ROOM;
	s->asks = xcalloc(s->room, sizeof(struct icmp_ask *));
	s->next = icmp->sockets;
	icmp->sockets = s;
	return s;
}

// ---- sending ---------------------------------------------------------------------------------

// The source goes beside each packet, so one socket serves all addresses of a link. A link-local
// target is left to the kernel: it wants a link-local source.
static void set_source(struct msghdr *msg, const struct addr *source, const struct addr *target)
{
	struct cmsghdr *c = msg->msg_control;
	struct in_pktinfo info4 = {0};
	struct in6_pktinfo info6 = {0};
	bool v4 = source->family == AF_INET;
	size_t size = v4 ? sizeof(info4) : sizeof(info6);

	if (source->family != target->family || (!v4 && addr_is_link_local(target))) {
		msg->msg_control = NULL;
		msg->msg_controllen = 0;
		return;
	}
	memcpy(&info4.ipi_spec_dst, source->b, 4);
	memcpy(&info6.ipi6_addr, source->b, 16);
	msg->msg_controllen = CMSG_SPACE(size);
	c->cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), v4 ? (const void *)&info4 : (const void *)&info6, size);
}

static socklen_t set_destination(struct sockaddr_storage *out, const struct addr *target, uint32_t ifindex)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	out->ss_family = target->family;
	if (target->family == AF_INET) {
		memcpy(&in->sin_addr, target->b, 4);
		return sizeof(*in);
	}
	memcpy(&in6->sin6_addr, target->b, 16);
	in6->sin6_scope_id = addr_is_link_local(target) ? ifindex : 0;
	return sizeof(*in6);
}

static int send_echo(struct icmp_socket *s, const struct icmp_echo *echo, const struct addr *target,
		     const struct addr *source)
{
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = {0};
	uint8_t data[ICMP_PACKET_SIZE];
	struct sockaddr_storage to;
	struct iovec iov = {data, sizeof(data)};
	struct msghdr msg = {
		.msg_name = &to,
		.msg_namelen = set_destination(&to, target, s->ifindex),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
	};

	icmp_build(s->fam, echo, data);
	set_source(&msg, source, target);
	return sendmsg(s->fd, &msg, MSG_DONTWAIT) < 0 ? -errno : 0;
}

// The socket is open and bound to the device as it is now.
static int ready(struct icmp_socket *s, uint32_t ifindex)
{
	if (s->fd >= 0 && s->ifname[0] && ifindex && ifindex != s->ifindex)
		close_socket(s); // the device was made anew
	return s->fd < 0 ? open_socket(s) : 0;
}

static int try_send(struct icmp_socket *s, struct icmp_ask *ask, const struct prober_link *link)
{
	int r = ready(s, link->ifindex);

	if (r)
		return r;
	ask->sent_us = s->used_us = clock_us(CLOCK_MONOTONIC);
	r = send_echo(s, &ask->echo, &ask->target, &link->source);
	if (r == -ENODEV || r == -ENXIO) {
		close_socket(s);
		r = ready(s, link->ifindex);
		return r ? r : send_echo(s, &ask->echo, &ask->target, &link->source);
	}
	if (r == -EPERM) { // a stranger's conntrack entry has this id and target: take another id
		s->id = ask->echo.id = fresh_id(s->icmp);
		r = attach_filter(s, s->fd);
		return r ? r : send_echo(s, &ask->echo, &ask->target, &link->source);
	}
	return r;
}

static void explain(struct answer *failed, int r, const struct icmp_ask *ask)
{
	char target[ADDR_TEXT];

	switch (-r) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EAGAIN:
	case EINTR:
		failed->kind = ANSWER_CANT;
		break;
	default:
		failed->kind = ANSWER_DEAD;
		break;
	}
	snprintf(failed->text, sizeof(failed->text), "can't ask %s: %s", addr_text(&ask->target, target),
		 strerror(-r));
}

struct ask *icmp_ask(struct icmp *icmp, const struct ask_spec *spec, struct answer *failed)
{
	struct icmp_socket *s = find_socket(icmp, spec->link, addr_fam(spec->target));
	struct icmp_ask *ask = keep(s, spec->target);

	if (!ask) {
		*failed = (struct answer){ANSWER_CANT, 0, "too many questions are under way"};
		return NULL;
	}
	int r = try_send(s, ask, spec->link);
	if (!r)
		return &ask->ask;
	explain(failed, r, ask);
	forget(ask);
	return NULL;
}
