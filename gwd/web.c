// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/web.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gwd/base/addr.h"
#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"
#include "gwd/base/log.h"
#include "gwd/web_page.h"
#include "gwd/web_request.h"
#include "probes/link_socket.h"

#define CLIENTS_MAX 8
#define REQUEST_S 5 // a client's time to send its request
#define REPLY_S 10  // and to take its reply
#define RETRY_S 10  // when the address is taken, or no descriptor is left

struct web_client {
	TAILQ_ENTRY(web_client) link;
	struct bufferevent *bev;
	struct event *deadline;
	bool answered;
};

static struct {
	struct event_base *base;
	struct engine *engine;
	struct addr addr;
	uint16_t port; // 0: closed
	struct evconnlistener *listener;
	struct event *retry;
	struct event *tidy;               // pages that nobody asks for any more
	bool told;                        // why it can't listen
	TAILQ_HEAD(, web_client) clients; // the oldest first
	size_t n_clients;
} web;

// ---- clients -------------------------------------------------------------------------------------

static void client_free(struct web_client *client)
{
	TAILQ_REMOVE(&web.clients, client, link);
	web.n_clients--;
	bufferevent_free(client->bev);
	event_free(client->deadline);
	free(client);
}

static const char *reason_of(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 421:
		return "Misdirected Request";
	case 431:
		return "Request Header Fields Too Large";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Bad Request";
	}
}

static void tidy_later(void)
{
	int64_t wait_us = web_page_tidy();
	if (wait_us)
		evtimer_add(web.tidy, &(struct timeval){.tv_sec = wait_us / 1000000 + 1});
	else
		alloc_give_back();
}

static void on_tidy(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	tidy_later();
}

static void client_answer(struct web_client *client, int status, bool head, const char *path)
{
	struct evbuffer *out = bufferevent_get_output(client->bev);
	const struct web_page *page = status == 200 ? web_page(web.engine, path) : NULL;
	struct buf sorry = {0};
	if (status == 200 && !page)
		status = 404;
	buf_printf(&sorry, "%s\n", reason_of(status));
	const struct buf *body = page ? page->body : &sorry;
	evbuffer_add_printf(
		out,
		"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n"
		"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
		"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
		"frame-ancestors 'none'\r\n%s\r\n",
		status, reason_of(status), page ? page->type : "text/plain", body->n,
		status == 405 ? "Allow: GET, HEAD\r\n" : "");
	if (!head)
		evbuffer_add(out, buf_text(body), body->n);
	buf_free(&sorry);
	if (page && !evtimer_pending(web.tidy, NULL))
		tidy_later();
	client->answered = true;
	evtimer_add(client->deadline, &(struct timeval){.tv_sec = REPLY_S});
}

static bool is_ours(const struct web_request *request)
{
	char own[HOST_NAME_MAX + 1] = "";
	gethostname(own, sizeof(own) - 1);
	return web_request_is_ours(request, own);
}

static void client_on_read(struct bufferevent *bev, void *arg)
{
	struct web_client *client = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t n = evbuffer_get_length(in);
	struct web_request request;
	if (!client->answered) {
		const char *head = (const char *)evbuffer_pullup(in, -1);
		if (web_request_whole(head, n)) {
			int status = web_request_parse(&request, head, n);
			if (status == 200 && !is_ours(&request))
				status = 421;
			client_answer(client, status, request.head, request.path);
		} else if (n >= WEB_REQUEST_MAX) {
			client_answer(client, 431, false, NULL);
		}
	}
	if (client->answered) // read on: what is left unread would reset the connection under the answer
		evbuffer_drain(in, evbuffer_get_length(in));
}

static void client_on_written(struct bufferevent *bev, void *arg)
{
	struct web_client *client = arg;
	if (client->answered) // the client closes, or the deadline comes
		shutdown(bufferevent_getfd(bev), SHUT_WR);
}

static void client_on_event(struct bufferevent *bev, short what, void *arg)
{
	struct web_client *client = arg;
	bool unsent = evbuffer_get_length(bufferevent_get_output(bev)) > 0;
	if ((what & BEV_EVENT_EOF) && client->answered && unsent)
		bufferevent_disable(bev, EV_READ); // it has said all that it wanted, and still listens
	else
		client_free(client);
}

static void client_on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	client_free(arg);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *addr, int len,
		      void *arg)
{
	(void)listener, (void)addr, (void)len, (void)arg;
	if (!link_may_keep(fd)) {
		close(fd);
		return;
	}
	struct web_client *client = xcalloc(1, sizeof(*client));
	client->bev = bufferevent_socket_new(web.base, fd, BEV_OPT_CLOSE_ON_FREE);
	client->deadline = evtimer_new(web.base, client_on_deadline, client);
	if (!client->bev || !client->deadline)
		abort();
	bufferevent_setcb(client->bev, client_on_read, client_on_written, client_on_event, client);
	bufferevent_setwatermark(client->bev, EV_READ, 0, WEB_REQUEST_MAX);
	bufferevent_enable(client->bev, EV_READ | EV_WRITE);
	evtimer_add(client->deadline, &(struct timeval){.tv_sec = REQUEST_S});
	TAILQ_INSERT_TAIL(&web.clients, client, link);
	if (++web.n_clients > CLIENTS_MAX) // whoever just sits there keeps nobody out
		client_free(TAILQ_FIRST(&web.clients));
}

// ---- the door ------------------------------------------------------------------------------------

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	(void)arg;
	log_warn("http", "a client can't be accepted: %s", strerror(errno));
	evconnlistener_disable(listener); // or it would be tried again and again at once
	evtimer_add(web.retry, &(struct timeval){.tv_sec = RETRY_S});
}

// Also on an address that is not there yet.
static int listen_fd(void)
{
	struct sockaddr_storage at;
	socklen_t size = link_sockaddr(&at, &web.addr, web.port, 0);
	int fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_IP, IP_FREEBIND, &on, sizeof(on)); // good for IPv6, too
	if (bind(fd, (struct sockaddr *)&at, size) < 0 || listen(fd, CLIENTS_MAX) < 0) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static void listen_on(void)
{
	char text[ADDR_TEXT];
	int fd = listen_fd();
	if (fd < 0) {
		if (!web.told)
			log_warn("http", "no page on %s port %u: %s; this is tried again, all else goes on",
				 addr_text(&web.addr, text), web.port, strerror(-fd));
		web.told = true;
		evtimer_add(web.retry, &(struct timeval){.tv_sec = RETRY_S});
		return;
	}
	web.told = false;
	web.listener = evconnlistener_new(web.base, on_accept, NULL,
					  LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE, 0, fd);
	if (!web.listener)
		abort();
	evconnlistener_set_error_cb(web.listener, on_accept_error);
	log_info("http", "the page is on %s port %u", addr_text(&web.addr, text), web.port);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	if (!web.listener)
		listen_on();
	else
		evconnlistener_enable(web.listener);
}

void web_open(struct event_base *base, struct engine *engine, const struct addr *addr, uint16_t port)
{
	web.base = base;
	web.engine = engine;
	web.addr = *addr;
	web.port = port;
	web.told = false;
	TAILQ_INIT(&web.clients);
	if (!port)
		return;
	web.retry = evtimer_new(base, on_retry, NULL);
	web.tidy = evtimer_new(base, on_tidy, NULL);
	listen_on();
}

void web_update(const struct addr *addr, uint16_t port)
{
	if (port == web.port && addr_equal(addr, &web.addr))
		return;
	struct event_base *base = web.base;
	struct engine *engine = web.engine;
	web_close();
	web_open(base, engine, addr, port);
}

void web_close(void)
{
	if (web.listener)
		evconnlistener_free(web.listener);
	web.listener = NULL;
	while (web.n_clients)
		client_free(TAILQ_FIRST(&web.clients));
	if (web.retry)
		event_free(web.retry);
	if (web.tidy)
		event_free(web.tidy);
	web.retry = web.tidy = NULL;
	web.port = 0;
	web_page_forget();
}
