// SPDX-License-Identifier: GPL-2.0-or-later
// direct_places: the places of reals by dr and tun that have max-connections. The packet path gives them out, holds on to
// them and takes them back by itself (nft/chain_places.c). What is left to do here: a limit that is new, or that a
// reload changed, has an empty set, and a lowered one had no room for all; so who is connected and has no place gets
// one, as far as there are any.
//
// It also says who is full (real_now.full): from max-connections on until there are less than min-connections. Where the two are
// equal the packet path alone decides, unless there are more than there may be.
#ifndef GWD_DIRECT_PLACES_H
#define GWD_DIRECT_PLACES_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct model_real;
struct nft;
struct plan;
struct plan_service;

// Another value: other sets, which may lack some.
uint64_t direct_places_sets(const struct plan_service *service);

// `applied`: the plan in force, whose service it is. 1: there were not places for all, so that it is to be done again; 0;
// else -errno.
int direct_places_mend(struct nft *nft, const struct plan *applied, const struct plan_service *service,
		       struct err *err);

// Of a real with a limit; `was`: it is full so far.
bool direct_places_full(const struct model_real *real, bool was, uint64_t live);

#endif
