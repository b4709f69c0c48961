// SPDX-License-Identifier: GPL-2.0-or-later
// check_pool: the checks that there are, to be found by what they do. One for each prober_set; only
// check.c uses it.
#ifndef GWD_PROBES_CHECK_POOL_H
#define GWD_PROBES_CHECK_POOL_H

#include <stddef.h>

struct check;
struct check_pool;
struct check_spec;

struct check_pool *check_pool_new(void);
void check_pool_free(struct check_pool *pool); // it is empty

struct check *check_pool_find(const struct check_pool *pool, const struct check_spec *spec); // or NULL
void check_pool_add(struct check_pool *pool, struct check *check); // its spec stays as it is meanwhile
void check_pool_remove(struct check_pool *pool, struct check *check);
void check_pool_each(const struct check_pool *pool, void (*call)(void *arg, struct check *check), void *arg);
size_t check_pool_size(const struct check_pool *pool);

#endif
