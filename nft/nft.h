// SPDX-License-Identifier: GPL-2.0-or-later
// nft: the kernel's table `inet gwd`, written and read back. The only writer of nftables.
//
// The engine calls it: nft_apply() carries out the nft operations of a diff, nft_read() turns what
// the kernel has into a plan (adoption after a restart, healing after somebody else's change), the
// listener tells when that is needed. `gwd -n` and `gwctl rules` print nft_text(), which is made by
// the same calls that build the kernel's rules.
//
// Guarantees: what one nft_apply() is given becomes visible to packets as a whole or not at all;
// a table of any other name is never touched; an error names the operation and the object that the
// kernel refused.
#ifndef GWD_NFT_NFT_H
#define GWD_NFT_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/err.h"
#include "gwd/core/diff.h"
#include "gwd/core/plan.h"

struct buf;
struct nft;
struct nft_listener;

struct nft *nft_open(struct err *err); // NULL and the sentence on failure
void nft_close(struct nft *nft);       // NULL is fine; the table stays in the kernel

// For a process that will write: makes the table that an earlier gwd left behind ours, so that nobody
// else can change it (Linux 6.9; before, and while there is no table, this does nothing). -EBUSY: it
// belongs to another process that runs.
int nft_adopt(struct nft *nft, struct err *err);

// Whether this kernel has flowtables: tried, and undone.
bool nft_has_flowtable(struct nft *nft);

// Carries out those of `ops` that are nft's and skips the others: OP_CHAINS, OP_SERVICE, OP_SET_ADD, OP_ELEM_DEL and
// OP_ELEM_ADD in one transaction, with what OP_SET_DEL and chains of services left before; then OP_SWEEP, OP_TABLE_DEL.
// -ERESTART: somebody else changed the ruleset meanwhile, nothing was done; read back, diff and apply again.
int nft_apply(struct nft *nft, const struct plan *to, const struct op *ops, size_t n_ops, struct err *err);

// Sets and chains are left over from the last transaction (OP_SET_DEL, OP_SERVICE); takes them out without waiting for
// another one. -errno: what there is, is for nft_read() to find.
bool nft_has_rest(const struct nft *nft);
int nft_drop_rest(struct nft *nft, struct err *err);

// Fills `applied` (give it zeroed; plan_free() it) with what the kernel has: sets and the elements
// of those that are not dynamic, gateways' names, ids and marks, the shape. No table: no sets and shape 0.
// Rules that somebody took away or added: shape 0. Changes nothing in the kernel.
// -ERESTART: the ruleset changed while it was read; read again.
int nft_read(struct nft *nft, struct plan *applied, struct err *err);

// Nobody has changed the ruleset since nft_read(), but we ourselves: its generation says so, at the price of one question
// however large the tables are. (What the packet path writes, and what goes with an interface, is no change.)
bool nft_is_known(struct nft *nft);

// The whole table of a plan as input for `nft -f`.
void nft_text(const struct plan *plan, struct buf *out);

// ---- what the packet path wrote ------------------------------------------------------------

// Calls `cb` for each named counter: "new.GATEWAY", "unpinned.GROUP", "orphan", "no_gateway", "leak".
typedef void (*nft_counter_cb)(void *arg, const char *name, uint64_t packets, uint64_t bytes);
int nft_read_counters(struct nft *nft, nft_counter_cb cb, void *arg, struct err *err);

// Sets them to zero.
int nft_zero_counters(struct nft *nft, struct err *err);

// Calls `cb` for each element of a pin map (name_pins()): the key's fields as in plan_elem.key, the
// gateway mark, and the time left. No such map: -ENOENT.
typedef void (*nft_pin_cb)(void *arg, const uint8_t *key, unsigned key_size, uint32_t mark,
			   uint64_t expires_ms);
int nft_dump_pins(struct nft *nft, const char *set, nft_pin_cb cb, void *arg, struct err *err);

// The same for a map of connections (drconn4.S, …): the id of the real that each has.
int nft_dump_conns(struct nft *nft, const char *set, nft_pin_cb cb, void *arg, struct err *err);

// The one element of a pin map with that key. -ENOENT: there is none.
int nft_get_pin(struct nft *nft, enum plan_table table, const char *set, const uint8_t *key,
		unsigned key_size, uint32_t *mark, uint64_t *expires_ms, struct err *err);

// How many flows a group's chain (name_group(…, "group", …)) has given a slot since it was loaded; 0 where
// the group does not go by counts.
int nft_read_turns(struct nft *nft, enum plan_table table, const char *chain, uint64_t *taken,
		   struct err *err);

// Forgets all elements of a set or map.
int nft_flush_set(struct nft *nft, const char *set, struct err *err);

// ---- listener --------------------------------------------------------------------------------

// A second socket in the nftables group. `nft` tells which changes are our own.
struct nft_listener *nft_listener_open(struct nft *nft, struct err *err);
void nft_listener_close(struct nft_listener *listener); // NULL is fine
int nft_listener_fd(const struct nft_listener *listener);

// Reads all that is waiting, without blocking. True: somebody else touched our table, or messages
// were lost; the engine should read back.
bool nft_listener_read(struct nft_listener *listener);

#endif
