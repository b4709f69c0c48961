// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/base/hash.h"

#include <string.h>

uint64_t hash_add(uint64_t hash, const void *data, size_t size)
{
	const unsigned char *p = data;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ull;
	return hash;
}

uint64_t hash_end(uint64_t hash)
{
	hash ^= hash >> 30;
	hash *= 0xbf58476d1ce4e5b9ull;
	hash ^= hash >> 27;
	hash *= 0x94d049bb133111ebull;
	return hash ^ (hash >> 31);
}

uint64_t hash_str(const char *s)
{
	return hash_end(hash_add(HASH_START, s, strlen(s)));
}
