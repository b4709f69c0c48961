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

// A model of a hundred thousand reals is as many small objects, so they share blocks. Not where
// AddressSanitizer looks for an overrun of each of them.
#if defined(__SANITIZE_ADDRESS__)
#define BLOCK_SIZE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BLOCK_SIZE 0
#endif
#endif
#ifndef BLOCK_SIZE
#define BLOCK_SIZE 4000 // with malloc's own a page at most
#endif

struct arena_block {
	struct arena_block *next;
	size_t used, size; // of data
	alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct arena_block *blocks; // small things go to the first
};

struct arena *arena_new(void)
{
	return xcalloc(1, sizeof(struct arena));
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
	bool own = size > BLOCK_SIZE;
	struct arena_block **at = own && arena->blocks ? &arena->blocks->next : &arena->blocks;
	struct arena_block *block = xcalloc(1, sizeof(*block) + (own ? size : BLOCK_SIZE));
	block->size = own ? size : BLOCK_SIZE;
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
