// SPDX-License-Identifier: GPL-2.0-or-later
// hash: stable 64-bit hashes of bytes (FNV-1a with a finalizer), for ids, slot tables and shapes.
// Not for untrusted keys: nobody who can choose the input gains by a collision here.
#ifndef GWD_BASE_HASH_H
#define GWD_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START 0xcbf29ce484222325ull

uint64_t hash_add(uint64_t hash, const void *data, size_t size); // feed; start with HASH_START
uint64_t hash_end(uint64_t hash);                                // spread the bits (splitmix64)
uint64_t hash_str(const char *s);                                // both, over a string

#endif
