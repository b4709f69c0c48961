// SPDX-License-Identifier: GPL-2.0-or-later
// netmon_event: the socket that hears of changes, and what each of them is a hint for.
//
// Most of what can't matter is dropped in the kernel by a filter on the socket: routes of other tables
// than main and local, and where those have very many, all but the default routes. An overrun is a hint for everything.
#ifndef GWD_NETMON_EVENT_H
#define GWD_NETMON_EVENT_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct netmon_events;
struct netmon_neighs;

// `neighs` says on which interfaces neighbours matter. NULL on failure.
struct netmon_events *netmon_events_open(const struct netmon_neighs *neighs, struct err *err);
void netmon_events_close(struct netmon_events *events); // NULL is fine
int netmon_events_fd(const struct netmon_events *events);

void netmon_events_set_own_port(struct netmon_events *events, uint32_t port);
void netmon_events_want_neighs(struct netmon_events *events, bool wanted); // not heard of by default

void netmon_events_want_nets(struct netmon_events *events, bool wanted); // more than default routes

// Reads what has come in, without blocking, and returns what should be read again (NETMON_*).
unsigned netmon_events_read(struct netmon_events *events);

#endif
