// SPDX-License-Identifier: GPL-2.0-or-later
// trial: asks every target of some checks once, now, and collects what they say: for people
// (`gwctl probe NAME`). It tells the health machine nothing, and health does not wait for it.
//
// It copies all it needs, so a reload or the end of a checker meanwhile does not matter.
#ifndef GWD_PROBES_TRIAL_H
#define GWD_PROBES_TRIAL_H

#include <stddef.h>

#include "probes/prober.h"

struct check;
struct event_base;
struct trial;

struct trial_result {
	char probe[32];
	char target[64];      // cut, where a name is longer
	struct answer answer; // DEAD with "no answer within 300 ms" where there was none
};

// `results` are in the order of the checks and their targets.
typedef void (*trial_cb)(void *arg, const struct trial_result *results, size_t n);

// The callback comes once, from the loop, within the longest timeout of the checks; then the trial is
// gone. `set` must live until then.
struct trial *trial_new(struct event_base *base, struct prober_set *set, struct check *const *checks,
			size_t n, trial_cb cb, void *arg);
void trial_cancel(struct trial *trial); // no callback any more

#endif
