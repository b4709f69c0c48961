// SPDX-License-Identifier: GPL-2.0-or-later
// conntrack_end: ends flows that the caller picks, one by one, whatever their marks are.
//
// One look through the table tells all of them, and its price is that of the table: on a kernel with 262,144
// buckets, some 10 ms even if it is empty (the kernel takes a lock for each). So there is one look only: flows
// that are to end later are noted, and ended by their names then.
#ifndef GWD_NFT_CONNTRACK_END_H
#define GWD_NFT_CONNTRACK_END_H

#include <stdbool.h>
#include <stddef.h>

#include "gwd/base/addr.h"
#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/base/vec.h"

struct conntrack;
struct ct_flow;

// Which flows a look is about; those that it leaves out need not be asked about, others may be told all the same.
struct ct_which {
	int family;               // AF_UNSPEC: both
	uint32_t status;          // all of these IPS_* bits
	struct addr answers_from; // where its answers come from; none: anywhere
};

enum ct_end { CT_STAYS, CT_ENDS, CT_ENDS_LATER };
typedef enum ct_end (*conntrack_end_cb)(void *arg, const struct ct_flow *flow);

// Flows that are to end later, numbered in the order in which they were told.
struct ct_later {
	struct buf requests;
	VEC(size_t) at; // where each of them begins
};

// Asks `cb` for each flow. `later`: where those go that it says so of; NULL: it doesn't. 0 or -errno.
int conntrack_end(struct conntrack *ct, const struct ct_which *which, conntrack_end_cb cb,
		  struct ct_later *later, void *arg, struct err *err);

// Now is later: ends those for which `ends` says so, and tells `ended` of each that was there still.
int conntrack_end_later(struct conntrack *ct, struct ct_later *later, bool (*ends)(void *arg, size_t i),
			void (*ended)(void *arg, size_t i), void *arg, struct err *err);
void ct_later_free(struct ct_later *later);

// At the very first load: ends the forwarded flows from the given LAN networks (none given: from
// any address that is not `local`) that were begun before source translation existed, so that they
// would go on untranslated for ever. `deleted` may be NULL.
int conntrack_delete_unnatted(struct conntrack *ct, const struct prefix *lans, size_t n_lans,
			      const struct addr *local, size_t n_local, size_t *deleted, struct err *err);

#endif
