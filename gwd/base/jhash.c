// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/base/jhash.h"

#include <string.h>

#define JHASH_START 0xdeadbeefu
#define JHASH_BLOCK 12

static uint32_t rotated(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static void jhash_mix(uint32_t v[3])
{
	static const uint8_t by[] = {4, 6, 8, 16, 19, 4};
	for (unsigned i = 0; i < sizeof(by); i++) {
		uint32_t *a = &v[i % 3], *b = &v[(i + 1) % 3], *c = &v[(i + 2) % 3];
		*a -= *c;
		*a ^= rotated(*c, by[i]);
		*c += *b;
	}
}

static void jhash_final(uint32_t v[3])
{
	static const uint8_t by[] = {14, 11, 25, 16, 4, 14, 24};
	for (unsigned i = 0; i < sizeof(by); i++) { // c by b, a by c, b by a, …
		uint32_t *to = &v[(i + 2) % 3], *from = &v[(i + 1) % 3];
		*to ^= *from;
		*to -= rotated(*from, by[i]);
	}
}

uint32_t jhash(const void *key, uint32_t size, uint32_t seed)
{
	const uint8_t *k = key;
	uint32_t start = JHASH_START + size + seed, v[3] = {start, start, start};
	for (; size > JHASH_BLOCK; size -= JHASH_BLOCK, k += JHASH_BLOCK) {
		uint32_t words[3];
		memcpy(words, k, sizeof(words));
		for (unsigned i = 0; i < 3; i++)
			v[i] += words[i];
		jhash_mix(v);
	}
	for (uint32_t i = 0; i < size; i++)
		v[i / 4] += (uint32_t)k[i] << 8 * (i % 4);
	if (size)
		jhash_final(v);
	return v[2];
}

uint32_t jhash_mod(const void *key, uint32_t size, uint32_t modulus, uint32_t seed)
{
	return (uint32_t)((uint64_t)jhash(key, size, seed) * modulus >> 32);
}
