// SPDX-License-Identifier: GPL-2.0-or-later
// places: the connections that hold a place of a real with max-connections, as the packet path keeps them: one
// element each in the real's set (name_places(), in the plan's sets). The packet path only adds; who counts the
// connections that end (the shell, by conntrack) gives their places back here.
//
// Truth is conntrack: after a start, a reload that changed a limit, or lost events the set is listed and compared with
// it, in both directions.
#ifndef GWD_NFT_PLACES_H
#define GWD_NFT_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/core/plan.h"

struct ct_tuple;
struct err;
struct nft;

struct place {
	const struct plan_set *set; // the plan's
	struct plan_elem elem;      // its key; place_of()
};

// The place of a connection, by what its client sent (ct_flow.orig). All maps of connections have that key.
struct place place_of(const struct plan_set *set, const struct ct_tuple *tuple);

// And back; false: that is no such key.
bool place_tuple(const uint8_t *key, unsigned key_size, enum fam fam, struct ct_tuple *tuple);

// In one transaction; places that are free already are fine.
int places_free(struct nft *nft, const struct place *places, size_t n, struct err *err);

// The same for connections that were there before their set; those that have a place keep it. -ENFILE: there are more
// than places, and nobody got one.
int places_take(struct nft *nft, const struct place *places, size_t n, struct err *err);

// Calls `cb` for each place that is taken. No such set: -ENOENT.
typedef void places_fn(void *arg, const struct place *place);
int places_list(struct nft *nft, const struct plan_set *set, places_fn *cb, void *arg, struct err *err);

#endif
