// SPDX-License-Identifier: GPL-2.0-or-later
// manual: what the operator has set by hand on top of the configuration: a gateway or a real disabled, drained
// or with another weight, by name.
//
// Pure data: gwctl's commands change it through the engine, plan_build() obeys it, the shell keeps it
// in a small file so that it survives a restart. A reload leaves it alone, also for a name that is
// not configured at the moment.
#ifndef GWD_CORE_MANUAL_H
#define GWD_CORE_MANUAL_H

#include <stdbool.h>
#include <stddef.h>

#include "gwd/base/vec.h"
#include "gwd/core/model.h"

struct buf;

#define MANUAL_SINCE 24 // "2026-01-01 00:00:00 UTC"
#define MANUAL_TEXT 80
#define MANUAL_WEIGHT_MAX 65535 // as in the configuration

struct manual_entry {
	char name[MODEL_REAL_NAME_SIZE]; // of a gateway, or SERVICE/REAL
	bool disabled, drained, weighted;
	unsigned weight;          // while `weighted`
	char since[MANUAL_SINCE]; // of the last change
};

struct manual {
	VEC(struct manual_entry) entries;
};

enum manual_change {
	MANUAL_DISABLE,
	MANUAL_ENABLE,
	MANUAL_DRAIN,
	MANUAL_UNDRAIN,
	MANUAL_WEIGHT,      // to a number
	MANUAL_WEIGHT_FILE, // back to the configuration's
};

// NULL: nothing is set by hand. `manual` may be NULL.
const struct manual_entry *manual_find(const struct manual *manual, const char *name);

// False: it was so already. `since`: the time of day, for people; one line.
bool manual_set(struct manual *manual, const char *name, enum manual_change change, unsigned weight,
		const char *since);

// The weight that counts where the configuration says `weight`. `entry` may be NULL.
unsigned manual_weight(const struct manual_entry *entry, unsigned weight);

// "disabled by the operator since ...", "weight 5 by the operator since ..."; "" for NULL.
const char *manual_text(const struct manual_entry *entry, char text[MANUAL_TEXT]);

// As lines to keep, and back. Reading skips what it doesn't understand and returns how many lines that was.
void manual_write(const struct manual *manual, struct buf *out);
size_t manual_read(struct manual *manual, const char *text);
void manual_free(struct manual *manual);

#endif
