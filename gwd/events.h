// SPDX-License-Identifier: GPL-2.0-or-later
// events: the last few hundred changes of state, in memory, and who wants to hear of the next one.
//
// The engine records each change once (engine_record()); the notify hook and every `gwctl events -f`
// watch. Watchers are called at once and must not free themselves or others from inside.
#ifndef GWD_EVENTS_H
#define GWD_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "gwd/core/model.h"

#define EVENTS_KEPT 500

struct buf;
struct events;

struct change {
	int64_t wall_ms;  // since 1970
	const char *kind; // "gateway", "real", "service"; a constant
	char name[MODEL_REAL_NAME_SIZE];
	const char *old, *new; // states; of a service who serves; constants
	char reason[200];
	double latency_ms, jitter_ms, loss; // as measured then; negative: not known
};

struct events_watch {
	void (*told)(void *arg, const struct change *change);
	void *arg;
	struct events_watch *next; // of events'
};

struct events *events_new(void);
void events_free(struct events *events); // NULL is fine; watches that are left are forgotten

void events_record(struct events *events, const struct change *change);

size_t events_count(const struct events *events);
const struct change *events_at(const struct events *events, size_t i); // 0: the oldest

// `watch` is the caller's and must stay until events_unwatch().
void events_watch(struct events *events, struct events_watch *watch);
void events_unwatch(struct events *events, struct events_watch *watch); // fine when it isn't watching

// One line each, with its newline.
void change_text(const struct change *change, struct buf *out);
void change_json(const struct change *change, struct buf *out);

#endif
