// SPDX-License-Identifier: GPL-2.0-or-later
// set: a plan's sets and maps as libnftnl's objects and as nft's text, and back.
#ifndef GWD_NFT_SET_H
#define GWD_NFT_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/core/plan.h"

struct buf;
struct nftnl_set;
struct nftnl_set_elem;

// The declaration, without elements. nftnl_set_free() it.
struct nftnl_set *set_declare(const struct plan_set *set, uint32_t id);

// One element; of a range the first value, and with `end` the first value behind it (NULL if there is
// none: the range reaches to the highest value). nftnl_set_elem_free() it.
struct nftnl_set_elem *set_elem(const struct plan_set *set, const struct plan_elem *elem);
struct nftnl_set_elem *set_elem_key(const struct plan_set *set, const struct plan_elem *elem); // no data
struct nftnl_set_elem *set_elem_end(const struct plan_set *set, const struct plan_elem *elem);

// The declaration of a set of the kernel's. False: not one that a plan can hold (anonymous).
bool set_parse(struct plan_set *out, const struct nftnl_set *set);

// Appends the elements of a dump to out->elems, in the kernel's order; the ends of ranges as
// elements of their own, until set_finish() has put them together and sorted all.
void set_parse_elems(struct plan_set *out, struct nftnl_set *dump);
void set_finish(struct plan_set *out);

void set_text(const struct plan_set *set, struct buf *out); // "map NAME { … }"
void set_elem_text(const struct plan_set *set, const struct plan_elem *elem, struct buf *out); // "KEY : DATA"

#endif
