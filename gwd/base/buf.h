// SPDX-License-Identifier: GPL-2.0-or-later
// buf: text that grows. For rulesets, tables and replies.
#ifndef GWD_BASE_BUF_H
#define GWD_BASE_BUF_H

#include <stddef.h>

struct buf {
	char *text; // always ends with a 0 once something was added; NULL before
	size_t n, cap;
};

void buf_printf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_puts(struct buf *buf, const char *s);
void buf_add(struct buf *buf, const void *data, size_t size);
const char *buf_text(const struct buf *buf); // never NULL
void buf_clear(struct buf *buf);             // empty, memory kept
void buf_free(struct buf *buf);

#endif
