// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/http_body.h"

#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"

void http_body_init(struct http_body *body, const char *text)
{
	*body = (struct http_body){.text = xstrdup(text), .size = strlen(text)};
	body->tail = xcalloc(2, body->size + 1);
	body->found = body->size == 0;
}

void http_body_free(struct http_body *body)
{
	free(body->text);
	free(body->tail);
	*body = (struct http_body){0};
}

// Is the text where the tail and `data` meet? The tail has room for as much again.
static bool over_the_seam(struct http_body *body, const char *data, size_t size)
{
	size_t more = size < body->size - 1 ? size : body->size - 1;

	memcpy(body->tail + body->n_tail, data, more);
	return memmem(body->tail, body->n_tail + more, body->text, body->size) != NULL;
}

static void keep_tail(struct http_body *body, const char *data, size_t size)
{
	size_t want = body->size - 1;

	if (size >= want) {
		memcpy(body->tail, data + size - want, want);
		body->n_tail = want;
		return;
	}
	// over_the_seam() has put all of `data` behind the tail
	size_t all = body->n_tail + size, drop = all > want ? all - want : 0;
	memmove(body->tail, body->tail + drop, all - drop);
	body->n_tail = all - drop;
}

bool http_body_add(struct http_body *body, const char *data, size_t size)
{
	bool last = size >= HTTP_BODY_MAX - body->seen;

	if (last)
		size = HTTP_BODY_MAX - body->seen;
	body->seen += size;
	if (!body->found)
		body->found = over_the_seam(body, data, size) || memmem(data, size, body->text, body->size);
	if (body->found || last)
		return false;
	keep_tail(body, data, size);
	return true;
}

bool http_body_found(const struct http_body *body)
{
	return body->found;
}
