// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/unpinned.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/vec.h"
#include "gwd/core/names.h"
#include "gwd/core/plan.h"
#include "nft/nft.h"

#define UNPINNED_LOOK_MS 5000
#define UNPINNED_AGAIN_MS 600000 // it is told again after this
#define UNPINNED_OVER_MS 60000   // so long without any: there is room again

struct unpinned {
	int64_t looked_ms;
	VEC(struct unpinned_group) groups;
};

struct unpinned *unpinned_new(void)
{
	return xcalloc(1, sizeof(struct unpinned));
}

void unpinned_free(struct unpinned *unpinned)
{
	if (!unpinned)
		return;
	vec_free(&unpinned->groups);
	free(unpinned);
}

// A counter that went back is that of a new table.
enum unpinned_news unpinned_take(struct unpinned_group *group, uint64_t count, int64_t now_ms)
{
	bool rose = group->known && count > group->count;
	if (!group->known || count < group->count)
		group->told = count;
	group->known = true;
	group->count = count;
	if (rose)
		group->rose_ms = now_ms;
	if (rose && (!group->full || now_ms - group->told_ms >= UNPINNED_AGAIN_MS)) {
		group->full = true;
		group->told_ms = now_ms;
		return UNPINNED_FULL;
	}
	if (group->full && now_ms - group->rose_ms >= UNPINNED_OVER_MS) {
		group->full = false;
		return UNPINNED_OVER;
	}
	return UNPINNED_NOTHING;
}

static void unpinned_tell(struct unpinned_group *group, uint64_t count, int64_t now_ms)
{
	switch (unpinned_take(group, count, now_ms)) {
	case UNPINNED_NOTHING:
		return;
	case UNPINNED_FULL:
		log_warn("balance",
			 "%s: no room for more pins (%u clients of a family): %" PRIu64
			 " new connections were not pinned; a wider persist-mask or a shorter persistence "
			 "makes room",
			 group->name, PLAN_PIN_SIZE, count - group->told);
		group->told = count;
		return;
	case UNPINNED_OVER:
		log_info("balance", "%s: every client is pinned again", group->name);
		return;
	}
}

struct unpinned_reading {
	struct unpinned *unpinned;
	const struct plan *plan;
	int64_t now_ms;
};

static struct unpinned_group *unpinned_group(struct unpinned *unpinned, const char *name)
{
	struct unpinned_group *group;
	vec_each(&unpinned->groups, old)
		if (!strcmp(old->name, name))
			return old;
	vec_add(&unpinned->groups, group);
	snprintf(group->name, sizeof(group->name), "%s", name);
	return group;
}

static void unpinned_counter(void *arg, const char *name, uint64_t packets, uint64_t bytes)
{
	const struct unpinned_reading *reading = arg;
	char own[PLAN_NAME_SIZE];
	(void)bytes;
	vec_each(&reading->plan->groups, group)
		if (group->persistence_ms && !strcmp(name, name_unpinned(own, group)))
			unpinned_tell(unpinned_group(reading->unpinned, group->name), packets,
				      reading->now_ms);
}

static bool unpinned_due(const struct unpinned *unpinned, const struct plan *applied, int64_t now_ms)
{
	if (!applied->active || now_ms - unpinned->looked_ms < UNPINNED_LOOK_MS)
		return false;
	vec_each(&applied->groups, group)
		if (group->persistence_ms)
			return true;
	return false;
}

// If the counters can't be read, the next look may; status says so to whoever asks.
void unpinned_look(struct unpinned *unpinned, struct nft *nft, const struct plan *applied, int64_t now_ms)
{
	struct unpinned_reading reading = {unpinned, applied, now_ms};
	struct err err;
	if (!unpinned_due(unpinned, applied, now_ms))
		return;
	unpinned->looked_ms = now_ms;
	if (nft_read_counters(nft, unpinned_counter, &reading, &err) < 0)
		log_debug("balance", "counters can't be read: %s", err.text);
}
