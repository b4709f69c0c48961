// SPDX-License-Identifier: GPL-2.0-or-later
// trace_print: an explanation (gwd/core/trace.h) for people, and as JSON.
#ifndef GWD_TRACE_PRINT_H
#define GWD_TRACE_PRINT_H

#include "gwd/core/trace.h"

struct buf;
struct plan;

void trace_text(const struct trace *trace, const struct plan *plan, struct buf *out);
void trace_json(const struct trace *trace, const struct plan *plan, struct buf *out);

// Words, for both: the name of the enum's value in JSON.
const char *trace_end_name(enum trace_end end);
const char *trace_why_name(enum trace_why why);
const char *trace_origin_name(enum trace_origin origin);
const char *trace_selector_name(enum trace_selector selector);
const char *trace_member_name(enum trace_member_why why);
const char *trace_pin_name(enum trace_pin pin);

// What leaves by a gateway gets as its source; "none" where it keeps its own.
const char *trace_source_text(const struct trace *trace, const struct plan *plan,
			      char text[2 * ADDR_TEXT + 32]);

#endif
