// SPDX-License-Identifier: GPL-2.0-or-later
// damper: keeps a flapping thing from being called up too soon.
//
// Bad news passes at once. Good news after a `down` must have lasted for `hold` first; each further
// fall that follows a short life doubles the hold, to at most five minutes, and each long calm
// halves it again. What has never been up passes at once too: there is nothing to damp at a start.
//
// With hold 5s, something that works for at most 5 s at a time goes down once and stays down.
// Pure: the caller gives the monotonic time.
#ifndef GWD_PROBES_DAMPER_H
#define GWD_PROBES_DAMPER_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/core/verdict.h"

#define DAMPER_HOLD_MAX_MS 300000
#define DAMPER_CALM_MIN_MS 60000 // shortest calm that halves the hold

struct damper {
	enum state state;      // UNKNOWN, UP or DOWN
	bool was_up;           // ever
	bool has_fallen;       // from up, ever
	int64_t good_since_ms; // while not up: since when the news has been good; < 0: it isn't
	int64_t up_since_ms;
	uint32_t base_ms; // hold as configured
	uint32_t hold_ms; // hold of the next `up`
};

void damper_init(struct damper *damper, uint32_t hold_ms);

// Starts from a state that was found earlier.
void damper_assume(struct damper *damper, enum state state, int64_t now_ms);

// `raw` is the undamped state; UNKNOWN keeps the state and ends a hold that had begun. `proven_ms`:
// good news is known to have been true then; what is only not yet refuted doesn't count for the hold.
// `urgent`: good news passes at once. Returns the damped state.
enum state damper_run(struct damper *damper, int64_t now_ms, enum state raw, int64_t proven_ms, bool urgent);

// When the hold will be over if it is proven until then; INT64_MAX: there is none.
int64_t damper_next_ms(const struct damper *damper);

#endif
