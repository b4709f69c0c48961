// SPDX-License-Identifier: GPL-2.0-or-later
// build_direct: reals by dr and tun, as table netdev hands packets on to them: by which interface each is
// reached, and the sets and maps of that table.
//
// What the packet path decides by is a real's id: slots, connections and pins hold ids, and two maps say
// which address and which interface an id means; a third has the addresses alone, where one interface leads
// to all of a service's reals. So a real that dies is taken out by its elements there, whoever
// remembers it. Ids of reals that others reach (nat, fullnat, local) have no address: those packets go
// up to table inet, where the same service serves them.
#ifndef GWD_CORE_BUILD_DIRECT_H
#define GWD_CORE_BUILD_DIRECT_H

#include "gwd/base/addr.h"
#include "gwd/core/ring.h"

struct build_input;
struct fact_iface;
struct facts;
struct plan;
struct plan_real;
struct plan_service;
struct plan_set;

// The interface in whose network the address is; NULL: none that is up.
const struct fact_iface *build_direct_link(const struct facts *facts, const struct addr *addr);

// Finds the interface in whose network the real (by dr) is. Without one it is down.
void build_direct_way(struct plan_real *real, const struct facts *facts);

// Whether one interface leads to all of them.
void build_direct_near(struct plan_service *service);

// Makes the reals' ids unique in a plan that has table netdev.
void build_direct_ids(struct plan *plan);

// Adds the sets and maps, unsorted.
void build_direct_sets(struct plan *plan, const struct build_input *input);

// Those that are one service's alone; and what is of its reals in those of all services, as sets of the same names.
void build_direct_own_sets(struct plan *plan, const struct plan_service *service,
			   const struct build_input *input);
void build_direct_parts(struct plan *plan, const struct plan_service *service);

// As build_pool(), for table netdev.
void build_direct_pool(struct plan_set *set, const struct plan_service *service, enum fam fam,
		       struct ring_turn turn);

#endif
