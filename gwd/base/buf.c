// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"

#define BUF_LINE 80 // most of what is printed fits

static void buf_reserve(struct buf *buf, size_t more)
{
	if (buf->n + more + 1 <= buf->cap)
		return;
	while (buf->cap < buf->n + more + 1)
		buf->cap = buf->cap ? buf->cap * 2 : 256;
	buf->text = xrealloc(buf->text, buf->cap);
}

void buf_add(struct buf *buf, const void *data, size_t size)
{
	buf_reserve(buf, size);
	if (size)
		memcpy(buf->text + buf->n, data, size);
	buf->n += size;
	buf->text[buf->n] = 0;
}

void buf_puts(struct buf *buf, const char *s)
{
	buf_add(buf, s, strlen(s));
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	buf_reserve(buf, BUF_LINE);
	size_t room = buf->cap - buf->n;
	va_start(ap, fmt);
	int n = vsnprintf(buf->text + buf->n, room, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n >= room) {
		buf_reserve(buf, (size_t)n);
		va_start(ap, fmt);
		vsnprintf(buf->text + buf->n, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	buf->n += n < 0 ? 0 : (size_t)n;
	buf->text[buf->n] = 0;
}

const char *buf_text(const struct buf *buf)
{
	return buf->text ? buf->text : "";
}

void buf_clear(struct buf *buf)
{
	buf->n = 0;
	if (buf->text)
		buf->text[0] = 0;
}

void buf_free(struct buf *buf)
{
	free(buf->text);
	*buf = (struct buf){0};
}
