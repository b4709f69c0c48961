// SPDX-License-Identifier: GPL-2.0-or-later
// watch: one probe kept upon one subject: the health of its targets, how many of them must answer,
// the damping of what comes out, and whether it is
// good enough.
//
// Pure: it decides what is asked when and what follows from the answers; the checker puts the
// questions. Where one target falls into doubt the others are asked at once, so several targets
// find a dead link sooner than one does.
#ifndef GWD_PROBES_WATCH_H
#define GWD_PROBES_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/core/verdict.h"
#include "probes/damper.h"
#include "probes/health.h"
#include "probes/prober.h"
#include "probes/quality.h"

struct answer;

struct watch_config {
	struct health_config health;
	unsigned need; // targets that must answer, 1..; cut to the number of targets
	uint32_t hold_ms;
	struct quality_limits limits; // over health.window_ms
};

struct watch_target {
	struct prober_target aim; // own copy
	char *label;              // the name, or the address as text
	struct health health;
	bool refused; // the last miss was no silence: `why` says what came instead
	bool cant;    // the last question could not be put: `why` says what is missing
	char why[ANSWER_TEXT];
};

struct watch {
	struct watch_config config;
	struct watch_target *targets;
	size_t n_targets;
	enum state *states; // scratch: one for each target
	struct damper damper;
	struct quality quality;
	int64_t quality_ms; // when it was judged last
	bool broken, urgent;
	uint64_t seed;
};

struct watch_ask {
	const struct prober_target *target;
	uint64_t id;
	void **handle; // where to keep what calls it back
};

void watch_init(struct watch *watch, const struct watch_config *config, uint64_t seed);
void watch_free(struct watch *watch);

// Before any of the next three, and before watch_free(), the caller calls back what is under way
// (watch_take_handle).
//
// Other targets; the damped state stays until they have answered, or not. With none at all the link
// is good whenever it isn't broken.
void watch_set_targets(struct watch *watch, const struct prober_target *targets, size_t n, int64_t now_ms);
// The link is broken: down at once, nothing is asked. Or it is whole again: asks at once.
void watch_set_broken(struct watch *watch, bool broken, int64_t now_ms);
// The link changed under our feet: asks anew at once, keeps the state.
void watch_restart(struct watch *watch, int64_t now_ms);

// Starts from a state that was found earlier.
void watch_assume(struct watch *watch, enum state state, int64_t now_ms);
// The same from another watch of the same configuration, with what it has learnt of flapping.
void watch_inherit(struct watch *watch, const struct watch *from);

// While urgent one answer is enough, and there is no hold.
void watch_set_urgent(struct watch *watch, bool urgent, int64_t now_ms);
void watch_suspect(struct watch *watch); // ask all of them now

// When due: run, then take the expired handles, then ask until false.
void watch_run(struct watch *watch, int64_t now_ms);
void *watch_expired(struct watch *watch);
bool watch_ask(struct watch *watch, int64_t now_ms, struct watch_ask *ask);
void watch_answer(struct watch *watch, int64_t now_ms, uint64_t id, const struct answer *answer);
bool watch_join(struct watch *watch, int64_t now_ms); // others are being asked: some target is due with them
int64_t watch_next_ms(const struct watch *watch);

// Takes every handle that is kept: for calling back.
void *watch_take_handle(struct watch *watch);

enum state watch_state(const struct watch *watch);
enum state watch_raw_state(const struct watch *watch); // neither damped nor weighed
struct window_figures watch_figures(const struct watch *watch,
				    int64_t now_ms); // n of them: need-th best each

#endif
