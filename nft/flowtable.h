// SPDX-License-Identifier: GPL-2.0-or-later
// flowtable: the plan's flowtable in the kernel's messages. To the plan it is a set whose elements are
// devices, so that it is diffed and applied like any; to netlink it is an object of its own kind.
//
// apply.c and read.c call it. A device is meant by its index: the name is asked for when the
// message is made, and a device that is gone by then is left out, since the kernel has
// taken it out of the flowtable already.
#ifndef GWD_NFT_FLOWTABLE_H
#define GWD_NFT_FLOWTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct batch;
struct buf;
struct err;
struct nft;
struct plan;
struct plan_elem;
struct plan_set;

// NFT_MSG_NEWFLOWTABLE: makes it, or adds the devices to it. NFT_MSG_DELFLOWTABLE: takes them out.
void flowtable_put(struct batch *batch, uint16_t type, const char *name,
		   const struct plan_elem *const *devices, size_t n);

// The whole of it.
void flowtable_put_delete(struct batch *batch, const char *name);

// Adds our table's flowtables to plan->sets. -EINTR: it changed while it was read.
int flowtable_read(struct nft *nft, struct plan *plan, struct err *err);

void flowtable_text(const struct plan_set *set, struct buf *out); // "flowtable NAME { … }"

#endif
