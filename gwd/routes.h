// SPDX-License-Identifier: GPL-2.0-or-later
// routes: the default routes and ip rules of ours in the kernel: carries out the engine's
// operations on them, and reads back what is there.
//
// Everything of ours carries protocol 200 (PLAN_PROTOCOL); nothing else is ever touched. Adding
// what is there already and deleting what is gone are successes. Failures carry the kernel's own
// reason. What routes_read() returns after a plan was applied compares equal to that plan.
#ifndef GWD_ROUTES_H
#define GWD_ROUTES_H

#include <stdint.h>

struct err;
struct op;
struct plan;
struct routes;

struct routes *routes_open(struct err *err); // NULL on failure
void routes_close(struct routes *routes);    // NULL is fine

// The netlink port of its changes, by which netmon knows them.
uint32_t routes_port(const struct routes *routes);

// Carries out OP_ROUTE_SET, _OPEN, _CLOSE or _DEL, OP_IPRULE_ADD or OP_IPRULE_DEL (any other asserts).
int routes_apply_op(struct routes *routes, const struct op *op, struct err *err);

// Replaces `applied`'s routes and iprules by those in the kernel, sorted as plan_diff() wants them.
// On failure they are as they were.
int routes_read(struct routes *routes, struct plan *applied, struct err *err);

#endif
