// SPDX-License-Identifier: GPL-2.0-or-later
// name_list: names of chains, sets or objects of our tables, as the kernel lists them or as they are to go.
#ifndef GWD_NFT_NAME_LIST_H
#define GWD_NFT_NAME_LIST_H

#include "gwd/base/vec.h"
#include "gwd/core/plan.h"

struct nft_name {
	enum plan_table table;
	char name[PLAN_NAME_SIZE];
};

struct nft_names {
	VEC(struct nft_name) v;
};

// One that is too long is none of ours, and left out.
void nft_names_add(struct nft_names *names, enum plan_table table, const char *name);

#endif
