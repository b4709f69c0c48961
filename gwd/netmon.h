// SPDX-License-Identifier: GPL-2.0-or-later
// netmon: follows the kernel into `struct facts`: interfaces, addresses, the routes that
// others put into the main table, this host's own in table local, and the MAC addresses of the next hops it is told to watch.
//
// The engine opens it, reads netmon_facts() and is called when they changed. A notification is
// only a hint that a table of the kernel should be read again; what is read is compared, so the
// facts change (and `changed` is called) only when something really is different, and nothing can
// be missed for good: an overrun is just the hint for every table. Notifications that can't matter
// (the routes of a full BGP table) are dropped in the kernel, before they wake anybody.
//
// Facts are only replaced from within the event loop and netmon_resync(); pointers into them live
// until then.
#ifndef GWD_NETMON_H
#define GWD_NETMON_H

#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/netmon_nets.h"

struct err;
struct event_base;
struct facts;
struct netmon;

enum netmon_what {
	NETMON_LINK = 1 << 0,  // interfaces: there, name, index, up, carrier
	NETMON_ADDR = 1 << 1,  // their addresses
	NETMON_ROUTE = 1 << 2, // routes of others in main and local; whether they have ip rules
	NETMON_NEIGH = 1 << 3, // MAC addresses of the watched next hops
	NETMON_OURS = 1 << 4,  // routes or ip rules of protocol 200 may be gone: read them back. Somebody
			       // changed one, or an interface went down or lost an address, which drops
			       // routes without a word
};

typedef void netmon_changed_fn(void *arg, unsigned what);

// A next hop whose MAC address is wanted.
struct netmon_hop {
	uint32_t index; // of the interface
	struct addr addr;
};

// Reads everything once; the facts are complete when it returns. NULL on failure.
struct netmon *netmon_open(struct event_base *base, netmon_changed_fn *changed, void *arg, struct err *err);
void netmon_close(struct netmon *netmon); // NULL is fine

const struct facts *netmon_facts(const struct netmon *netmon);

// From now on routes that are gone are kept for a while (netmon_nets.h). The `arg` of `keeps` is that of `changed`.
void netmon_keep_nets(struct netmon *netmon, netmon_keeps_fn *keeps);

// Replaces the list of watched next hops. The kernel is asked to resolve the new ones at once and
// the unresolved ones at every resync; NETMON_NEIGH tells what came of it.
void netmon_watch_neighs(struct netmon *netmon, const struct netmon_hop *hops, size_t n);

// Reads the byte counters of the interfaces into the facts (no other reading touches them).
int netmon_refresh_stats(struct netmon *netmon, struct err *err);

// The netlink port that gwd changes its routes and rules from (routes_port()): those are no news.
void netmon_set_own_port(struct netmon *netmon, uint32_t port);

// Has every table read again; `changed` follows from the event loop if anything was missed.
void netmon_resync(struct netmon *netmon);

#endif
