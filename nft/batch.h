// SPDX-License-Identifier: GPL-2.0-or-later
// batch: one nftables transaction: messages are collected, sent at once, and take effect as a whole
// or not at all. A refusal is told in the words of the message that the kernel refused.
//
// apply.c and read.c (adoption) use it. Names given to it must live until batch_free().
#ifndef GWD_NFT_BATCH_H
#define GWD_NFT_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/buf.h"
#include "gwd/base/vec.h"
#include "gwd/core/plan.h"

struct err;
struct mnl_socket;
struct nftnl_set_elem;
struct nlmsghdr;
struct rule;

struct batch_note {       // what a message is about
	size_t at;        // offset of the message
	const char *what; // "table", "chain", "map", …
	const char *name;
	const struct rule *rule;    // or NULL
	const struct plan_set *set; // or NULL; then its elements from `first` on, one for each in the message
	size_t first;
};

struct batch {
	uint32_t genid; // it is refused at another one; 0: at none
	struct buf buf;
	uint32_t seq;
	char *message; // the one under construction
	VEC(struct batch_note) notes;
	VEC(const struct plan_elem *) elems;
	uint32_t refused_type; // of the message that failed (NFT_MSG_*), for the caller to tell apart
};

void batch_begin(struct batch *batch, uint32_t genid); // give it zeroed; genid 0: whatever it is
void batch_free(struct batch *batch);
bool batch_empty(const struct batch *batch);

// A message; fill its payload, then batch_add() it.
struct nlmsghdr *batch_message(struct batch *batch, enum plan_table table, uint16_t type, uint16_t flags);
void batch_add(struct batch *batch, const struct nlmsghdr *nlh, const char *what, const char *name,
	       const struct rule *rule);

// Elements of one set, all added (NFT_MSG_NEWSETELEM) or all deleted (NFT_MSG_DELSETELEM), in as many
// messages as they need.
void batch_elems(struct batch *batch, uint16_t type, const struct plan_set *set,
		 const struct plan_elem *const *elems, size_t n);

// Asks the kernel what it would say to it, and changes nothing. 0, or -errno as batch_commit().
int batch_check(struct batch *batch, struct mnl_socket *sock, struct err *err);

// Ends and sends it. 0, or -errno of the first refusal; -ERESTART: the generation is another one.
int batch_commit(struct batch *batch, struct mnl_socket *sock, struct err *err);

#endif
