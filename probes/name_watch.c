// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/name_watch.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gwd/base/alloc.h"
#include "gwd/base/mono.h"
#include "gwd/base/vec.h"
#include "gwd/core/named.h"
#include "probes/lookup.h"

struct watched_addr {
	struct addr addr;
	int64_t until_ms; // of the last answer that had it
};

// One name in one family.
struct watched_name {
	struct name_watch *watch;
	struct watched_name *next;
	char *name;
	enum fam fam;
	bool wanted; // by the update that is under way
	VEC(struct watched_addr) addrs;
	char why[160]; // "": the last lookup brought addresses
	size_t link;   // asked by, index into watch->marks; beyond them: the first
	size_t tried;  // links that have failed in a row
	struct lookup *lookup;
	struct event *due; // the next lookup
};

struct name_watch {
	struct event_base *base;
	void (*changed)(void *arg);
	void *arg;
	struct watched_name *names;
	VEC(uint32_t) marks;
	struct named_list known;
};

struct name_watch *name_watch_new(struct event_base *base, void (*changed)(void *arg), void *arg)
{
	struct name_watch *watch = xcalloc(1, sizeof(*watch));
	watch->base = base;
	watch->changed = changed;
	watch->arg = arg;
	return watch;
}

// ---- what is known ---------------------------------------------------------------------------

static struct named *watch_named(struct name_watch *watch, const char *name)
{
	struct named *named;
	vec_each(&watch->known.v, old)
		if (!strcasecmp(old->name, name))
			return old;
	vec_add(&watch->known.v, named);
	named->name = xstrdup(name);
	return named;
}

static void watch_publish(struct name_watch *watch)
{
	named_free(&watch->known);
	for (const struct watched_name *name = watch->names; name; name = name->next) {
		struct named *named = watch_named(watch, name->name);
		vec_each(&name->addrs, known)
			vec_push(&named->addrs, known->addr);
		if (!named->why[0])
			snprintf(named->why, sizeof(named->why), "%s", name->why);
	}
	for (const struct watched_name *name = watch->names; name; name = name->next)
		if (!name->why[0]) // a name with addresses of one family is well
			watch_named(watch, name->name)->why[0] = 0;
}

const struct named_list *name_watch_known(const struct name_watch *watch)
{
	return &watch->known;
}

// ---- answers ---------------------------------------------------------------------------------

static void name_wait(struct watched_name *name, int64_t ms)
{
	const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	event_add(name->due, &tv);
}

// True: it is new.
static bool name_learn(struct watched_name *name, const struct addr *addr, int64_t until_ms)
{
	vec_each(&name->addrs, known)
		if (addr_equal(&known->addr, addr)) {
			known->until_ms = until_ms;
			return false;
		}
	if (name->addrs.n >= LOOKUP_MAX)
		return false;
	vec_push(&name->addrs, (struct watched_addr){*addr, until_ms});
	return true;
}

static bool name_forget(struct watched_name *name, int64_t now_ms)
{
	size_t kept = 0, n = name->addrs.n;
	for (size_t i = 0; i < n; i++)
		if (name->addrs.v[i].until_ms > now_ms)
			name->addrs.v[kept++] = name->addrs.v[i];
	name->addrs.n = kept;
	return kept != n;
}

static void name_failed(struct watched_name *name, const char *why)
{
	snprintf(name->why, sizeof(name->why), "%s", why);
	if (++name->tried < name->watch->marks.n) {
		name->link++;
		name_wait(name, 0);
		return;
	}
	name->link++; // the next round begins with another one
	name->tried = 0;
	name_wait(name, LOOKUP_RETRY_MS);
}

static void name_on_answer(void *arg, const struct addr *addrs, size_t n, unsigned ttl_s, const char *why)
{
	struct watched_name *name = arg;
	struct name_watch *watch = name->watch;
	int64_t now_ms = mono_now_ms(), until_ms = now_ms + 2000LL * ttl_s;
	bool changed = false;
	name->lookup = NULL;
	for (size_t i = 0; i < n; i++)
		changed |= name_learn(name, &addrs[i], until_ms);
	if (n || ttl_s) { // 0: nobody answered
		changed |= name_forget(name, now_ms);
		snprintf(name->why, sizeof(name->why), "%s", n ? "" : why);
		name->tried = 0;
		name_wait(name, 1000LL * ttl_s);
	} else {
		name_failed(name, why);
	}
	watch_publish(watch);
	if (changed)
		watch->changed(watch->arg);
}

static void name_on_due(evutil_socket_t fd, short what, void *arg)
{
	struct watched_name *name = arg;
	const struct name_watch *watch = name->watch;
	(void)fd, (void)what;
	uint32_t mark = watch->marks.n ? watch->marks.v[name->link % watch->marks.n] : 0;
	name->lookup = lookup_start(watch->base, name->name, name->fam, mark, name_on_answer, name);
	if (!name->lookup)
		name_wait(name, LOOKUP_RETRY_MS);
}

// ---- names and links ---------------------------------------------------------------------------

static void name_free(struct watched_name *name)
{
	if (name->lookup)
		lookup_cancel(name->lookup);
	event_free(name->due);
	vec_free(&name->addrs);
	free(name->name);
	free(name);
}

static void name_want(struct name_watch *watch, const char *text, enum fam fam)
{
	struct watched_name *name;
	for (name = watch->names; name; name = name->next)
		if (name->fam == fam && !strcasecmp(name->name, text)) {
			name->wanted = true;
			return;
		}
	name = xcalloc(1, sizeof(*name));
	name->watch = watch;
	name->name = xstrdup(text);
	name->fam = fam;
	name->wanted = true;
	snprintf(name->why, sizeof(name->why), "not looked up yet");
	name->due = evtimer_new(watch->base, name_on_due, name);
	name->next = watch->names;
	watch->names = name;
	name_wait(name, 0);
}

void name_watch_set(struct name_watch *watch, const char *const *names, size_t n)
{
	for (struct watched_name *name = watch->names; name; name = name->next)
		name->wanted = false;
	for (size_t i = 0; i < n; i++)
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			name_want(watch, names[i], fam);
	for (struct watched_name **at = &watch->names, *name; (name = *at);) {
		if (name->wanted) {
			at = &name->next;
		} else {
			*at = name->next;
			name_free(name);
		}
	}
	watch_publish(watch);
}

void name_watch_remember(struct name_watch *watch, const char *text, const struct addr *addr)
{
	for (struct watched_name *name = watch->names; name; name = name->next)
		if (name->fam == addr_fam(addr) && !strcasecmp(name->name, text))
			name_learn(name, addr, mono_now_ms());
	watch_publish(watch);
}

void name_watch_set_links(struct name_watch *watch, const uint32_t *marks, size_t n)
{
	bool same = n == watch->marks.n && (!n || !memcmp(marks, watch->marks.v, n * sizeof(*marks)));
	if (same)
		return;
	watch->marks.n = 0;
	for (size_t i = 0; i < n; i++)
		vec_push(&watch->marks, marks[i]);
	for (struct watched_name *name = watch->names; name; name = name->next)
		if (name->why[0] && !name->lookup) {
			name->tried = 0;
			name_wait(name, 0);
		}
}

void name_watch_free(struct name_watch *watch)
{
	if (!watch)
		return;
	name_watch_set(watch, NULL, 0);
	named_free(&watch->known);
	vec_free(&watch->marks);
	free(watch);
}
