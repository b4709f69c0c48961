// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/resolve.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/mono.h"
#include "probes/lookup.h"
#include "probes/prober.h"

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

struct resolve {
	struct event_base *base;
	struct resolve_entry *entries;
};

// ---- the end of a lookup ---------------------------------------------------------------------

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

// The address that is in use stays in use while the name still has it.
static void on_answer(void *arg, const struct addr *addrs, size_t n, unsigned ttl_s, const char *why)
{
	struct resolve_entry *entry = arg;
	bool kept = false;

	snprintf(entry->why, sizeof(entry->why), "%s", why);
	for (size_t i = 0; i < n; i++)
		kept |= addr_equal(&addrs[i], &entry->addr);
	if (n && !kept)
		entry->addr = addrs[0];
	entry->fresh_until_ms = mono_now_ms() + (n ? 1000LL * ttl_s : LOOKUP_RETRY_MS);
	entry->lookup = NULL;
	tell(entry);
}

// May fail for want of memory or descriptors: then it is tried again after a while.
static void look_up(struct resolve_entry *entry)
{
	entry->fresh_until_ms = mono_now_ms() + LOOKUP_RETRY_MS;
	entry->lookup =
		lookup_start(entry->resolve->base, entry->name, entry->fam, entry->mark, on_answer, entry);
	if (!entry->lookup)
		snprintf(entry->why, sizeof(entry->why), "can't look up %.64s: Out of memory", entry->name);
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
			lookup_cancel(entry->lookup);
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
