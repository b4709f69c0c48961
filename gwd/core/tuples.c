// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/tuples.h"

#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/hash.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"

// Where a listener has many ports, its port is left out, and the real's with it if it is kept. Where the real is
// this host, whatever address answers.
struct tuples_key {
	struct addr to, from;
	uint16_t to_port, from_port;
	uint8_t protocol;
};

struct tuples_entry {
	struct tuples_key key;
	size_t real; // + 1; 0: empty
};

struct tuples {
	size_t size; // a power of two
	struct tuples_entry *entries;
};

static bool tuples_same(const struct tuples_key *a, const struct tuples_key *b)
{
	return a->protocol == b->protocol && a->to_port == b->to_port && a->from_port == b->from_port &&
	       addr_equal(&a->to, &b->to) && addr_equal(&a->from, &b->from);
}

static struct tuples_entry *tuples_place(const struct tuples *tuples, const struct tuples_key *key)
{
	uint64_t hash = hash_add(HASH_START, key->to.b, sizeof(key->to.b));
	hash = hash_add(hash, key->from.b, sizeof(key->from.b));
	hash = hash_add(hash, &key->to_port, sizeof(key->to_port));
	hash = hash_add(hash, &key->from_port, sizeof(key->from_port));
	hash = hash_end(hash_add(hash, &key->protocol, sizeof(key->protocol)));
	struct tuples_entry *entry = &tuples->entries[hash & (tuples->size - 1)];
	while (entry->real && !tuples_same(&entry->key, key))
		if (++entry == tuples->entries + tuples->size)
			entry = tuples->entries;
	return entry;
}

// ---- filling -----------------------------------------------------------------------------------

static bool tuples_serves(const struct model_listen *listen, const struct model_real *real)
{
	return addr_is_none(&real->address) || addr_fam(&real->address) == addr_fam(&listen->addr);
}

// Two reals of one address and port can't be told apart: all is the first one's.
static void tuples_add(struct tuples *tuples, const struct model_service *service,
		       const struct model_listen *listen, const struct model_real *real, size_t number)
{
	bool wide = listen->first != listen->last;
	struct tuples_key key = {.to = listen->addr, .from = real->address};
	key.to_port = wide ? 0 : listen->first;
	key.from_port = real->port ? real->port : key.to_port;
	for (size_t i = 0; i < service->n_protocols; i++) {
		key.protocol = service->protocols[i];
		struct tuples_entry *entry = tuples_place(tuples, &key);
		if (!entry->real)
			*entry = (struct tuples_entry){key, number + 1};
	}
}

static void tuples_fill(struct tuples *tuples, const struct model *model)
{
	size_t number = 0;
	for (size_t i = 0; i < model->n_services; i++) {
		const struct model_service *service = &model->services[i];
		for (size_t k = 0; k < service->n_reals; k++, number++)
			for (size_t l = 0; l < service->n_listens; l++)
				if (tuples_serves(&service->listens[l], &service->reals[k]))
					tuples_add(tuples, service, &service->listens[l], &service->reals[k],
						   number);
	}
}

struct tuples *tuples_new(const struct model *model)
{
	struct tuples *tuples = xcalloc(1, sizeof(*tuples));
	size_t n = 0;
	for (size_t i = 0; i < model->n_services; i++) {
		const struct model_service *service = &model->services[i];
		n += service->n_reals * service->n_listens * service->n_protocols;
	}
	tuples->size = 16;
	while (tuples->size < 2 * n)
		tuples->size *= 2;
	tuples->entries = xcalloc(tuples->size, sizeof(*tuples->entries));
	tuples_fill(tuples, model);
	return tuples;
}

void tuples_free(struct tuples *tuples)
{
	if (!tuples)
		return;
	free(tuples->entries);
	free(tuples);
}

// ---- looking -----------------------------------------------------------------------------------

size_t tuples_find(const struct tuples *tuples, const struct tuple *tuple)
{
	static const struct addr anybody;
	bool kept = tuple->to_port == tuple->from_port;
	for (unsigned local = 0; local < 2; local++) {
		struct tuples_key key = {.to = tuple->to,
					 .from = local ? anybody : tuple->from,
					 .to_port = tuple->to_port,
					 .from_port = tuple->from_port,
					 .protocol = tuple->protocol};
		const struct tuples_entry *entry = tuples_place(tuples, &key);
		key.to_port = 0;
		if (!entry->real)
			entry = tuples_place(tuples, &key);
		key.from_port = 0;
		if (!entry->real && kept)
			entry = tuples_place(tuples, &key);
		if (entry->real)
			return entry->real - 1;
	}
	return SIZE_MAX;
}
