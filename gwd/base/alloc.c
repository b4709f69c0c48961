// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/base/alloc.h"

#include <malloc.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *alloc_checked(void *p)
{
	if (!p) {
		fputs("gwd: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	return alloc_checked(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
	return alloc_checked(realloc(p, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return alloc_checked(strdup(s));
}

void alloc_give_back(void)
{
	malloc_trim(0);
}

// A model of a hundred thousand reals is as many small objects, so they share blocks; as many probes have an arena each,
// so the first blocks are small. Not where AddressSanitizer looks for an overrun of each object.
#if defined(__SANITIZE_ADDRESS__)
#define BLOCK_LARGEST 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BLOCK_LARGEST 0
#endif
#endif
#ifndef BLOCK_LARGEST
#define BLOCK_LARGEST 4000 // with malloc's own a page at most
#endif
#define BLOCK_FIRST 256 // each is twice as large as the one before

struct arena_block {
	struct arena_block *next;
	size_t used, size; // of data
	alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct arena_block *blocks; // small things go to the first
	size_t next_size;
};

struct arena *arena_new(void)
{
	struct arena *arena = xcalloc(1, sizeof(*arena));
	arena->next_size = BLOCK_FIRST < BLOCK_LARGEST ? BLOCK_FIRST : BLOCK_LARGEST;
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;
		free(arena->blocks);
		arena->blocks = next;
	}
	free(arena);
}

// What is larger than a block gets one of its own, behind the first, which goes on being filled.
static struct arena_block *block_add(struct arena *arena, size_t size)
{
	bool own = size > arena->next_size;
	struct arena_block **at = own && arena->blocks ? &arena->blocks->next : &arena->blocks;
	size_t room = own ? size : arena->next_size;
	struct arena_block *block = xcalloc(1, sizeof(*block) + room);
	if (!own && arena->next_size < BLOCK_LARGEST)
		arena->next_size = 2 * room < BLOCK_LARGEST ? 2 * room : BLOCK_LARGEST;
	block->size = room;
	block->next = *at;
	return *at = block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t unit = alignof(max_align_t);
	struct arena_block *block = arena->blocks;
	if (!block || block->size - block->used < size)
		block = block_add(arena, size);
	void *p = block->data + block->used;
	size_t room = block->size - block->used, taken = (size + unit - 1) / unit * unit;
	block->used += taken < room ? taken : room;
	return p;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	size_t size = strlen(s) + 1;
	return memcpy(arena_alloc(arena, size), s, size);
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *s = arena_alloc(arena, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}
