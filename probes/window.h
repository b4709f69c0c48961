// SPDX-License-Identifier: GPL-2.0-or-later
// window: what became of the last questions put to one target: loss, latency and jitter.
//
// Pure: the caller gives the monotonic time. It remembers at most `cap` outcomes and none older than
// `span_ms`; the figures are means over what it remembers. The health machine feeds it, the verdict
// quotes it, `degraded` is judged by it.
#ifndef GWD_PROBES_WINDOW_H
#define GWD_PROBES_WINDOW_H

#include <stddef.h>
#include <stdint.h>

struct window_outcome {
	int64_t when_ms;
	float rtt_ms; // < 0: lost
};

struct window {
	struct window_outcome *ring;
	size_t cap, n, head; // head: where the next one goes
	uint32_t span_ms;
};

struct window_figures {
	size_t n;          // outcomes within the span
	double loss;       // 0..1; 0 when n is 0
	double latency_ms; // mean round trip; < 0: no answer within the span
	double jitter_ms;  // mean difference between successive round trips; < 0: fewer than two answers
};

void window_init(struct window *window, uint32_t span_ms, size_t cap);
void window_clear(struct window *window); // forgets all outcomes
void window_free(struct window *window);
void window_answered(struct window *window, int64_t now_ms, double rtt_ms);
void window_lost(struct window *window, int64_t now_ms);
struct window_figures window_figures(const struct window *window, int64_t now_ms);

#endif
