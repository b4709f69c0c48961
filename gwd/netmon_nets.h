// SPDX-License-Identifier: GPL-2.0-or-later
// netmon_nets: the routes of main and local as they are read, compared with those before. For netmon.
//
// The kernel drops the routes of an interface that is taken down or deleted, and most of them it does not bring
// back by itself; a routing daemon may take one away and put another in its place. What they led to is inside all
// the same: nothing that is on its way there may go out by a gateway instead. So they stay among the facts, as gone,
// for as long as the engine says, or until there is a route to the same place.
#ifndef GWD_NETMON_NETS_H
#define GWD_NETMON_NETS_H

#include <stdbool.h>
#include <stdint.h>

struct addr;
struct facts;

enum netmon_link { NETMON_LINK_UP, NETMON_LINK_DOWN, NETMON_LINK_NONE };

#define NETMON_FOREVER INT64_MAX

// How long a route is kept that is gone, whose interface now is like that. `local`: it was an address of this host's.
// 0: not at all.
typedef int64_t netmon_keeps_fn(void *arg, const char *ifname, bool local, enum netmon_link link);

// What was read becomes what it is compared with by `same`: kept ones are added, and it is in order. Its interfaces
// are those of `old`. `keeps` may be NULL: none are. Returns when the next one has been kept for long enough, or
// NETMON_FOREVER.
int64_t netmon_nets_finish(struct facts *read, const struct facts *old, netmon_keeps_fn *keeps, void *arg,
			   int64_t now_ms);
// Table local leads there now.
bool netmon_nets_take(const struct facts *facts, const struct addr *own);
bool netmon_nets_same(const struct facts *a, const struct facts *b);

#endif
