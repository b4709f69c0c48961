// SPDX-License-Identifier: GPL-2.0-or-later
// change: the chains of single services, exchanged for others; all other chains stay as they are. Only what differs is
// sent: chains that are new, the rules of those whose rules are others. Chains that nobody has any more lose their
// rules, and are themselves taken out with the next transaction: an element of a map that a packet is
// just about to ask may still lead there.
//
// apply.c calls it, for operations of kind OP_SERVICE. Old and new chains are made by the code that makes
// those of a whole plan, and compared as text, which has all that the kernel gets.
#ifndef GWD_NFT_CHANGE_H
#define GWD_NFT_CHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "gwd/base/vec.h"
#include "nft/ruleset.h"

struct batch;
struct nft;
struct nft_names;
struct op;

struct change {
	struct ruleset was, now;
};

struct changes {
	VEC(struct change) services;
	VEC(const struct chain *) made;    // new
	VEC(const struct chain *) emptied; // of the old ones: other rules, or none any more
	VEC(const struct chain *) filled;  // of the new ones: other rules
	VEC(const struct chain *) gone;
	uint64_t shape; // of the plan, with them
	size_t n_rules_gone, n_rules_new;
	char marker[PLAN_NAME_SIZE]; // name of the chain that says so
};

// Fills `changes` (zeroed; changes_free() it). `next_set_id`: of anonymous sets, in and out.
void changes_build(struct changes *changes, const struct op *ops, size_t n, uint32_t mark_mask,
		   uint32_t *next_set_id);
void changes_free(struct changes *changes);

// Into the batch: before the sets and elements, and behind them. `marker`: the chain that says what is there now.
void changes_put_chains(struct changes *changes, struct batch *batch, const char *marker);
void changes_put_rules(const struct changes *changes, struct batch *batch);

// Adds those that are left over.
void changes_left(const struct changes *changes, struct nft_names *chains);

#endif
