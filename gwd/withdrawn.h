// SPDX-License-Identifier: GPL-2.0-or-later
// withdrawn: ends the flows from and to networks that are not inside any longer.
//
// Such a flow is not translated, or into something that was inside; its next packet would go out by a WAN as it
// is. The engine calls it before it takes the guards away that stop them (build_routes.c). Their next packets begin
// new flows, which are balanced or refused like any other.
#ifndef GWD_WITHDRAWN_H
#define GWD_WITHDRAWN_H

struct conntrack;
struct err;
struct facts;
struct ops;
struct plan;

// `ops` lead to `to`, as these facts demand. 0 or -errno.
int withdrawn_end(struct conntrack *ct, const struct ops *ops, const struct plan *to,
		  const struct facts *facts, struct err *err);

#endif
