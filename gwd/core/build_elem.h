// SPDX-License-Identifier: GPL-2.0-or-later
// build_elem: small words for the sets and elements of services, shared by the files that build them.
#ifndef GWD_CORE_BUILD_ELEM_H
#define GWD_CORE_BUILD_ELEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/core/plan.h"

enum plan_type build_addr_type(enum fam fam);

// A set (of table inet) with one field of a key; the pointer is good until the next set.
struct plan_set *build_new_set(struct plan *plan, const char *name, enum plan_type key, enum plan_type data);

// Its key is a whole connection, as its client sends it (names.h).
void build_conn_key(struct plan_set *set, enum fam fam);

// Appends one field to a key, padded as the kernel wants it; returns where the next one begins.
size_t build_field(struct plan_elem *elem, size_t at, const void *value, size_t size);

bool build_known(const struct plan_set *set, const struct plan_elem *elem);

// A power of two with room to grow, so that few changes alter the set's declaration.
uint32_t build_room(size_t n);

// An element address . protocol . port for each listener of one port, to the service's chain of that
// kind; TCP's may be another one.
void build_listens(struct plan_set *set, const struct plan_service *service, enum fam fam, const char *tcp,
		   const char *other);

#endif
