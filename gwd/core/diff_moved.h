// SPDX-License-Identifier: GPL-2.0-or-later
// diff_moved: marks that will lead out by another link. plan_diff() asks, first of all.
//
// A gateway is given another interface, its id another gateway, or all marks other bits: the flows that have the mark would
// go out by the new link with the old one's source from the moment that the route is there until they are flushed. So here,
// and only here, it is break before make: the way is closed, the flows end, then all else follows, and at last it is opened
// (when the chains know the new source, and no ip rule is left of other bits).
#ifndef GWD_CORE_DIFF_MOVED_H
#define GWD_CORE_DIFF_MOVED_H

#include <stdbool.h>

struct ops;
struct plan;
struct plan_route;

// Adds an OP_ROUTE_CLOSE for each such default route, and an OP_FLUSH_FIRST for each such mark; they point into `from`.
void diff_moved(struct ops *ops, const struct plan *from, const struct plan *to);

// After it: the new route of such a mark, which has to wait.
bool diff_moved_waits(const struct ops *ops, const struct plan *to, const struct plan_route *route);

// Adds an OP_ROUTE_OPEN for each of them; they point into `to`.
void diff_moved_open(struct ops *ops, const struct plan *to);

#endif
