// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/ranges.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gwd/base/buf.h"

void ranges_add_prefix(struct ranges *ranges, const struct prefix *prefix)
{
	struct addr last = prefix_last(prefix);
	struct range range = {0};
	ranges->size = addr_size(&last);
	memcpy(range.first, prefix->addr.b, ranges->size);
	memcpy(range.last, last.b, ranges->size);
	vec_push(&ranges->v, range);
}

void ranges_add_ports(struct ranges *ranges, uint16_t first, uint16_t last)
{
	struct range range = {.first = {(uint8_t)(first >> 8), (uint8_t)first},
			      .last = {(uint8_t)(last >> 8), (uint8_t)last}};
	ranges->size = 2;
	vec_push(&ranges->v, range);
}

static int ranges_compare(const void *a, const void *b)
{
	const struct range *left = a, *right = b;
	return memcmp(left->first, right->first, sizeof(left->first));
}

bool ranges_singles(const struct ranges *ranges)
{
	vec_each(&ranges->v, range)
		if (memcmp(range->first, range->last, ranges->size) != 0)
			return false;
	return true;
}

// `next`, which begins later, begins inside `range`, or right behind it if that counts.
static bool ranges_touch(const struct range *range, const struct range *next, unsigned size,
			 bool behind_counts)
{
	uint8_t limit[16];
	memcpy(limit, range->last, sizeof(limit));
	if (behind_counts && !addr_bytes_next(limit, size))
		return true; // there is nothing behind it
	return memcmp(next->first, limit, size) <= 0;
}

void ranges_merge(struct ranges *ranges)
{
	size_t kept = 0;
	bool intervals = !ranges_singles(ranges);
	if (!ranges->v.n)
		return;
	qsort(ranges->v.v, ranges->v.n, sizeof(*ranges->v.v), ranges_compare);
	for (size_t i = 1; i < ranges->v.n; i++) {
		struct range *range = &ranges->v.v[kept], *next = &ranges->v.v[i];
		if (!ranges_touch(range, next, ranges->size, intervals))
			ranges->v.v[++kept] = *next;
		else if (memcmp(next->last, range->last, ranges->size) > 0)
			memcpy(range->last, next->last, sizeof(range->last));
	}
	ranges->v.n = kept + 1;
}

void ranges_free(struct ranges *ranges)
{
	vec_free(&ranges->v);
}

bool ranges_all(const struct ranges *ranges)
{
	return ranges->v.n == 1 && range_prefix_len(&ranges->v.v[0], ranges->size) == 0;
}

int range_prefix_len(const struct range *range, unsigned size)
{
	unsigned len = 0, bits = size * 8;
	for (; len < bits; len++) {
		unsigned shift = 7 - len % 8;
		if ((range->first[len / 8] ^ range->last[len / 8]) >> shift & 1)
			break;
	}
	for (unsigned i = len; i < bits; i++) {
		unsigned shift = 7 - i % 8;
		if ((range->first[i / 8] >> shift & 1) || !(range->last[i / 8] >> shift & 1))
			return -1;
	}
	return (int)len;
}

static void range_value_text(const uint8_t *value, unsigned size, struct buf *out)
{
	char text[ADDR_TEXT];
	if (size == 2) {
		buf_printf(out, "%u", (unsigned)value[0] << 8 | value[1]);
		return;
	}
	struct addr addr = addr_from(size == 4 ? AF_INET : AF_INET6, value);
	buf_puts(out, addr_text(&addr, text));
}

void range_text(const struct range *range, unsigned size, struct buf *out)
{
	int len = size == 2 ? -1 : range_prefix_len(range, size);
	range_value_text(range->first, size, out);
	if (!memcmp(range->first, range->last, size))
		return;
	if (len >= 0) {
		buf_printf(out, "/%d", len);
		return;
	}
	buf_puts(out, "-");
	range_value_text(range->last, size, out);
}
