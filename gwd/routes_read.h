// SPDX-License-Identifier: GPL-2.0-or-later
// routes_read: one message of a dump of routes or ip rules into a plan. For routes.c and its tests.
#ifndef GWD_ROUTES_READ_H
#define GWD_ROUTES_READ_H

#include <stdbool.h>
#include <stdint.h>

struct nlmsghdr;
struct plan_iprule;
struct plan_route;

// A default route (unicast with one next hop), or one that leads nowhere (enum plan_route_type), as plan_build() would
// describe it, and whose it is. False: something else. `ifname` is left empty.
bool routes_read_route(const struct nlmsghdr *nlh, struct plan_route *out, uint8_t *protocol);

// An ip rule that looks up a table, by mark or for every packet. False: something else.
bool routes_read_iprule(const struct nlmsghdr *nlh, struct plan_iprule *out, uint8_t *protocol);

#endif
