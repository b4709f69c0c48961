// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/control.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/command.h"
#include "gwd/control_access.h"
#include "gwd/control_socket.h"
#include "gwd/engine.h"
#include "gwd/events.h"
#include "gwd/request.h"

#define CLIENTS_MAX 16
#define REQUEST_S 5          // a client's time to send its request
#define REPLY_S 30           // and to take its reply
#define FOLLOWERS_MAX 8      // clients that stay: the others find a place
#define BACKLOG_MAX 262144   // bytes that a follower may leave unread
#define ACCEPT_RETRY_S 1     // when no descriptor is left
#define REFUSAL_LOG_MS 60000 // a stranger who tries again and again doesn't fill the log

struct client {
	LIST_ENTRY(client) link;
	struct bufferevent *bev;
	struct event *deadline;
	bool answered;
	struct later *later;                                          // what it waits for
	struct stream *stream;                                        // what is still to be said
	struct event *pump;                                           // says the next part of it
	void (*follow)(const struct change *change, struct buf *out); // as in struct reply
	struct events_watch watch;                                    // while `follow`
};

static struct {
	struct event_base *base;
	struct engine *engine;
	struct control_socket socket;
	bool claimed; // `socket` holds its lock
	struct evconnlistener *listener;
	struct event *retry;
	LIST_HEAD(, client) clients;
	size_t n_clients, n_followers;
	bool was_refused;
	int64_t refused_ms;
} control;

// ---- clients ---------------------------------------------------------------------------------

static void client_free(struct client *client)
{
	LIST_REMOVE(client, link);
	control.n_clients--;
	if (client->later)
		client->later->cancel(client->later);
	if (client->stream)
		client->stream->close(client->stream);
	if (client->follow) {
		events_unwatch(engine_events(control.engine), &client->watch);
		control.n_followers--;
	}
	bufferevent_free(client->bev);
	event_free(client->deadline);
	event_free(client->pump);
	free(client);
	if (control.listener)
		evconnlistener_enable(control.listener);
}

static void client_set_deadline(struct client *client, int seconds)
{
	evtimer_add(client->deadline, &(struct timeval){.tv_sec = seconds});
}

// Whoever doesn't read what follows is dropped by the deadline.
static void client_on_change(void *arg, const struct change *change)
{
	struct client *client = arg;
	struct evbuffer *out = bufferevent_get_output(client->bev);
	struct buf line = {0};
	if (evbuffer_get_length(out) > BACKLOG_MAX)
		return;
	if (!evbuffer_get_length(out))
		client_set_deadline(client, REPLY_S);
	client->follow(change, &line);
	evbuffer_add(out, line.text, line.n);
	buf_free(&line);
}

static void client_follow(struct client *client, const struct reply *reply)
{
	client->follow = reply->follow;
	client->watch = (struct events_watch){.told = client_on_change, .arg = client};
	events_watch(engine_events(control.engine), &client->watch);
	control.n_followers++;
}

// One part, when the one before it is on its way: a dump of any length needs no more room than that.
static void client_on_pump(evutil_socket_t fd, short what, void *arg)
{
	struct client *client = arg;
	struct buf part = {0};
	(void)fd, (void)what;
	bool more = client->stream->more(client->stream, &part), said = part.n > 0;
	evbuffer_add(bufferevent_get_output(client->bev), buf_text(&part), part.n);
	buf_free(&part);
	if (said)
		client_set_deadline(client, REPLY_S);
	if (more && !said)
		evtimer_add(client->pump, &(struct timeval){0});
	if (more)
		return;
	client->stream->close(client->stream);
	client->stream = NULL;
	if (!said)
		client_free(client);
}

static void client_reply(struct client *client, struct reply *reply)
{
	struct evbuffer *out = bufferevent_get_output(client->bev);
	if (reply->follow && control.n_followers >= FOLLOWERS_MAX) {
		buf_clear(&reply->body);
		buf_printf(&reply->body, "%d clients follow the events already\n", FOLLOWERS_MAX);
		reply->exit = REPLY_FAILED;
		reply->follow = NULL;
	}
	client->answered = true;
	client->stream = reply->stream;
	if (reply->follow)
		client_follow(client, reply); // and reads on, to see the client go
	else if (!reply->stream)
		bufferevent_disable(client->bev, EV_READ);
	client_set_deadline(client, REPLY_S);
	evbuffer_add_printf(out, "{\"exit\":%d,\"bytes\":%zu%s}\n", (int)reply->exit, reply->body.n,
			    reply->follow || reply->stream ? ",\"follow\":true" : "");
	evbuffer_add(out, buf_text(&reply->body), reply->body.n);
}

static void client_on_later(void *arg, struct reply *reply)
{
	struct client *client = arg;
	client->later = NULL;
	client_reply(client, reply);
}

static void client_wait(struct client *client, struct later *later)
{
	client->answered = true; // whatever else it may send is not read
	client->later = later;
	later->done = client_on_later;
	later->arg = client;
	client_set_deadline(client, REPLY_S);
}

static void client_on_read(struct bufferevent *bev, void *arg)
{
	struct client *client = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	struct evbuffer_ptr end = evbuffer_search_eol(in, NULL, NULL, EVBUFFER_EOL_LF);
	struct reply reply = {0};
	if (client->answered) {
		evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	if (end.pos >= 0) {
		const char *line = (const char *)evbuffer_pullup(in, end.pos + 1);
		command_run(control.engine, line, (size_t)end.pos, &reply);
	} else if (evbuffer_get_length(in) >= REQUEST_MAX) {
		reply.exit = REPLY_USAGE;
		buf_printf(&reply.body, "a request is at most %d bytes\n", REQUEST_MAX);
	} else {
		return;
	}
	if (reply.later)
		client_wait(client, reply.later);
	else
		client_reply(client, &reply);
	buf_free(&reply.body);
}

static void client_on_written(struct bufferevent *bev, void *arg)
{
	struct client *client = arg;
	(void)bev;
	if (client->follow)
		evtimer_del(client->deadline);
	else if (client->stream)
		evtimer_add(client->pump, &(struct timeval){0});
	else if (client->answered && !client->later)
		client_free(client);
}

static void client_on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev, (void)what; // the end of file, or an error: there is nobody to answer
	client_free(arg);
}

static void client_on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	log_debug("control", "a client took too long and is dropped");
	client_free(arg);
}

static void client_new(int fd)
{
	struct client *client = xcalloc(1, sizeof(*client));
	client->bev = bufferevent_socket_new(control.base, fd, BEV_OPT_CLOSE_ON_FREE);
	client->deadline = evtimer_new(control.base, client_on_deadline, client);
	client->pump = evtimer_new(control.base, client_on_pump, client);
	if (!client->bev || !client->deadline || !client->pump)
		abort();
	bufferevent_setcb(client->bev, client_on_read, client_on_written, client_on_event, client);
	bufferevent_setwatermark(client->bev, EV_READ, 0, REQUEST_MAX);
	bufferevent_enable(client->bev, EV_READ | EV_WRITE);
	client_set_deadline(client, REQUEST_S);
	LIST_INSERT_HEAD(&control.clients, client, link);
	if (++control.n_clients >= CLIENTS_MAX)
		evconnlistener_disable(control.listener); // the others wait in the kernel's queue
}

// ---- the door --------------------------------------------------------------------------------

static void refuse(int fd, const char *why)
{
	struct buf line = {0};
	int64_t now_ms = mono_now_ms();
	size_t bytes = strlen("refused: \n") + strlen(why);
	buf_printf(&line, "{\"exit\":%d,\"bytes\":%zu}\nrefused: %s\n", REPLY_FAILED, bytes, why);
	send(fd, line.text, line.n, MSG_DONTWAIT | MSG_NOSIGNAL); // a new socket has room for a line
	buf_free(&line);
	close(fd);
	if (control.was_refused && now_ms - control.refused_ms < REFUSAL_LOG_MS)
		return;
	control.was_refused = true;
	control.refused_ms = now_ms;
	log_warn("control", "refused: %s", why);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *addr, int len,
		      void *arg)
{
	struct err err;
	(void)listener, (void)addr, (void)len, (void)arg;
	if (control_access_check(fd, &control.socket.group, &err) < 0)
		refuse(fd, err.text);
	else if (control.n_clients >= CLIENTS_MAX)
		refuse(fd, "too many clients at once, try again");
	else
		client_new(fd);
}

static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	(void)arg;
	log_warn("control", "a client can't be accepted: %s", strerror(errno));
	evconnlistener_disable(listener); // or it would be tried again and again at once
	evtimer_add(control.retry, &(struct timeval){.tv_sec = ACCEPT_RETRY_S});
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	if (control.n_clients < CLIENTS_MAX)
		evconnlistener_enable(control.listener);
}

// ---- opening and closing ---------------------------------------------------------------------

static void listen_on(void)
{
	control.listener = evconnlistener_new(control.base, on_accept, NULL, LEV_OPT_CLOSE_ON_EXEC, 0,
					      control.socket.fd);
	if (!control.listener)
		abort();
	evconnlistener_set_error_cb(control.listener, on_accept_error);
}

int control_claim(const char *path, struct err *err)
{
	assert(!control.claimed);
	int rc = control_socket_claim(&control.socket, path, err);
	control.claimed = rc == 0;
	return rc;
}

int control_open(struct event_base *base, struct engine *engine, const char *path, const char *group,
		 struct err *err)
{
	assert(!control.listener);
	if (control.claimed && strcmp(path, control.socket.path) != 0)
		control_close();
	int rc = control.claimed ? 0 : control_claim(path, err);
	if (rc == 0)
		rc = control_socket_open(&control.socket, group, err);
	control.claimed = rc == 0;
	if (rc < 0)
		return rc;
	control.base = base;
	control.engine = engine;
	control.retry = evtimer_new(base, on_retry, NULL);
	listen_on();
	return 0;
}

int control_update(const char *path, const char *group, struct err *err)
{
	struct control_socket socket;
	assert(control.listener);
	if (!strcmp(path, control.socket.path))
		return control_socket_regroup(&control.socket, group, err);
	int rc = control_socket_claim(&socket, path, err);
	if (rc == 0)
		rc = control_socket_open(&socket, group, err);
	if (rc < 0)
		return rc;
	evconnlistener_free(control.listener);
	control_socket_close(&control.socket);
	control.socket = socket;
	listen_on();
	return 0;
}

void control_close(void)
{
	while (!LIST_EMPTY(&control.clients))
		client_free(LIST_FIRST(&control.clients));
	if (control.listener) {
		evconnlistener_free(control.listener);
		control.listener = NULL;
		event_free(control.retry);
	}
	if (control.claimed)
		control_socket_close(&control.socket);
	control.claimed = false;
}
