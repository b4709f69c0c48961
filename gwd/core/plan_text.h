// SPDX-License-Identifier: GPL-2.0-or-later
// plan_text: the routing half of a plan as commands that a person can read, and run: for `gwd -n`
// and `gwctl rules`. A shell that runs them leaves the kernel as gwd does.
#ifndef GWD_CORE_PLAN_TEXT_H
#define GWD_CORE_PLAN_TEXT_H

struct buf;
struct plan;
struct plan_iprule;
struct plan_route;

// Every sysctl, address, route and ip rule, one command a line, in the order gwd would apply them.
void plan_text_routes(const struct plan *plan, struct buf *out);

// Without the command in front: "default via 192.0.2.1 dev eth1 onlink table 1001 proto 200",
// "priority 10001 fwmark 0x1000000/0xff000000 lookup 1001 protocol 200".
void plan_text_route(const struct plan_route *route, struct buf *out);
void plan_text_iprule(const struct plan_iprule *rule, struct buf *out);

#endif
