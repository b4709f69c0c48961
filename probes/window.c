// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/window.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "gwd/base/alloc.h"

#define LOST (-1.0f)

void window_init(struct window *window, uint32_t span_ms, size_t cap)
{
	assert(cap > 0);
	*window = (struct window){
		.ring = xcalloc(cap, sizeof(*window->ring)),
		.cap = cap,
		.span_ms = span_ms,
	};
}

void window_clear(struct window *window)
{
	window->n = window->head = 0;
}

void window_free(struct window *window)
{
	free(window->ring);
	*window = (struct window){0};
}

static void add(struct window *window, int64_t now_ms, float rtt_ms)
{
	window->ring[window->head] = (struct window_outcome){now_ms, rtt_ms};
	window->head = (window->head + 1) % window->cap;
	if (window->n < window->cap)
		window->n++;
}

void window_answered(struct window *window, int64_t now_ms, double rtt_ms)
{
	add(window, now_ms, rtt_ms > 0 ? (float)rtt_ms : 0.0f);
}

void window_lost(struct window *window, int64_t now_ms)
{
	add(window, now_ms, LOST);
}

struct window_figures window_figures(const struct window *window, int64_t now_ms)
{
	struct window_figures f = {.latency_ms = -1, .jitter_ms = -1};
	size_t lost = 0, answered = 0;
	double sum = 0, moved = 0, before = 0;

	for (size_t i = window->n; i > 0; i--) { // oldest first
		size_t at = (window->head + window->cap - i) % window->cap;
		const struct window_outcome *o = &window->ring[at];

		if (now_ms - o->when_ms > window->span_ms)
			continue;
		f.n++;
		if (o->rtt_ms < 0) {
			lost++;
			continue;
		}
		double rtt = (double)o->rtt_ms;
		if (answered++)
			moved += fabs(rtt - before);
		before = rtt;
		sum += rtt;
	}
	if (f.n)
		f.loss = (double)lost / (double)f.n;
	if (answered)
		f.latency_ms = sum / (double)answered;
	if (answered > 1)
		f.jitter_ms = moved / (double)(answered - 1);
	return f;
}
