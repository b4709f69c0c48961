// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/lookup.h"

#include <ares.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "gwd/base/vec.h"
#include "probes/link_socket.h"
#include "probes/turn.h"

#define TRY_MS 1000
#define TRIES 2
#define WHY_TEXT 160

struct lookup {
	struct event_base *base;
	char *name;
	enum fam fam;
	uint32_t mark;
	lookup_cb cb;
	void *arg;
	ares_channel channel;
	VEC(struct event *) sockets;
	struct event *timer; // of c-ares; once it is over: to clean up outside of c-ares' callbacks
	bool over;
	VEC(struct addr) found;
	int ttl_s;
	int status;
};

// ---- the end ---------------------------------------------------------------------------------

void lookup_cancel(struct lookup *lookup)
{
	lookup->over = true; // what ares_destroy() calls back is not news
	ares_destroy(lookup->channel);
	vec_each(&lookup->sockets, event)
		event_free(*event);
	vec_free(&lookup->sockets);
	vec_free(&lookup->found);
	event_free(lookup->timer);
	free(lookup->name);
	free(lookup);
}

static void explain(const struct lookup *lookup, char why[WHY_TEXT])
{
	if (lookup->status == ARES_ENODATA || lookup->status == ARES_ENOTFOUND)
		snprintf(why, WHY_TEXT, "%.64s has no %s address", lookup->name,
			 lookup->fam == FAM_4 ? "IPv4" : "IPv6");
	else
		snprintf(why, WHY_TEXT, "can't look up %.64s: %s", lookup->name,
			 ares_strerror(lookup->status));
}

static void conclude(struct lookup *lookup)
{
	char why[WHY_TEXT];
	explain(lookup, why);
	lookup->cb(lookup->arg, lookup->found.v, lookup->found.n, (unsigned)lookup->ttl_s, why);
	lookup_cancel(lookup);
}

// ---- c-ares and the loop -----------------------------------------------------------------------

static void rearm(struct lookup *lookup)
{
	static const struct timeval at_once = {0};
	struct timeval tv;

	if (lookup->over)
		event_add(lookup->timer, &at_once);
	else if (ares_timeout(lookup->channel, NULL, &tv))
		event_add(lookup->timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct lookup *lookup = arg;

	(void)fd, (void)what;
	if (lookup->over) {
		conclude(lookup);
		return;
	}
	ares_process_fd(lookup->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	rearm(lookup);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct lookup *lookup = arg;

	ares_process_fd(lookup->channel, what & EV_READ ? fd : ARES_SOCKET_BAD,
			what & EV_WRITE ? fd : ARES_SOCKET_BAD);
	rearm(lookup);
}

static void forget_socket(struct lookup *lookup, ares_socket_t fd)
{
	for (size_t i = 0; i < lookup->sockets.n; i++) {
		if (event_get_fd(lookup->sockets.v[i]) != fd)
			continue;
		event_free(lookup->sockets.v[i]);
		lookup->sockets.v[i] = lookup->sockets.v[--lookup->sockets.n];
		return;
	}
}

static void watch_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct lookup *lookup = arg;
	short events = (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));

	forget_socket(lookup, fd);
	if (!events)
		return;
	struct event *event =
		turn_first(event_new(lookup->base, fd, (short)(events | EV_PERSIST), on_socket, lookup));
	event_add(event, NULL);
	vec_push(&lookup->sockets, event);
}

static int mark_socket(ares_socket_t fd, int type, void *arg)
{
	const struct lookup *lookup = arg;

	(void)type;
	return link_may_keep(fd) && !link_socket_bind(fd, "", lookup->mark) ? 0 : -1;
}

// ---- the answer ------------------------------------------------------------------------------

static struct addr address_of(const struct ares_addrinfo_node *node)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)node->ai_addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)node->ai_addr;

	return node->ai_family == AF_INET ? addr_from(AF_INET, &in->sin_addr)
					  : addr_from(AF_INET6, &in6->sin6_addr);
}

static void take_answer(struct lookup *lookup, const struct ares_addrinfo *info)
{
	lookup->ttl_s = LOOKUP_TTL_MAX_S;
	for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next) {
		if (lookup->found.n < LOOKUP_MAX)
			vec_push(&lookup->found, address_of(node));
		if (node->ai_ttl < lookup->ttl_s)
			lookup->ttl_s = node->ai_ttl;
	}
	if (lookup->ttl_s < LOOKUP_TTL_MIN_S)
		lookup->ttl_s = LOOKUP_TTL_MIN_S;
}

static void on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct lookup *lookup = arg;

	(void)timeouts;
	if (!lookup->over && status == ARES_SUCCESS)
		take_answer(lookup, info);
	if (info)
		ares_freeaddrinfo(info);
	if (lookup->over)
		return;
	lookup->over = true;
	lookup->status = lookup->found.n || status != ARES_SUCCESS ? status : ARES_ENODATA;
	if (lookup->status == ARES_ENODATA || lookup->status == ARES_ENOTFOUND)
		lookup->ttl_s = LOOKUP_NONE_TTL_S;
}

struct lookup *lookup_start(struct event_base *base, const char *name, enum fam fam, uint32_t mark,
			    lookup_cb cb, void *arg)
{
	struct lookup *lookup = xcalloc(1, sizeof(*lookup));
	struct ares_options options = {.timeout = TRY_MS,
				       .tries = TRIES,
				       .sock_state_cb = watch_socket,
				       .sock_state_cb_data = lookup};
	struct ares_addrinfo_hints hints = {.ai_family = fam_af(fam), .ai_flags = ARES_AI_NOSORT};

	if (ares_init_options(&lookup->channel, &options,
			      ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB)) {
		free(lookup);
		return NULL;
	}
	lookup->base = base;
	lookup->name = xstrdup(name);
	lookup->fam = fam;
	lookup->mark = mark;
	lookup->cb = cb;
	lookup->arg = arg;
	lookup->timer = turn_first(evtimer_new(base, on_timer, lookup));
	ares_set_socket_configure_callback(lookup->channel, mark_socket, lookup);
	ares_getaddrinfo(lookup->channel, lookup->name, NULL, &hints, on_addresses, lookup);
	rearm(lookup);
	return lookup;
}
