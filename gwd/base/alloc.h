// SPDX-License-Identifier: GPL-2.0-or-later
// alloc: memory that is always there. Out of memory aborts (house.md), so no caller checks.
// Also the arena: many small things that die together, such as a whole configuration.
#ifndef GWD_BASE_ALLOC_H
#define GWD_BASE_ALLOC_H

#include <stddef.h>

void *xcalloc(size_t n, size_t size); // zeroed; free() it
void *xrealloc(void *p, size_t size); // as realloc()
char *xstrdup(const char *s);         // free() it
void alloc_give_back(void);           // to the system what was freed, after much was

struct arena; // opaque; everything taken from it lives until arena_free()

struct arena *arena_new(void);
void arena_free(struct arena *arena);                // NULL is fine
void *arena_alloc(struct arena *arena, size_t size); // zeroed, aligned for any type
char *arena_strdup(struct arena *arena, const char *s);
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
