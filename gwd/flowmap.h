// SPDX-License-Identifier: GPL-2.0-or-later
// flowmap: which flows there are, and what is known of each: a hash of 64-bit keys. Counting with it is exact
// whatever order events and listings come in, as a flow that is told twice is still one.
//
// Pure data, 16 bytes a flow and as much again for room.
#ifndef GWD_FLOWMAP_H
#define GWD_FLOWMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flowmap_entry {
	uint64_t key;  // never 0
	uint32_t real; // its number
	bool closed;
};

struct flowmap {
	struct flowmap_entry *entries;
	size_t size, n; // size: a power of two, or 0
};

// The flow's entry; NULL: not known. Valid until the next flowmap_add() or flowmap_remove().
struct flowmap_entry *flowmap_find(const struct flowmap *map, uint64_t key);

// It must not be known.
struct flowmap_entry *flowmap_add(struct flowmap *map, uint64_t key);
void flowmap_remove(struct flowmap *map, struct flowmap_entry *entry);
void flowmap_clear(struct flowmap *map); // frees

#endif
