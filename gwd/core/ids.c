// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/ids.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/hash.h"

static const struct ids_entry *ids_by_id(const struct ids *ids, unsigned id)
{
	vec_each(&ids->entries, entry)
		if (entry->id == id)
			return entry;
	return NULL;
}

unsigned ids_get(const struct ids *ids, const char *name)
{
	vec_each(&ids->entries, entry)
		if (!strcmp(entry->name, name))
			return entry->id;
	return 0;
}

void ids_learn(struct ids *ids, const char *name, unsigned id)
{
	if (!id || ids_get(ids, name) || ids_by_id(ids, id))
		return;
	struct ids_entry *entry;
	vec_add(&ids->entries, entry);
	snprintf(entry->name, sizeof(entry->name), "%s", name);
	entry->id = id;
}

static void ids_drop(struct ids *ids, size_t i)
{
	memmove(&ids->entries.v[i], &ids->entries.v[i + 1],
		(ids->entries.n - i - 1) * sizeof(*ids->entries.v));
	ids->entries.n--;
}

static unsigned ids_free_id(const struct ids *ids, const char *name, unsigned max)
{
	unsigned first = (unsigned)(hash_str(name) % max);
	for (unsigned i = 0; i < max; i++) {
		unsigned id = (first + i) % max + 1;
		if (!ids_by_id(ids, id))
			return id;
	}
	return 0;
}

static void ids_drop_unused(struct ids *ids, const struct model *model)
{
	for (size_t i = ids->entries.n; i-- > 0;)
		if (model_find_gateway(model, ids->entries.v[i].name) < 0)
			ids_drop(ids, i);
}

void ids_assign(struct ids *ids, const struct model *model)
{
	unsigned max = model_max_ids(model->globals.mark_mask);
	assert(model->n_gateways <= max);
	for (size_t i = ids->entries.n; i-- > 0;) // a narrower mask than the one they were given under
		if (ids->entries.v[i].id > max)
			ids_drop(ids, i);
	for (size_t i = 0; i < model->n_gateways; i++) {
		const char *name = model->gateways[i].name;
		if (ids_get(ids, name))
			continue;
		if (!ids_free_id(ids, name, max))
			ids_drop_unused(ids, model);
		ids_learn(ids, name, ids_free_id(ids, name, max));
	}
}

void ids_free(struct ids *ids)
{
	vec_free(&ids->entries);
}
