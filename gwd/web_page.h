// SPDX-License-Identifier: GPL-2.0-or-later
// web_page: what the web page says: the pages of web.h, made from the engine and kept for a while.
//
// Making one may walk all of conntrack, so one that took t to make is said again for 60 t, a second at the least: then
// asking for all three without end costs a twentieth of a processor.
#ifndef GWD_WEB_PAGE_H
#define GWD_WEB_PAGE_H

#include <stdint.h>

struct buf;
struct engine;

struct web_page {
	const char *type; // for Content-Type
	const struct buf *body;
};

// The page at that path, until the next call; NULL: there is none.
const struct web_page *web_page(const struct engine *engine, const char *path);

// Frees those that would be made anew. Microseconds until the next will be; 0: nothing is kept.
int64_t web_page_tidy(void);

void web_page_forget(void); // frees what is kept

#endif
