// SPDX-License-Identifier: GPL-2.0-or-later
// occupancy: who holds the places of the reals with max-connections. The packet path gives a place to every connection
// that it lets in (nft/places.h), and vacancy.h takes it back when it ends. Here is what doesn't depend on being
// told: places whose connection conntrack no longer has, or has as ended, are taken back, and a connection
// without a place gets one (after a restart, or when a limit was changed by a reload).
//
// Conntrack is the truth, and is compared with the sets again and again, as often as one percent of a processor
// allows. A place that conntrack knows nothing of may belong to a connection
// that begins this moment, and one whose connection has ended is about to be given back by vacancy.h: either is
// taken back when that is still so the next time.
//
// It also says who is full: from max-connections on until there are less than min-connections (real_now.full).
#ifndef GWD_OCCUPANCY_H
#define GWD_OCCUPANCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conntrack;
struct err;
struct model;
struct model_real;
struct nft;
struct occupancy;
struct plan;
struct plan_set;
struct real_now;

struct occupancy *occupancy_new(struct nft *nft, struct conntrack *ct);
void occupancy_free(struct occupancy *occupancy); // NULL is fine

// After a reload. True: somebody has a limit, so that occupancy_look() has something to do.
bool occupancy_configure(struct occupancy *occupancy, const struct model *model);

// One comparison. `applied`: what is in the kernel, of `model`; `now`: of all reals, one after the other.
// 1: somebody became full, or is not any more; 0: nobody did; else -errno.
int occupancy_look(struct occupancy *occupancy, const struct model *model, const struct plan *applied,
		   struct real_now *now, struct err *err);

// Of a real with a limit; `was`: it is full so far.
bool occupancy_is_full(const struct model_real *real, bool was, uint64_t live);

// The sets, by family, of the model's i-th service's k-th real (NULL: none of that family). False: it has no limit, or what
// is applied is of another model, since a change could not be applied yet.
bool occupancy_sets(const struct model *model, const struct plan *applied, size_t i, size_t k,
		    const struct plan_set *set[]);

#endif
