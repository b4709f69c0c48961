// SPDX-License-Identifier: GPL-2.0-or-later
// Flows come and go in any order; the map knows those that are there, against a plain array.
#include "gwd/flowmap.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "gwd/base/hash.h"

#define KEYS 3000

Test(flowmap, as_a_plain_array)
{
	static uint32_t known[KEYS]; // real + 1; 0: not there
	struct flowmap map = {0};
	size_t n = 0;
	cr_assert_null(flowmap_find(&map, 7));
	srand(7);
	for (unsigned step = 0; step < 200000; step++) {
		unsigned i = (unsigned)rand() % KEYS;
		// few homes, so that many collide
		uint64_t key = (uint64_t)(i + 1) << 32 | i % 61;
		struct flowmap_entry *entry = flowmap_find(&map, key);
		cr_assert_eq(entry != NULL, known[i] != 0, "step %u", step);
		if (entry) {
			cr_assert_eq(entry->real + 1, known[i]);
			flowmap_remove(&map, entry);
			known[i] = 0;
			n--;
		} else {
			entry = flowmap_add(&map, key);
			entry->real = step % 97;
			known[i] = step % 97 + 1;
			n++;
		}
		cr_assert_eq(map.n, n);
	}
	flowmap_clear(&map);
}
