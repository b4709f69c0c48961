// SPDX-License-Identifier: GPL-2.0-or-later
// diff_service: of a change that is about services only, what follows for chains and sets; a part of plan_diff().
#ifndef GWD_CORE_DIFF_SERVICE_H
#define GWD_CORE_DIFF_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

struct ops;
struct plan;
struct plan_service;
struct plan_set;

// The plan's service of that name, which mostly stands at `at`. NULL: none.
const struct plan_service *diff_service(const struct plan *plan, const char *name, size_t at);

// All chains that services share are the same, and which services there were is known.
bool diff_is_services(const struct plan *from, const struct plan *to);

// The set was made with another key, or with other room, which nothing changes. What the packet path wrote stays as it
// is while it has the same key.
bool diff_is_renewed(const struct plan_set *old, const struct plan_set *set);

// Their chains, before any set; then, behind all elements, the sets that are not needed any more.
void diff_services(struct ops *ops, const struct plan *from, const struct plan *to);
void diff_gone_sets(struct ops *ops, const struct plan *from, const struct plan *to);

#endif
