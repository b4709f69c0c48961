// SPDX-License-Identifier: GPL-2.0-or-later
// netmon_neigh: the MAC addresses of a few next hops, asked for one by one (a LAN's neighbour table
// can be large), and made to be resolved.
//
// A MAC that was known stays known while the kernel has nothing newer to say (an entry that was
// collected, a link that is down); it is forgotten when resolution failed or its interface is gone.
#ifndef GWD_NETMON_NEIGH_H
#define GWD_NETMON_NEIGH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct facts;
struct netmon_hop;
struct netmon_neighs;

struct netmon_neighs *netmon_neighs_open(struct err *err); // NULL on failure
void netmon_neighs_close(struct netmon_neighs *neighs);    // NULL is fine

// Replaces the list; true if it is another one than before.
bool netmon_neighs_watch(struct netmon_neighs *neighs, const struct netmon_hop *hops, size_t n);
bool netmon_neighs_watched(const struct netmon_neighs *neighs, uint32_t index); // any on that interface

// Brings facts->neighs up to date and has what is not resolved resolved; with `insist` also what
// failed before. True if the facts changed.
bool netmon_neighs_read(struct netmon_neighs *neighs, struct facts *facts, bool insist);

#endif
