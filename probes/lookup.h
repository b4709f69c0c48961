// SPDX-License-Identifier: GPL-2.0-or-later
// lookup: the addresses of one name in one family, asked once, by a mark: c-ares in the event loop.
//
// resolve.c (targets of probes) and name_watch.c (rules) ask. Each lookup has a channel of its own: c-ares
// then reads the name servers that are configured now, and every socket carries the mark of one link. By the
// mark alone: a name server on the LAN or on this host must be reached, too.
#ifndef GWD_PROBES_LOOKUP_H
#define GWD_PROBES_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"

struct event_base;
struct lookup;

#define LOOKUP_MAX 256     // addresses that are taken from an answer
#define LOOKUP_TTL_MIN_S 5 // an answer counts for no less, and no more
#define LOOKUP_TTL_MAX_S 3600
#define LOOKUP_NONE_TTL_S 60 // so does "there is none"; 0: nobody answered
#define LOOKUP_RETRY_MS 5000 // a good time to ask again after a failure

// `n` addresses in the answer's order, good for `ttl_s`; or 0, and `why` is a sentence.
typedef void (*lookup_cb)(void *arg, const struct addr *addrs, size_t n, unsigned ttl_s, const char *why);

// The callback is called once, from the loop; the lookup is gone then. NULL: no memory or descriptors now.
struct lookup *lookup_start(struct event_base *base, const char *name, enum fam fam, uint32_t mark,
			    lookup_cb cb, void *arg);
void lookup_cancel(struct lookup *lookup);

#endif
