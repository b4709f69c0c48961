// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/flowmap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"

#define FLOWMAP_FIRST 256

// The key is a hash already.
static size_t flowmap_home(const struct flowmap *map, uint64_t key)
{
	return (size_t)key & (map->size - 1);
}

static struct flowmap_entry *flowmap_place(const struct flowmap *map, uint64_t key)
{
	size_t i = flowmap_home(map, key);
	while (map->entries[i].key && map->entries[i].key != key)
		i = (i + 1) & (map->size - 1);
	return &map->entries[i];
}

struct flowmap_entry *flowmap_find(const struct flowmap *map, uint64_t key)
{
	struct flowmap_entry *entry = map->size ? flowmap_place(map, key) : NULL;
	return entry && entry->key ? entry : NULL;
}

static void flowmap_grow(struct flowmap *map)
{
	struct flowmap old = *map;
	map->size = old.size ? 2 * old.size : FLOWMAP_FIRST;
	map->entries = xcalloc(map->size, sizeof(*map->entries));
	for (size_t i = 0; i < old.size; i++)
		if (old.entries[i].key)
			*flowmap_place(map, old.entries[i].key) = old.entries[i];
	free(old.entries);
}

struct flowmap_entry *flowmap_add(struct flowmap *map, uint64_t key)
{
	if (2 * (map->n + 1) > map->size)
		flowmap_grow(map);
	struct flowmap_entry *entry = flowmap_place(map, key);
	assert(key && !entry->key);
	*entry = (struct flowmap_entry){.key = key};
	map->n++;
	return entry;
}

// Whoever stands behind it, and nearer to home would stand here, moves up.
void flowmap_remove(struct flowmap *map, struct flowmap_entry *entry)
{
	size_t hole = (size_t)(entry - map->entries), mask = map->size - 1;
	for (size_t i = (hole + 1) & mask; map->entries[i].key; i = (i + 1) & mask) {
		size_t home = flowmap_home(map, map->entries[i].key);
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		map->entries[hole] = map->entries[i];
		hole = i;
	}
	map->entries[hole].key = 0;
	map->n--;
}

void flowmap_clear(struct flowmap *map)
{
	free(map->entries);
	*map = (struct flowmap){0};
}
