// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/quality.h"

#include <math.h>
#include <stdio.h>

#define WELL_BELOW 0.75 // of a limit

void quality_init(struct quality *quality, const struct quality_limits *limits, uint32_t window_ms,
		  uint32_t hold_ms)
{
	*quality = (struct quality){.limits = *limits, .window_ms = window_ms};
	damper_init(&quality->damper, hold_ms);
	damper_assume(&quality->damper, STATE_UP, 0);
}

bool quality_has_limits(const struct quality *quality)
{
	return quality->limits.loss > 0 || quality->limits.latency_ms > 0 || quality->limits.jitter_ms > 0;
}

// One standard deviation of the share.
static double uncertainty(const struct window_figures *figures)
{
	return sqrt(figures->loss * (1 - figures->loss) / (double)figures->n);
}

static enum quality_fault find_fault(const struct quality *quality, const struct window_figures *figures)
{
	const struct quality_limits *limits = &quality->limits;

	if (limits->loss > 0 && figures->loss - uncertainty(figures) > limits->loss)
		return QUALITY_LOSS;
	if (limits->latency_ms > 0 && figures->latency_ms > limits->latency_ms)
		return QUALITY_LATENCY;
	if (limits->jitter_ms > 0 && figures->jitter_ms > limits->jitter_ms)
		return QUALITY_JITTER;
	return QUALITY_FINE;
}

static bool below(double value, double limit)
{
	return limit <= 0 || value < WELL_BELOW * limit;
}

static bool fine(const struct quality *quality, const struct window_figures *figures)
{
	return below(figures->loss, quality->limits.loss) &&
	       below(figures->latency_ms, quality->limits.latency_ms) &&
	       below(figures->jitter_ms, quality->limits.jitter_ms);
}

enum state quality_run(struct quality *quality, int64_t now_ms, const struct window_figures *figures)
{
	enum quality_fault fault;
	enum state raw = STATE_UNKNOWN;

	if (!quality_has_limits(quality) || figures->n < QUALITY_LEAST)
		return quality_state(quality);
	fault = find_fault(quality, figures);
	if (fault != QUALITY_FINE)
		raw = STATE_DOWN;
	else if (fine(quality, figures))
		raw = STATE_UP;
	if (raw == STATE_DOWN && quality->damper.state == STATE_UP)
		quality->fault = fault;
	if (damper_run(&quality->damper, now_ms, raw, now_ms, false) == STATE_UP)
		quality->fault = QUALITY_FINE;
	return quality_state(quality);
}

enum state quality_state(const struct quality *quality)
{
	return quality->damper.state == STATE_UP ? STATE_UP : STATE_DEGRADED;
}

void quality_reason(const struct quality *quality, const struct window_figures *figures, char *text,
		    size_t size)
{
	const struct quality_limits *limits = &quality->limits;
	double s = quality->window_ms / 1000.0;

	switch (quality->fault) {
	case QUALITY_FINE:
		snprintf(text, size, "%s", "");
		break;
	case QUALITY_LOSS:
		snprintf(text, size, "loss %.0f %% over %.3g s, the limit is %.0f %%", figures->loss * 100, s,
			 limits->loss * 100);
		break;
	case QUALITY_LATENCY:
		snprintf(text, size, "latency %.0f ms over %.3g s, the limit is %.0f ms", figures->latency_ms,
			 s, limits->latency_ms);
		break;
	case QUALITY_JITTER:
		snprintf(text, size, "jitter %.0f ms over %.3g s, the limit is %.0f ms", figures->jitter_ms,
			 s, limits->jitter_ms);
		break;
	}
}
