// SPDX-License-Identifier: GPL-2.0-or-later
// top_view: what gwctl top shows: the gateways as status has them, and the last minutes of each as two curves.
//
// gwd/top.c feeds it with one `gwctl -j status` after the other and prints what it draws. Pure but for what it
// remembers: a bounded number of samples of each gateway.
#ifndef GWD_TOP_VIEW_H
#define GWD_TOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct top_view;

#define TOP_SAMPLES 120 // of each gateway, one a second
#define TOP_CELLS 30    // of a curve: so many samples each, the highest counts

struct top_view *top_view_new(bool utf8); // curves of blocks, or of ASCII
void top_view_free(struct top_view *view);

// -EBADMSG and the sentence: it is no status.
int top_view_take(struct top_view *view, const char *json, struct err *err);

// The last one taken, at most so many lines of at most 80 columns.
void top_view_draw(const struct top_view *view, size_t max_lines, struct buf *out);

#endif
