// SPDX-License-Identifier: GPL-2.0-or-later
// ramps: since when each gateway is in use, of each family, so that one that comes back is ramped up
// (ramp.h). Pure data: the shell keeps it and notes every plan that is in force, plan_build() reads it.
//
// In use is whoever is usable and not degraded. One that is so when it is first seen, at a start or in a new
// configuration, is not ramped: it interrupts nobody, and the operator wants to see what is written.
#ifndef GWD_CORE_RAMPS_H
#define GWD_CORE_RAMPS_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "gwd/core/ramp.h"

struct plan;

struct ramps_entry {
	char gateway[MODEL_NAME_MAX + 1];
	struct ramp_since since[FAM_COUNT];
};

struct ramps {
	VEC(struct ramps_entry) entries;
};

// What a gateway that is in use now holds back, of RAMP_FULL. NULL: nothing.
unsigned ramps_held(const struct ramps *ramps, const char *gateway, enum fam fam, int64_t now_ms,
		    unsigned total_ms);

// This plan, built at that time, is in force.
void ramps_note(struct ramps *ramps, const struct plan *plan, int64_t now_ms);

// Until a plan would be another one; RAMP_OVER: never.
int64_t ramps_wait_ms(const struct ramps *ramps, const struct plan *plan, int64_t now_ms);

void ramps_free(struct ramps *ramps);

#endif
