// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/check_pool.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/hash.h"
#include "gwd/core/model.h"
#include "probes/check.h"
#include "probes/probe_copy.h"

#define POOL_LEAST 64

struct check_pool {
	struct check **buckets;
	size_t size, n; // size: a power of two
};

struct check_pool *check_pool_new(void)
{
	struct check_pool *pool = xcalloc(1, sizeof(*pool));

	pool->size = POOL_LEAST;
	pool->buckets = xcalloc(pool->size, sizeof(*pool->buckets));
	return pool;
}

void check_pool_free(struct check_pool *pool)
{
	assert(!pool->n);
	free(pool->buckets);
	free(pool);
}

// ---- what is the same ------------------------------------------------------------------------

static bool asks_next_hop(const struct model_probe *probe)
{
	return !probe->n_targets && !probe->n_target_names;
}

static uint64_t add_addr(uint64_t hash, const struct addr *addr)
{
	char text[ADDR_TEXT] = "";

	if (!addr_is_none(addr))
		addr_text(addr, text);
	return hash_add(hash, text, strlen(text) + 1);
}

static uint64_t hash_of(const struct check_spec *spec)
{
	const struct prober_link *link = &spec->link;
	uint64_t hash = hash_add(HASH_START, spec->probe->name, strlen(spec->probe->name));

	hash = hash_add(hash, &link->fam, sizeof(link->fam));
	hash = hash_add(hash, link->ifname, strlen(link->ifname));
	hash = hash_add(hash, &link->mark, sizeof(link->mark));
	hash = add_addr(hash, &link->source);
	if (asks_next_hop(spec->probe))
		hash = add_addr(hash, &spec->next_hop);
	return hash_end(hash);
}

static bool same(const struct check_spec *a, const struct check_spec *b)
{
	return a->broken == b->broken && prober_link_same(&a->link, &b->link) &&
	       probe_is_same(a->probe, b->probe) &&
	       (!asks_next_hop(a->probe) || addr_equal(&a->next_hop, &b->next_hop));
}

// ---- the pool --------------------------------------------------------------------------------

static struct check **bucket(const struct check_pool *pool, uint64_t hash)
{
	return &pool->buckets[hash & (pool->size - 1)];
}

struct check *check_pool_find(const struct check_pool *pool, const struct check_spec *spec)
{
	uint64_t hash = hash_of(spec);
	struct check *check = *bucket(pool, hash);

	while (check && (check->hash != hash || !same(&check->spec, spec)))
		check = check->next;
	return check;
}

static void put(struct check_pool *pool, struct check *check)
{
	struct check **at = bucket(pool, check->hash);

	check->next = *at;
	*at = check;
}

static void grow(struct check_pool *pool)
{
	struct check **old = pool->buckets;
	size_t n = pool->size;

	pool->size *= 2;
	pool->buckets = xcalloc(pool->size, sizeof(*pool->buckets));
	for (size_t i = 0; i < n; i++) {
		for (struct check *check = old[i], *next; check; check = next) {
			next = check->next;
			put(pool, check);
		}
	}
	free(old);
}

void check_pool_add(struct check_pool *pool, struct check *check)
{
	check->hash = hash_of(&check->spec);
	if (++pool->n > pool->size)
		grow(pool);
	put(pool, check);
}

void check_pool_remove(struct check_pool *pool, struct check *check)
{
	struct check **at = bucket(pool, check->hash);

	while (*at != check)
		at = &(*at)->next;
	*at = check->next;
	pool->n--;
}

void check_pool_each(const struct check_pool *pool, void (*call)(void *arg, struct check *check), void *arg)
{
	for (size_t i = 0; i < pool->size; i++)
		for (struct check *check = pool->buckets[i]; check; check = check->next)
			call(arg, check);
}

size_t check_pool_size(const struct check_pool *pool)
{
	return pool->n;
}
