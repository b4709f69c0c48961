// SPDX-License-Identifier: GPL-2.0-or-later
// resolve: addresses of targets that are given by name, looked up through the link that is probed.
//
// An answer is kept for its TTL and refreshed in the background when a question needs it later than
// that; until there is a new one, and for ever if none comes, the last known address is used, so
// probing goes on while no name server can be reached. A link whose own lookup has not succeeded yet
// borrows what another link found. A lookup that fails is no evidence against the link: name
// servers die without it.
//
// Called by prober.c only.
#ifndef GWD_PROBES_RESOLVE_H
#define GWD_PROBES_RESOLVE_H

#include "gwd/base/addr.h"

struct event_base;
struct prober_link;
struct resolve;
struct resolve_wait;

// `addr` is NULL when the lookup failed; then `why` says how.
typedef void (*resolve_cb)(void *arg, const struct addr *addr, const char *why);

struct resolve *resolve_new(struct event_base *base);
void resolve_free(struct resolve *resolve); // after the last wait has ended

// The address that is known now: 0. -EINPROGRESS: there is none yet, and a lookup is under way, which
// resolve_wait_for() waits for. Else -ENOENT: the last one failed a moment ago, and `why` says how.
int resolve_get(struct resolve *resolve, const char *name, const struct prober_link *link, struct addr *out,
		const char **why);

// Waits for the lookup that is under way. The callback is called once, from the loop.
struct resolve_wait *resolve_wait_for(struct resolve *resolve, const char *name,
				      const struct prober_link *link, resolve_cb cb, void *arg);
void resolve_cancel(struct resolve_wait *wait);

#endif
