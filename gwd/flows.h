// SPDX-License-Identifier: GPL-2.0-or-later
// flows: the live connections that gwd steers: which client, where to, over which gateway or to which real.
//
// `gwctl flows` streams them out of conntrack; this is the filter and the line for each. What it needs of plan and
// model is copied, because a reload may come while a client still reads.
#ifndef GWD_FLOWS_H
#define GWD_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct ct_flow;
struct err;
struct flows;
struct model;
struct plan;

// `words`: names of gateways, services or reals (web/www1), protocols, addresses and prefixes of either end. All must
// fit. NULL and the sentence: what a word means nobody knows.
struct flows *flows_new(const struct model *model, const struct plan *plan, const char *const *words,
			size_t n, struct err *err);
void flows_free(struct flows *flows);

void flows_title(struct buf *out);

// A line, if it is one of ours and fits. `now_ms`: since 1970.
void flows_line(struct flows *flows, const struct ct_flow *flow, int64_t now_ms, bool json, struct buf *out);

// What could not be told, and how it would be; "" if there is nothing to say.
const char *flows_note(const struct flows *flows);

#endif
