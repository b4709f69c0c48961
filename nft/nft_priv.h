// SPDX-License-Identifier: GPL-2.0-or-later
// nft_priv: what the files behind nft.h share.
//
// `genid` is the kernel's generation that we know: of the last read, or of our own last transaction.
// A transaction carries it, so that it fails when somebody has changed the ruleset since.
#ifndef GWD_NFT_NFT_PRIV_H
#define GWD_NFT_NFT_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/core/plan.h"
#include "nft/nft.h"
#include "nft/rest.h"

struct batch;
struct mnl_socket;
struct nlmsghdr;

struct nft {
	struct mnl_socket *sock;
	uint32_t genid; // 0: not known
	bool blind;     // what came between the last read and this generation is not known
	uint32_t seq;
	// Owned and persistent: nobody else's flush touches the table, and it outlives us. Kernels that
	// have no `persist` get neither: owned alone, the table would go with us. (facts.md 5)
	uint32_t table_flags;
	bool flags_asked;
	struct nft_listener *listener; // NULL: none is open
	char marker
		[PLAN_NAME_SIZE]; // the chain that says which chains there are (name_shape()); "": not known
	struct rest rest;
};

// A table as it stands in the kernel.
struct nft_table {
	bool found;
	uint32_t flags, owner; // owner: netlink port, 0: nobody
};

// Requests for what is in one of our tables. -EINTR: it changed while it was read.
int nft_dump(struct nft *nft, enum plan_table table, uint16_t type, const char *set,
	     int (*cb)(const struct nlmsghdr *, void *), void *arg, struct err *err);
int nft_dump_objects(struct nft *nft, int (*cb)(const struct nlmsghdr *, void *), void *arg, struct err *err);
int nft_read_genid(struct nft *nft, uint32_t *genid, struct err *err);
int nft_read_table(struct nft *nft, enum plan_table which, struct nft_table *table, struct err *err);
int nft_read_names(struct nft *nft, uint16_t type, struct nft_names *names,
		   struct err *err); // chains or sets, of both tables

void nft_put_table(struct batch *batch, enum plan_table table, uint32_t flags);

// Commits at `nft->genid` and keeps that up to date.
int nft_commit(struct nft *nft, struct batch *batch, struct err *err);

// While it is off, the kernel tells it nothing.
int nft_listener_switch(struct nft_listener *listener, bool on);
void nft_listener_outlive(struct nft_listener *listener); // its nft is closed

#endif
