// SPDX-License-Identifier: GPL-2.0-or-later
// trace_print: an explanation (gwd/core/trace.h) for people, and as JSON.
#ifndef GWD_TRACE_PRINT_H
#define GWD_TRACE_PRINT_H

#include "gwd/core/trace.h"

struct buf;
struct json_t;
struct plan;
struct table;

void trace_text(const struct trace *trace, const struct plan *plan, struct buf *out);
void trace_json(const struct trace *trace, const struct plan *plan, struct buf *out);

// Words, for both: the name of the enum's value in JSON.
const char *trace_end_name(enum trace_end end);
const char *trace_why_name(enum trace_why why);
const char *trace_origin_name(enum trace_origin origin);
const char *trace_selector_name(enum trace_selector selector);
const char *trace_member_name(enum trace_member_why why);
const char *trace_pin_name(enum trace_pin pin);

const char *trace_source_name(enum trace_source source);

// How a choice was made, of whatever.
struct trace_choice {
	uint64_t pin_left_ms;
	bool has_slot;
	uint32_t slot, n_slots;
	enum scheduler scheduler;
};

// Of a service (gwd/trace_service_text.c, gwd/trace_service_json.c): who gets the flow, with what and by which way; the
// lines about the service; its reals.
struct trace_choice trace_service_choice(const struct trace_service *asked, const struct plan *plan);
void trace_service_end(const struct trace *trace, const struct plan *plan, struct buf *out);
void trace_service_lines(struct table *t, const struct trace *trace, const struct plan *plan);
void trace_service_reals(const struct trace *trace, const struct plan *plan, struct buf *out);
struct json_t *trace_service_json(const struct trace *trace, const struct plan *plan);
// "a.b.c.d:port" of a listener or real; the port alone, or nothing, of what has no address.
#define TRACE_PLACE (ADDR_TEXT + 16)
const char *trace_place_text(char text[TRACE_PLACE], const struct addr *addr, uint16_t first, uint16_t last);
// The source that a real sees; "" where it is the client's own.
const char *trace_real_source(const struct trace *trace, const struct plan *plan,
			      const struct trace_real *real, char text[2 * ADDR_TEXT + 32]);
void trace_line(struct table *t, const char *name, struct buf *text); // frees it
// What became of the client's pin to `name`.
void trace_pin(struct buf *out, enum trace_pin pin, const char *name);

// What leaves by a gateway gets as its source; "none" where it keeps its own.
const char *trace_source_text(const struct trace *trace, const struct plan *plan,
			      char text[2 * ADDR_TEXT + 32]);

#endif
