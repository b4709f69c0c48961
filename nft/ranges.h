// SPDX-License-Identifier: GPL-2.0-or-later
// ranges: a list of ranges of addresses or ports, sorted and without overlaps; where there is more
// than single values also without neighbours that touch. That is what the kernel's interval sets want,
// whatever an operator wrote; single values alone go into a plain set, which is cheaper.
//
// Rules' selectors are put into one, then matched by rule_addr_ranges() and rule_ports().
#ifndef GWD_NFT_RANGES_H
#define GWD_NFT_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/base/vec.h"

struct buf;

struct range {
	uint8_t first[16], last[16]; // network order, both inclusive
};

struct ranges {
	unsigned size; // bytes of a value: 2 (port), 4, 16 (address)
	VEC(struct range) v;
};

void ranges_add_prefix(struct ranges *ranges, const struct prefix *prefix);
void ranges_add_ports(struct ranges *ranges, uint16_t first, uint16_t last);
void ranges_merge(struct ranges *ranges); // call it once after the last ranges_add_*()
void ranges_free(struct ranges *ranges);

bool ranges_all(const struct ranges *ranges);     // every value is in it
bool ranges_singles(const struct ranges *ranges); // it has nothing but single values

// Prefix length of a range, or -1 if it is not the size of one.
int range_prefix_len(const struct range *range, unsigned size);

// "80", "1000-2000", "10.0.0.0/8", "10.0.0.1-10.0.0.9"
void range_text(const struct range *range, unsigned size, struct buf *out);

#endif
