// SPDX-License-Identifier: GPL-2.0-or-later
// diff: the operations that lead from what is applied to what is planned, in the order that never
// leaves a flow without a path (make before break):
//
//	default routes of marks that lead elsewhere from now on, and their flows (diff_moved.h);
//	sysctls; tunnels, routes and ip rules that are new; one nft transaction (sets, chains, elements);
//	a second one that sweeps what the first left unreferenced; services' addresses that are new; the
//	conntrack flushes; addresses and ip rules that are gone; those default routes again; routes and
//	tunnels that are gone.
//
// A set whose room is another one is made anew with the chains, which nobody asks at that moment.
//
// Where nothing but services differ, and no chain that they share, each one's own chains are loaded anew and
// nobody else's: the change is as large as the service, however many others there are. What such a change leaves
// behind (a slot map of another length, chains of a real that is gone) may still be asked by a packet that is on its
// way through the old rules, so it is not taken out in the same transaction but in the next one.
//
// Nothing that is already there gives an operation: plan_diff(p, p) is empty, which is what makes a
// reload of an unchanged file and a restart touch nothing.
#ifndef GWD_CORE_DIFF_H
#define GWD_CORE_DIFF_H

#include "gwd/core/plan.h"

enum op_kind {          // in the order of execution
	OP_ROUTE_CLOSE, // route: delete it, for another one to come
	OP_FLUSH_FIRST, // flush: end the flows that it led
	OP_SYSCTL,      // sysctl
	OP_TUNNEL_SET,  // tunnel: make it, or make it what it should be
	OP_ROUTE_SET,   // route: add, or replace the one of the same table, family and metric
	OP_IPRULE_ADD,  // iprule
	OP_CHAINS,    // nft: create the table if it is not there, all chains, and load every rule anew (sets,
		      // pins and counters stay)
	OP_SERVICE,   // nft: was, service, shape: the chains of one service alone; NULL: it is new, or gone
	OP_SET_ADD,   // nft: set (declaration and all of its elements)
	OP_ELEM_DEL,  // nft: set, elem
	OP_ELEM_ADD,  // nft: set, elem (after the deletions: a changed element is one of each)
	OP_SET_DEL,   // nft: set that no rule asks any more: it goes with the next transaction
	OP_SWEEP,     // nft, its own transaction: delete every set, chain and counter that `to` does not have
	OP_TABLE_DEL, // nft: the whole table
	OP_VIP_ADD,   // vip: a service's address
	OP_PINS_CLEAR, // nft, by itself: set (a pin map): forget every client
	OP_FLUSH,      // flush: end the flows of a gateway
	OP_END,        // service, real: end the connections of a real
	OP_VIP_DEL,    // vip
	OP_IPRULE_DEL, // iprule
	OP_ROUTE_OPEN, // route: the one that was waited for
	OP_ROUTE_DEL,  // route
	OP_TUNNEL_DEL, // tunnel
};

enum op_flush_why {
	FLUSH_MOVE,    // its gateway can't carry them any more, another one can
	FLUSH_GONE,    // its gateway is no longer configured
	FLUSH_ADDRESS, // they are translated to an address that the link has lost, or not at all and should be
	FLUSH_RESET,   // failback = reset: the gateway they belong on is back
};

struct op_flush {
	enum fam fam;
	uint32_t mark, mask;
	char gateway[MODEL_NAME_MAX + 1]; // for the log
	enum op_flush_why why;
};

// Pointers are into the two plans given to plan_diff().
struct op {
	enum op_kind kind;
	const struct plan_sysctl *sysctl;
	const struct plan_route *route;
	const struct plan_iprule *iprule;
	const struct plan_vip *vip;
	const struct plan_tunnel *tunnel;
	const struct plan_set *set;
	bool renewed; // OP_SET_ADD: it takes the place of one of the same name, of other room or another key
	const struct plan_elem *elem;
	struct op_flush flush;
	const struct plan_service *service, *was;
	const struct plan_real *real;
	uint64_t shape; // with this operation, the plan's
};

struct ops {
	VEC(struct op) op;
};

// Fills `ops` (give it zeroed). Both plans must outlive it. `from` may be a plan that was read back
// from the kernel (adoption): its chains then are known by `shape` only.
void plan_diff(struct ops *ops, const struct plan *from, const struct plan *to);

// The same for the elements of one set.
void plan_diff_set(struct ops *ops, const struct plan_set *from, const struct plan_set *to);
void ops_free(struct ops *ops);

// One line of text for the log and for tests: "route add default via 192.0.2.1 dev eth1 table 1001".
void op_text(const struct op *op, char *text, size_t size);

#endif
