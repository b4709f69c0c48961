// SPDX-License-Identifier: GPL-2.0-or-later
// http_body: looks for a text in a body that comes in pieces, and gives up after HTTP_BODY_MAX bytes.
//
// Pure. It keeps no more of the body than the text is long, so the text is found over a seam, too.
#ifndef GWD_PROBES_HTTP_BODY_H
#define GWD_PROBES_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_BODY_MAX 65536

struct http_body {
	char *text; // looked for; own copy
	size_t size;
	char *tail; // the last bytes that came, fewer than `size`
	size_t n_tail;
	size_t seen; // bytes in all
	bool found;
};

void http_body_init(struct http_body *body, const char *text);
void http_body_free(struct http_body *body);

// The next piece. False: no more is wanted, because the text was found, or too much has come.
bool http_body_add(struct http_body *body, const char *data, size_t size);
bool http_body_found(const struct http_body *body);

#endif
