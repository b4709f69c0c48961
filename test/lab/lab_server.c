// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_server: two threads, one for UDP and one for TCP, so that long transfers do not delay a 1 kHz stream.
 * Both are an epoll loop over non-blocking sockets; a dual-stack socket per port serves both families.
 */
#include "test/lab/lab_server.h"

#include "test/lab/lab_die.h"
#include "test/lab/lab_ns.h"
#include "test/lab/lab_sock.h"
#include "test/lab/lab_task.h"
#include "test/lab/lab_wait.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 80, DATAGRAM_MAX = 2048, CHUNK = 65536, EVENTS = 64, BACKLOG = 4096, FEED_MS = 5 };

enum peer_kind { PEER_STOP, PEER_DATAGRAMS, PEER_LISTENER, PEER_ASKING, PEER_SOURCE, PEER_SINK };

/* Anything the loops wait for. */
struct peer {
	enum peer_kind kind;
	int fd;
	struct peer *next; /* TCP: all of them, to be closed at the end */
	struct peer **back;
	struct sockaddr_in6 from;
	int64_t rate_bps; /* of a source that is not to send as fast as it can */
	int64_t begun_us, sent;
	bool counted;
};

struct half {
	struct lab_task task;
	struct peer stop;
	struct peer socket[LAB_SERVER_PORTS_MAX];
	int sockets;
	int epoll;
	struct peer *clients;
	int paced; /* of them: sources with a rate */
	struct lab_server *server;
};

struct lab_server {
	struct half udp, tcp;
	atomic_uint_fast64_t asked_tcp, asked_udp;
};

static char chunk[CHUNK];

static void watch(struct half *half, struct peer *peer, uint32_t events)
{
	struct epoll_event event = {.events = events, .data = {.ptr = peer}};

	lab_must(epoll_ctl(half->epoll, EPOLL_CTL_ADD, peer->fd, &event), "epoll");
}

/* "ADDRESS PORT\n" of a client; an IPv4 client of a dual-stack socket as IPv4. Returns its length. */
static size_t write_whoami(const struct sockaddr_in6 *from, char line[ANSWER_MAX])
{
	char address[INET6_ADDRSTRLEN];

	lab_sock_text(from, address);
	return (size_t)snprintf(line, ANSWER_MAX, "%s %d\n", address, ntohs(from->sin6_port));
}

/* ---- UDP ---- */

/* Answers one datagram from the address it was sent to; false when there is none. */
static bool answer_datagram(struct lab_server *server, int fd)
{
	char line[ANSWER_MAX], data[DATAGRAM_MAX], control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct sockaddr_in6 from;
	struct iovec in = {data, sizeof(data)}, out[2];
	struct msghdr message = {.msg_name = &from,
				 .msg_namelen = sizeof(from),
				 .msg_iov = &in,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT);
	struct cmsghdr *where;

	if (length < 0)
		return errno != EAGAIN;
	out[0] = (struct iovec){line, write_whoami(&from, line)};
	out[1] = (struct iovec){data, (size_t)length};
	message.msg_iov = out;
	message.msg_iovlen = 2;
	where = CMSG_FIRSTHDR(&message);
	if (where) /* the interface is routing's choice */
		((struct in6_pktinfo *)(void *)CMSG_DATA(where))->ipi6_ifindex = 0;
	atomic_fetch_add(&server->asked_udp, 1);
	sendmsg(fd, &message, MSG_NOSIGNAL);
	return true;
}

static void udp_run(struct lab_task *task)
{
	struct half *half = (struct half *)task;
	struct epoll_event events[EVENTS];

	lab_task_hurry();
	for (;;) {
		int count = epoll_wait(half->epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			struct peer *peer = events[i].data.ptr;

			if (peer->kind == PEER_STOP)
				return;
			for (int n = 0; n < 64 && answer_datagram(half->server, peer->fd); n++)
				;
		}
	}
}

/* ---- TCP ---- */

static void add_client(struct half *half, int fd, const struct sockaddr_in6 *from)
{
	struct peer *peer = lab_alloc(1, sizeof(*peer));

	peer->kind = PEER_ASKING;
	peer->fd = fd;
	peer->from = *from;
	peer->next = half->clients;
	peer->back = &half->clients;
	if (peer->next)
		peer->next->back = &peer->next;
	half->clients = peer;
	watch(half, peer, EPOLLIN);
}

static void drop_client(struct half *half, struct peer *peer)
{
	half->paced -= peer->rate_bps != 0;
	*peer->back = peer->next;
	if (peer->next)
		peer->next->back = peer->back;
	/* closing is not enough while a child that is about to exec still has the descriptor too */
	epoll_ctl(half->epoll, EPOLL_CTL_DEL, peer->fd, NULL);
	close(peer->fd);
	free(peer);
}

static void accept_clients(struct half *half, int listener)
{
	struct sockaddr_in6 from;
	socklen_t length = sizeof(from);
	int fd;

	while ((fd = accept4(listener, (struct sockaddr *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		add_client(half, fd, &from);
}

static void answer_http(const struct peer *peer)
{
	char line[ANSWER_MAX], text[256];
	size_t length = write_whoami(&peer->from, line);

	length = (size_t)snprintf(
		text, sizeof(text),
		"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s", length, line);
	send(peer->fd, text, length, MSG_NOSIGNAL);
	shutdown(peer->fd, SHUT_WR);
}

/* "source\n" or "source RATE\n" */
static void start_source(struct half *half, struct peer *peer, const char *rate)
{
	struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = peer}};

	peer->kind = PEER_SOURCE;
	peer->rate_bps = strtoll(rate, NULL, 10);
	peer->begun_us = lab_now_us();
	if (peer->rate_bps == 0)
		event.events |= EPOLLOUT;
	half->paced += peer->rate_bps != 0;
	lab_must(epoll_ctl(half->epoll, EPOLL_CTL_MOD, peer->fd, &event), "epoll");
}

static void take_request(struct half *half, struct peer *peer, const char *request)
{
	char line[ANSWER_MAX];

	if (!strncmp(request, "GET ", 4)) {
		peer->kind = PEER_SINK;
		answer_http(peer);
	} else if (!strncmp(request, "source", 6)) {
		start_source(half, peer, request + 6);
	} else if (!strncmp(request, "sink\n", 5)) {
		peer->kind = PEER_SINK;
	} else {
		if (!peer->counted)
			atomic_fetch_add(&half->server->asked_tcp, 1);
		peer->counted = true;
		send(peer->fd, line, write_whoami(&peer->from, line), MSG_NOSIGNAL);
	}
}

/* Reads what a client sent; false when it has gone. */
static bool read_client(struct half *half, struct peer *peer)
{
	char data[CHUNK];
	ssize_t length = recv(peer->fd, data, sizeof(data) - 1, 0);

	if (length < 0)
		return errno == EAGAIN;
	if (length == 0)
		return false;
	data[length] = '\0';
	if (peer->kind == PEER_ASKING)
		take_request(half, peer, data);
	return true;
}

static void serve_client(struct half *half, struct peer *peer, uint32_t events)
{
	bool alive = true;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		alive = read_client(half, peer);
	if (alive && (events & EPOLLOUT))
		alive = send(peer->fd, chunk, sizeof(chunk), MSG_NOSIGNAL) >= 0 || errno == EAGAIN;
	if (!alive)
		drop_client(half, peer);
}

/* Sends what is due on every source with a rate. */
static void feed_sources(struct half *half)
{
	for (struct peer *peer = half->clients; peer; peer = peer->next) {
		int64_t due = (lab_now_us() - peer->begun_us) * (peer->rate_bps / 8) / 1000000 - peer->sent;
		ssize_t sent = 0;

		if (peer->rate_bps == 0)
			continue;
		if (due > 0)
			sent = send(peer->fd, chunk, due < CHUNK ? (size_t)due : CHUNK, MSG_NOSIGNAL);
		peer->sent += sent > 0 ? sent : 0;
	}
}

static void tcp_run(struct lab_task *task)
{
	struct half *half = (struct half *)task;
	struct epoll_event events[EVENTS];

	for (;;) {
		int count = epoll_wait(half->epoll, events, EVENTS, half->paced ? FEED_MS : -1);

		if (half->paced)
			feed_sources(half);
		for (int i = 0; i < count; i++) {
			struct peer *peer = events[i].data.ptr;

			if (peer->kind == PEER_STOP)
				return;
			if (peer->kind == PEER_LISTENER)
				accept_clients(half, peer->fd);
			else
				serve_client(half, peer, events[i].events);
		}
	}
}

/* ---- both ---- */

static int open_socket(int type, uint16_t port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = lab_must(socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "a server's socket");

	lab_sock_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	lab_sock_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if (type == SOCK_DGRAM) {
		lab_sock_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
		lab_sock_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20);
		lab_sock_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, 8 << 20);
	}
	lab_must(bind(fd, (struct sockaddr *)&any, sizeof(any)), "bind of a server");
	if (type == SOCK_STREAM)
		lab_must(listen(fd, BACKLOG), "listen");
	return fd;
}

static void discard(struct lab_task *task)
{
	lab_server_stop(((struct half *)task)->server);
}

static void start_half(struct lab *lab, struct half *half, struct lab_ns *ns, int type, const uint16_t *ports)
{
	int before = lab_ns_enter(ns);

	half->epoll = lab_must(epoll_create1(EPOLL_CLOEXEC), "epoll");
	for (; *ports; ports++) {
		struct peer *peer = &half->socket[half->sockets++];

		if (half->sockets > LAB_SERVER_PORTS_MAX)
			lab_die("at most %d ports for one server", LAB_SERVER_PORTS_MAX);
		peer->kind = type == SOCK_STREAM ? PEER_LISTENER : PEER_DATAGRAMS;
		peer->fd = open_socket(type, *ports);
		watch(half, peer, EPOLLIN);
	}
	lab_ns_leave(before);
	lab_task_start(lab, &half->task, ns, type == SOCK_STREAM ? tcp_run : udp_run, discard);
	half->stop = (struct peer){.kind = PEER_STOP, .fd = half->task.stop_fd};
	watch(half, &half->stop, EPOLLIN);
}

struct lab_server *lab_server_start(struct lab *lab, struct lab_ns *ns, const uint16_t *ports)
{
	static const uint16_t usual[] = {7, 53, 80, 443, 5060, 7000, 9000, 0};
	struct lab_server *server = lab_alloc(1, sizeof(*server));

	server->udp.server = server->tcp.server = server;
	start_half(lab, &server->udp, ns, SOCK_DGRAM, ports ? ports : usual);
	start_half(lab, &server->tcp, ns, SOCK_STREAM, ports ? ports : usual);
	return server;
}

struct lab_served lab_server_served(const struct lab_server *server)
{
	return (struct lab_served){.tcp = atomic_load(&server->asked_tcp),
				   .udp = atomic_load(&server->asked_udp)};
}

static void end_half(struct half *half)
{
	lab_task_end(&half->task);
	while (half->clients)
		drop_client(half, half->clients);
	for (int i = 0; i < half->sockets; i++)
		close(half->socket[i].fd);
	close(half->epoll);
}

void lab_server_stop(struct lab_server *server)
{
	end_half(&server->udp);
	end_half(&server->tcp);
	free(server);
}
