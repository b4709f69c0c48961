// SPDX-License-Identifier: GPL-2.0-or-later
// ids: gateway name -> small number, stable over reloads and restarts.
//
// The number is the gateway's value under the mark mask, so it sits in every live flow's connection
// mark: it must not change while flows live. A name keeps its id for as long as this table lives,
// even while it is not configured; a restart learns the ids back from the chain names in the kernel.
// A new name gets the id that its hash names, or the next one that nobody has.
#ifndef GWD_CORE_IDS_H
#define GWD_CORE_IDS_H

#include "gwd/base/vec.h"
#include "gwd/core/model.h"

struct ids_entry {
	char name[MODEL_NAME_MAX + 1];
	unsigned id; // 1..
};

struct ids {
	VEC(struct ids_entry) entries;
};

// Remembers what the kernel already uses. A name or id that is known already is left as it is.
void ids_learn(struct ids *ids, const char *name, unsigned id);

// Gives every gateway of the model an id of 1..model_max_ids(mark_mask). The model must not have more
// gateways than that (conf/ checks). Entries of names that are gone are dropped only for want of room.
void ids_assign(struct ids *ids, const struct model *model);

unsigned ids_get(const struct ids *ids, const char *name); // 0: unknown
void ids_free(struct ids *ids);

#endif
