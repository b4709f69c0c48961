// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/tcp.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gwd/base/alloc.h"
#include "gwd/base/mono.h"
#include "gwd/core/model.h"
#include "probes/ask.h"
#include "probes/link_socket.h"
#include "probes/turn.h"

struct tcp_ask {
	struct ask ask;
	int fd;
	struct event *writable;
	struct addr target;
	uint16_t port;
	int64_t begun_us;
};

static void end(struct tcp_ask *tcp)
{
	event_free(tcp->writable);
	close(tcp->fd);
	free(tcp);
}

static void cancel(struct ask *ask)
{
	end((struct tcp_ask *)ask);
}

// The kernel knows when the answer came, however late we look.
static double round_trip_ms(const struct tcp_ask *tcp)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	if (!getsockopt(tcp->fd, IPPROTO_TCP, TCP_INFO, &info, &size) && info.tcpi_rtt)
		return info.tcpi_rtt / 1000.0;
	return (double)(mono_now_us() - tcp->begun_us) / 1000;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct tcp_ask *tcp = arg;
	struct ask head = tcp->ask;
	struct answer answer = {.kind = ANSWER_ALIVE};
	char where[LINK_WHERE];
	int error = 0;
	socklen_t size = sizeof(error);

	(void)what;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	answer.rtt_ms = round_trip_ms(tcp);
	link_where(&tcp->target, tcp->port, where);
	if (error) {
		answer.kind = ANSWER_DEAD;
		snprintf(answer.text, sizeof(answer.text), "%s: %s", where, strerror(error));
	} else {
		snprintf(answer.text, sizeof(answer.text), "%s takes connections", where);
	}
	end(tcp);
	head.cb(head.arg, head.id, &answer);
}

struct ask *tcp_ask(struct event_base *base, const struct ask_spec *spec, struct answer *failed)
{
	static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	struct sockaddr_storage to;
	uint16_t port = spec->probe->port;
	socklen_t size = link_sockaddr(&to, spec->target, port, spec->link->ifindex);
	char where[LINK_WHERE];
	int fd = link_socket_open(SOCK_STREAM, spec->link, spec->target), r = fd < 0 ? fd : 0;

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		if (connect(fd, (struct sockaddr *)&to, size) < 0 && errno != EINPROGRESS)
			r = -errno;
	}
	if (r) {
		if (fd >= 0)
			close(fd);
		link_failed(failed, link_where(spec->target, port, where), r);
		return NULL;
	}
	struct tcp_ask *tcp = xcalloc(1, sizeof(*tcp));
	tcp->ask.cancel = cancel;
	tcp->fd = fd;
	tcp->target = *spec->target;
	tcp->port = port;
	tcp->begun_us = mono_now_us();
	tcp->writable = turn_first(event_new(base, fd, EV_WRITE, on_writable, tcp));
	event_add(tcp->writable, NULL);
	return &tcp->ask;
}
