// SPDX-License-Identifier: GPL-2.0-or-later
// jhash: the kernel's jhash() (include/linux/jhash.h, after Bob Jenkins' lookup3), bit for bit, so that
// `gwctl trace` can tell which slot nft's `jhash … mod N seed S` draws.
#ifndef GWD_BASE_JHASH_H
#define GWD_BASE_JHASH_H

#include <stdint.h>

uint32_t jhash(const void *key, uint32_t size, uint32_t seed);

// As nft does it: the hash scaled to 0..modulus - 1, not its remainder.
uint32_t jhash_mod(const void *key, uint32_t size, uint32_t modulus, uint32_t seed);

#endif
