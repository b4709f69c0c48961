// SPDX-License-Identifier: GPL-2.0-or-later
// routes_msg: a plan's route or ip rule as the kernel's message, by libnl. The reverse of
// routes_read: what is put here and read there is the same. For routes.c and its tests.
#ifndef GWD_ROUTES_MSG_H
#define GWD_ROUTES_MSG_H

#include <stdbool.h>

struct nl_msg;
struct plan_iprule;
struct plan_route;

// Adds (with NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE in `flags`) or deletes exactly that one. The
// caller frees the message with nlmsg_free().
struct nl_msg *routes_msg_route(const struct plan_route *route, bool add, int flags);
struct nl_msg *routes_msg_iprule(const struct plan_iprule *rule, bool add, int flags);

#endif
