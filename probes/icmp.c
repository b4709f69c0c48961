// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/icmp.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "gwd/base/alloc.h"
#include "gwd/base/mono.h"
#include "gwd/base/vec.h"
#include "probes/ask.h"
#include "probes/icmp_packet.h"
#include "probes/icmp_socket.h"
#include "probes/link_socket.h"
#include "probes/turn.h"

#define IDLE_S 60LL // a socket that was not used for so long is closed
#define BATCH 64    // packets read in one turn
#define ROOM 16     // questions under way per socket, to begin with

struct icmp_ask {
	struct ask ask;
	struct icmp_channel *socket;
	struct addr target;
	struct icmp_echo echo;
	int64_t sent_us;
};

struct icmp_channel {
	struct icmp *icmp;
	struct icmp_channel *next;
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
	struct icmp_channel *sockets;
	uint16_t last_id;
	uint64_t nonces[32];
	size_t n_nonces;
};

// ---- clocks and chance -----------------------------------------------------------------------

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
	for (const struct icmp_channel *s = icmp->sockets; s; s = s->next)
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

static void close_channel(struct icmp_channel *s)
{
	if (s->fd < 0)
		return;
	event_free(s->readable);
	s->readable = NULL;
	close(s->fd);
	s->fd = -1;
}

static void free_channel(struct icmp_channel *s)
{
	struct icmp_channel **at = &s->icmp->sockets;

	assert(s->n_asks == 0);
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	close_channel(s);
	free(s->asks);
	free(s);
}

void icmp_free(struct icmp *icmp)
{
	while (icmp->sockets)
		free_channel(icmp->sockets);
	free(icmp);
}

// ---- questions under way ---------------------------------------------------------------------

static struct icmp_ask **place(struct icmp_channel *s, uint16_t seq)
{
	return &s->asks[seq & (s->room - 1)];
}

static void double_room(struct icmp_channel *s)
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
static struct icmp_ask *keep(struct icmp_channel *s, const struct addr *target)
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

static void receive(struct icmp_channel *s, const uint8_t *data, size_t size,
		    const struct icmp_arrival *arrival)
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

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct icmp_channel *s = arg;
	struct icmp_arrival arrival;
	uint8_t data[ICMP_SOCKET_ROOM];

	(void)fd;
	if (what & EV_TIMEOUT) {
		if (!s->n_asks && mono_now_us() - s->used_us >= IDLE_S * 1000000)
			free_channel(s);
		return;
	}
	// while nobody waits, whether there is more is not worth a look
	for (int i = 0; i < BATCH && s->fd >= 0 && (!i || s->n_asks); i++) {
		ssize_t n = icmp_socket_receive(s->fd, data, &arrival);

		if (n < 0)
			break;
		if (n > 0)
			receive(s, data, (size_t)n, &arrival);
	}
}

// ---- the socket ------------------------------------------------------------------------------

static int open_channel(struct icmp_channel *s)
{
	const struct timeval idle = {.tv_sec = IDLE_S};
	int fd = icmp_socket_open(s->fam, s->ifname, s->mark, s->id);

	if (fd < 0)
		return fd;
	s->fd = fd;
	s->ifindex = s->ifname[0] ? if_nametoindex(s->ifname) : 0;
	s->readable = turn_first(event_new(s->icmp->base, fd, EV_READ | EV_PERSIST, on_readable, s));
	event_add(s->readable, &idle);
	return 0;
}

static struct icmp_channel *find_channel(struct icmp *icmp, const struct prober_link *link, enum fam fam)
{
	struct icmp_channel *s;

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

// The socket is open and bound to the device as it is now.
static int ready(struct icmp_channel *s, uint32_t ifindex)
{
	if (s->fd >= 0 && s->ifname[0] && ifindex && ifindex != s->ifindex)
		close_channel(s); // the device was made anew
	return s->fd < 0 ? open_channel(s) : 0;
}

static int send_echo(struct icmp_channel *s, struct icmp_ask *ask, const struct addr *source)
{
	uint8_t data[ICMP_PACKET_SIZE];

	icmp_build(s->fam, &ask->echo, data);
	ask->sent_us = s->used_us = mono_now_us();
	return icmp_socket_send(s->fd, data, sizeof(data), &ask->target, source, s->ifindex);
}

static int try_send(struct icmp_channel *s, struct icmp_ask *ask, const struct prober_link *link)
{
	int r = ready(s, link->ifindex);

	if (r)
		return r;
	r = send_echo(s, ask, &link->source);
	if (r && link_is_stale(s->ifname, s->ifindex)) {
		close_channel(s);
		r = ready(s, link->ifindex);
		return r ? r : send_echo(s, ask, &link->source);
	}
	// Perhaps a stranger's conntrack entry has this id and target: take another id, unless that would
	// cost the answers to other questions.
	if (r == -EPERM && s->n_asks == 1) {
		s->id = ask->echo.id = fresh_id(s->icmp);
		r = icmp_socket_set_id(s->fd, s->fam, s->id);
		return r ? r : send_echo(s, ask, &link->source);
	}
	return r;
}

// Opening takes CAP_NET_RAW and CAP_NET_ADMIN: to lack them is no evidence against the target. Once
// there is a socket, EPERM is a packet filter's.
static void explain(struct answer *failed, int r, const struct icmp_ask *ask)
{
	char target[ADDR_TEXT];

	link_failed(failed, addr_text(&ask->target, target), r);
	if (ask->socket->fd < 0 && (r == -EPERM || r == -EACCES))
		failed->kind = ANSWER_CANT;
}

struct ask *icmp_ask(struct icmp *icmp, const struct ask_spec *spec, struct answer *failed)
{
	struct icmp_channel *s = find_channel(icmp, spec->link, addr_fam(spec->target));
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
