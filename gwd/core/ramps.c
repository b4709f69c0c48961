// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/ramps.h"

#include <stdio.h>
#include <string.h>

#include "gwd/core/plan.h"
#include "gwd/core/ramp.h"

static struct ramps_entry *ramps_find(const struct ramps *ramps, const char *gateway)
{
	vec_each(&ramps->entries, entry)
		if (!strcmp(entry->gateway, gateway))
			return entry;
	return NULL;
}

unsigned ramps_held(const struct ramps *ramps, const char *gateway, enum fam fam, int64_t now_ms,
		    unsigned total_ms)
{
	const struct ramps_entry *entry = ramps ? ramps_find(ramps, gateway) : NULL;
	return entry ? ramp_since_held(&entry->since[fam], now_ms, total_ms) : 0;
}

static void ramps_note_gateway(struct ramps *ramps, const struct plan_gateway *gw, int64_t now_ms)
{
	struct ramps_entry *entry = ramps_find(ramps, gw->name);
	if (!entry) {
		vec_add(&ramps->entries, entry);
		snprintf(entry->gateway, sizeof(entry->gateway), "%s", gw->name);
	}
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		ramp_since_note(&entry->since[fam], gw->usable[fam] && !gw->degraded[fam], now_ms);
}

void ramps_note(struct ramps *ramps, const struct plan *plan, int64_t now_ms)
{
	vec_each(&plan->gateways, gw)
		ramps_note_gateway(ramps, gw, now_ms);
}

int64_t ramps_wait_ms(const struct ramps *ramps, const struct plan *plan, int64_t now_ms)
{
	int64_t least = RAMP_OVER;
	vec_each(&plan->gateways, gw) {
		const struct ramps_entry *entry = ramps_find(ramps, gw->name);
		for (enum fam fam = FAM_4; entry && fam < FAM_COUNT; fam++) {
			int64_t wait = ramp_since_wait_ms(&entry->since[fam], now_ms, gw->slow_start_ms);
			least = wait < least ? wait : least;
		}
	}
	return least;
}

void ramps_free(struct ramps *ramps)
{
	vec_free(&ramps->entries);
}
