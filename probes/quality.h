// SPDX-License-Identifier: GPL-2.0-or-later
// quality: is something that answers good enough? Judges loss, latency and jitter by their limits,
// and says `degraded` when one is exceeded.
//
// Pure. Chance must not degrade a link: loss counts as too much only when it exceeds the limit by
// more than its own uncertainty, and nothing is judged by fewer than QUALITY_LEAST outcomes. What is
// degraded is good again when all figures are well below their limits (three quarters) for `hold`,
// longer while it goes back and forth (damper.h).
#ifndef GWD_PROBES_QUALITY_H
#define GWD_PROBES_QUALITY_H

#include <stddef.h>
#include <stdint.h>

#include "gwd/core/verdict.h"
#include "probes/damper.h"
#include "probes/window.h"

#define QUALITY_LEAST 5

struct quality_limits { // 0: not judged by it
	double loss;    // 0..1
	double latency_ms, jitter_ms;
};

enum quality_fault { QUALITY_FINE, QUALITY_LOSS, QUALITY_LATENCY, QUALITY_JITTER };

struct quality {
	struct quality_limits limits;
	uint32_t window_ms; // for the words
	struct damper damper;
	enum quality_fault fault; // why it is degraded; kept until it no longer is
};

void quality_init(struct quality *quality, const struct quality_limits *limits, uint32_t window_ms,
		  uint32_t hold_ms);
bool quality_has_limits(const struct quality *quality);

// Takes the figures into account. Returns UP or DEGRADED.
enum state quality_run(struct quality *quality, int64_t now_ms, const struct window_figures *figures);
enum state quality_state(const struct quality *quality);

// "loss 42 % over 30 s, the limit is 30 %"; only while degraded.
void quality_reason(const struct quality *quality, const struct window_figures *figures, char *text,
		    size_t size);

#endif
