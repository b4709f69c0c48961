// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/base/alloc.h"

#include <malloc.h>
#include <stdalign.h>
#include <stdarg.h>
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

// One allocation per object keeps AddressSanitizer able to see an overrun of each of them; a model
// is a few hundred objects, so a bump allocator would buy nothing.
struct arena_item {
	struct arena_item *next;
	alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct arena_item *items;
};

struct arena *arena_new(void)
{
	return xcalloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	while (arena->items) {
		struct arena_item *next = arena->items->next;
		free(arena->items);
		arena->items = next;
	}
	free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_item *item = xcalloc(1, sizeof(*item) + size);
	item->next = arena->items;
	arena->items = item;
	return item->data;
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
