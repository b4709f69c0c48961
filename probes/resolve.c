// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/resolve.h"

#include <ares.h>
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/mono.h"
#include "gwd/base/vec.h"
#include "probes/link_socket.h"
#include "probes/prober.h"

#define TRY_MS 1000
#define TRIES 2
#define TTL_MIN_S 5
#define TTL_MAX_S 3600
#define RETRY_MS 5000 // after a failure

struct resolve_wait {
	struct resolve_wait *next;
	struct resolve_entry *entry;
	resolve_cb cb;
	void *arg;
};

// One name on one link.
struct resolve_entry {
	struct resolve *resolve;
	struct resolve_entry *next;
	char *name;
	enum fam fam;
	uint32_t mark;
	struct addr addr; // last known, or none
	int64_t fresh_until_ms;
	struct lookup *lookup; // under way, or NULL
	char why[ANSWER_TEXT]; // the last one failed
	struct resolve_wait *waits;
};

// A lookup has a channel of its own: c-ares then reads the name servers that are configured now, and
// every socket carries the mark of this link.
struct lookup {
	struct resolve_entry *entry;
	ares_channel channel;
	VEC(struct event *) sockets;
	struct event *timer; // of c-ares; once it is over: to clean up outside of c-ares' callbacks
	bool over;
	struct addr found;
	int ttl_s;
	int status;
};

struct resolve {
	struct event_base *base;
	struct resolve_entry *entries;
};

// ---- the end of a lookup ---------------------------------------------------------------------

static void free_lookup(struct lookup *lookup)
{
	lookup->over = true; // what ares_destroy() calls back is not news
	ares_destroy(lookup->channel);
	vec_each(&lookup->sockets, event)
		event_free(*event);
	vec_free(&lookup->sockets);
	event_free(lookup->timer);
	free(lookup);
}

static const struct addr *borrow(const struct resolve_entry *entry)
{
	for (const struct resolve_entry *e = entry->resolve->entries; e; e = e->next)
		if (e->fam == entry->fam && e->addr.family && !strcmp(e->name, entry->name))
			return &e->addr;
	return NULL;
}

static void tell(struct resolve_entry *entry)
{
	const struct addr *addr = entry->addr.family ? &entry->addr : borrow(entry);

	while (entry->waits) {
		struct resolve_wait *wait = entry->waits, w = *wait;

		entry->waits = wait->next;
		free(wait);
		w.cb(w.arg, addr, entry->why);
	}
}

static void explain(struct resolve_entry *entry, int status)
{
	if (status == ARES_ENODATA || status == ARES_ENOTFOUND)
		snprintf(entry->why, sizeof(entry->why), "%.64s has no %s address", entry->name,
			 entry->fam == FAM_4 ? "IPv4" : "IPv6");
	else
		snprintf(entry->why, sizeof(entry->why), "can't look up %.64s: %s", entry->name,
			 ares_strerror(status));
}

static void conclude(struct lookup *lookup)
{
	struct resolve_entry *entry = lookup->entry;
	int64_t keep_ms = RETRY_MS;

	explain(entry, lookup->status);
	if (lookup->found.family) {
		entry->addr = lookup->found;
		keep_ms = 1000LL * lookup->ttl_s;
	}
	entry->fresh_until_ms = mono_now_ms() + keep_ms;
	entry->lookup = NULL;
	free_lookup(lookup);
	tell(entry);
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
		event_new(lookup->entry->resolve->base, fd, (short)(events | EV_PERSIST), on_socket, lookup);
	event_add(event, NULL);
	vec_push(&lookup->sockets, event);
}

// By the mark alone: a name server on the LAN or on this host must be reached, too.
static int mark_socket(ares_socket_t fd, int type, void *arg)
{
	const struct lookup *lookup = arg;

	(void)type;
	return link_may_keep(fd) && !link_socket_bind(fd, "", lookup->entry->mark) ? 0 : -1;
}

static struct addr address_of(const struct ares_addrinfo_node *node)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)node->ai_addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)node->ai_addr;

	return node->ai_family == AF_INET ? addr_from(AF_INET, &in->sin_addr)
					  : addr_from(AF_INET6, &in6->sin6_addr);
}

// The address that is in use stays in use while the name still has it.
static void choose(struct lookup *lookup, const struct ares_addrinfo *info)
{
	lookup->ttl_s = TTL_MAX_S;
	for (const struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next) {
		struct addr addr = address_of(node);

		if (!lookup->found.family || addr_equal(&addr, &lookup->entry->addr))
			lookup->found = addr;
		if (node->ai_ttl < lookup->ttl_s)
			lookup->ttl_s = node->ai_ttl;
	}
	if (lookup->ttl_s < TTL_MIN_S)
		lookup->ttl_s = TTL_MIN_S;
}

static void on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct lookup *lookup = arg;

	(void)timeouts;
	if (!lookup->over && status == ARES_SUCCESS)
		choose(lookup, info);
	if (info)
		ares_freeaddrinfo(info);
	if (lookup->over)
		return;
	lookup->over = true;
	lookup->status = lookup->found.family || status != ARES_SUCCESS ? status : ARES_ENODATA;
}

// May fail for want of memory or descriptors: then it is tried again after a while.
static void look_up(struct resolve_entry *entry)
{
	struct lookup *lookup = xcalloc(1, sizeof(*lookup));
	struct ares_options options = {.timeout = TRY_MS,
				       .tries = TRIES,
				       .sock_state_cb = watch_socket,
				       .sock_state_cb_data = lookup};
	struct ares_addrinfo_hints hints = {.ai_family = fam_af(entry->fam), .ai_flags = ARES_AI_NOSORT};

	lookup->entry = entry;
	entry->fresh_until_ms = mono_now_ms() + RETRY_MS;
	if (ares_init_options(&lookup->channel, &options,
			      ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB)) {
		explain(entry, ARES_ENOMEM);
		free(lookup);
		return;
	}
	entry->lookup = lookup;
	lookup->timer = evtimer_new(entry->resolve->base, on_timer, lookup);
	ares_set_socket_configure_callback(lookup->channel, mark_socket, lookup);
	ares_getaddrinfo(lookup->channel, entry->name, NULL, &hints, on_addresses, lookup);
	rearm(lookup);
}

// ---- what the probers call -------------------------------------------------------------------

struct resolve *resolve_new(struct event_base *base)
{
	struct resolve *resolve = xcalloc(1, sizeof(*resolve));

	resolve->base = base;
	return resolve;
}

void resolve_free(struct resolve *resolve)
{
	while (resolve->entries) {
		struct resolve_entry *entry = resolve->entries;

		assert(!entry->waits);
		resolve->entries = entry->next;
		if (entry->lookup)
			free_lookup(entry->lookup);
		free(entry->name);
		free(entry);
	}
	free(resolve);
}

static struct resolve_entry *find(struct resolve *resolve, const char *name, const struct prober_link *link)
{
	struct resolve_entry *entry;

	for (entry = resolve->entries; entry; entry = entry->next)
		if (entry->fam == link->fam && entry->mark == link->mark && !strcmp(entry->name, name))
			return entry;
	entry = xcalloc(1, sizeof(*entry));
	entry->resolve = resolve;
	entry->name = xstrdup(name);
	entry->fam = link->fam;
	entry->mark = link->mark;
	entry->fresh_until_ms = INT64_MIN;
	entry->next = resolve->entries;
	resolve->entries = entry;
	return entry;
}

int resolve_get(struct resolve *resolve, const char *name, const struct prober_link *link, struct addr *out,
		const char **why)
{
	struct resolve_entry *entry = find(resolve, name, link);
	const struct addr *addr;

	if (!entry->lookup && mono_now_ms() >= entry->fresh_until_ms)
		look_up(entry);
	addr = entry->addr.family ? &entry->addr : borrow(entry);
	if (addr) {
		*out = *addr;
		return 0;
	}
	*why = entry->why;
	return entry->lookup ? -EINPROGRESS : -ENOENT;
}

struct resolve_wait *resolve_wait_for(struct resolve *resolve, const char *name,
				      const struct prober_link *link, resolve_cb cb, void *arg)
{
	struct resolve_wait *wait = xcalloc(1, sizeof(*wait));

	wait->entry = find(resolve, name, link);
	assert(wait->entry->lookup);
	wait->cb = cb;
	wait->arg = arg;
	wait->next = wait->entry->waits;
	wait->entry->waits = wait;
	return wait;
}

void resolve_cancel(struct resolve_wait *wait)
{
	struct resolve_wait **at = &wait->entry->waits;

	while (*at != wait)
		at = &(*at)->next;
	*at = wait->next;
	free(wait);
}
