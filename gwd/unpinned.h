// SPDX-License-Identifier: GPL-2.0-or-later
// unpinned: tells when a balance's pin map is full. The kernel then goes on without: new flows of clients
// who have no pin are scheduled one by one, and the map's last rule counts them. Nothing breaks, but such a
// client's flows are spread over several links, which its far ends may mind; so the log says so, now and then
// while it lasts, and once when it is over.
//
// The engine calls it every second; it reads the counters less often.
#ifndef GWD_UNPINNED_H
#define GWD_UNPINNED_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/core/plan.h"

struct nft;
struct plan;
struct unpinned;

struct unpinned *unpinned_new(void);
void unpinned_free(struct unpinned *unpinned); // NULL is fine
void unpinned_look(struct unpinned *unpinned, struct nft *nft, const struct plan *applied, int64_t now_ms);

// What unpinned_look() does with one reading of a group's counter, as plain numbers.
struct unpinned_group {
	char name[PLAN_GROUP_NAME_SIZE];
	uint64_t count;   // at the last reading
	uint64_t told;    // at the last time that it was told
	int64_t rose_ms;  // when it was last seen to rise
	int64_t told_ms;  // when that was told
	bool full, known; // `known`: count is
};

enum unpinned_news { UNPINNED_NOTHING, UNPINNED_FULL, UNPINNED_OVER };
enum unpinned_news unpinned_take(struct unpinned_group *group, uint64_t count, int64_t now_ms);

#endif
