// SPDX-License-Identifier: GPL-2.0-or-later
// vacancy: places of reals with max-connections, given back at once. real_loads.h tells of each connection that
// begins or ends; once in a turn of the loop the places of those that ended are taken out of the kernel's sets, all in one
// transaction, and the reals concerned are judged anew: full or not any more (real_now.full).
//
// It costs what has happened, however many connections there are. What it is not told of (events were lost, a packet
// took a place and was dropped) occupancy.h finds by comparing, now and then.
#ifndef GWD_VACANCY_H
#define GWD_VACANCY_H

#include <stdbool.h>
#include <stddef.h>

struct ct_flow;
struct err;
struct model;
struct nft;
struct plan;
struct real_now;
struct vacancy;

struct vacancy *vacancy_new(struct nft *nft);
void vacancy_free(struct vacancy *vacancy); // NULL is fine

// After a reload. What was noted before is forgotten.
void vacancy_configure(struct vacancy *vacancy, const struct model *model);

// More than can be waiting while the kernel takes what it is given: the rest is left to occupancy.h.
#define VACANCY_MOST 100000

// A connection of this real (its number) is live, or is not any more.
void vacancy_note(struct vacancy *vacancy, size_t real, const struct ct_flow *flow, bool live);
size_t vacancy_due(const struct vacancy *vacancy); // how many were noted and wait

// Works off what was noted; arguments and result are those of occupancy_look().
int vacancy_settle(struct vacancy *vacancy, const struct plan *applied, struct real_now *now,
		   struct err *err);

#endif
