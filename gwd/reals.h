// SPDX-License-Identifier: GPL-2.0-or-later
// reals: what the shell remembers of the services and their reals: health, since when each is as it is,
// and what plan_build() is told of each (core/real.h). In the model's order, carried over a reload by name.
//
// The engine has one. real_monitor.c keeps the checkers in it, engine_reals.c tells of changes; a place in
// the model (service, real) is a place here, so nobody looks anything up while traffic flows.
#ifndef GWD_REALS_H
#define GWD_REALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "gwd/core/plan.h"
#include "gwd/core/ramp.h"
#include "gwd/core/real.h"
#include "gwd/core/verdict.h"

struct checker;

struct reals_real {
	char name[MODEL_REAL_NAME_SIZE]; // first
	struct checker *checker;         // NULL: it has no probes
	enum state told;                 // as events were told
	int64_t since_ms;                // monotonic: it is so
	struct ramp_since ramp;          // since when it is in use: slow-start
	uint32_t service;                // whose it is
};

// What of a service's reals is not in the plan that is in force.
enum reals_moved {
	REALS_COUNTS = 1, // how many connections they have
	REALS_STATE = 2,  // anything
};

struct reals_service {
	char name[MODEL_NAME_MAX + 1]; // first
	size_t first, n;               // its reals
	enum serving told;
	int64_t since_ms;
	bool urgent;    // nobody serves: the first to answer does at once
	bool by_counts; // its slots follow its reals' connections
	unsigned moved; // of enum reals_moved
};

struct reals {
	VEC(struct reals_service) services; // as model.services
	VEC(struct reals_real) reals;       // of all services, one after the other
	struct real_now *now;               // of each of these
	const struct real_now **by_service; // as plan_build() wants it
	VEC(size_t) moved;                  // services of which something is not in force yet
	uint32_t *index;                    // numbers of reals by the hash of their names, each + 1
	size_t index_size;                  // a power of two
	struct reals *before;               // who was left out by a reload that is not in force yet
};

// After a reload: who is new begins with `now_ms`, who is gone is forgotten, checker and all, by reals_drop_left():
// the kernel may yet refuse this model, and then the old one is configured again.
void reals_configure(struct reals *reals, const struct model *model, int64_t now_ms);
void reals_drop_left(struct reals *reals);
void reals_free(struct reals *reals);

static inline size_t reals_index(const struct reals *reals, size_t service, size_t real)
{
	return reals->services.v[service].first + real;
}

// Something of a service's reals has changed; all of that is in force; all but where the packet path stands
// in the services by counts, which a plan takes as it was last read.
void reals_move(struct reals *reals, size_t service, enum reals_moved what);
void reals_settled(struct reals *reals);
void reals_planned(struct reals *reals);

// slow-start, real_ramps.c: before a plan is built, what each holds back; when it is in force, who came into use;
// then, until a plan would be another one (RAMP_OVER: never).
void reals_ramp(struct reals *reals, const struct model *model, int64_t now_ms);
void reals_note(struct reals *reals, const struct plan *plan, int64_t now_ms);
int64_t reals_wait_ms(const struct reals *reals, const struct model *model, int64_t now_ms);

// The same for one service; and those whose next step is due are moved.
void reals_ramp_service(struct reals *reals, const struct model *model, size_t service, int64_t now_ms);
void reals_note_service(struct reals *reals, const struct plan *plan, size_t service, int64_t now_ms);
void reals_move_ramped(struct reals *reals, const struct model *model, int64_t now_ms);

// By "SERVICE/REAL"; NULL: there is none.
struct reals_real *reals_find(const struct reals *reals, const char *name);

#endif
