// SPDX-License-Identifier: GPL-2.0-or-later
// rest: sets and chains that no rule leads to any more, since the last transaction. They are taken out with the next one,
// not at once: a packet may be on its way through the rules that were in force before, and an element that is
// not in force any more isn't found by it either. A moment later nobody is there.
//
// Whoever reads the kernel anew finds them as sets that the plan doesn't have, and has them swept.
#ifndef GWD_NFT_REST_H
#define GWD_NFT_REST_H

#include "nft/name_list.h"

struct batch;
struct plan_set;

struct rest {
	struct nft_names sets, chains;
};

void rest_add_set(struct rest *rest, const struct plan_set *set);
void rest_put(const struct rest *rest, struct batch *batch); // they are to stay until the batch is freed
void rest_clear(struct rest *rest);                          // they are gone, or somebody else's to find

#endif
