// SPDX-License-Identifier: GPL-2.0-or-later
// build_service: one inbound service: its reals judged, its slot map made. The same schedulers and the same
// pick as for gateways: reals, backups and the sorry server are the tiers of one pool.
//
// plan_build() calls it for all services; whoever steers one by counts calls build_pool() alone.
#ifndef GWD_CORE_BUILD_SERVICE_H
#define GWD_CORE_BUILD_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/core/plan.h"
#include "gwd/core/ring.h"

struct build_input;

// Fills plan->services.
void build_services(struct plan *plan, const struct build_input *input);

// Fills one (zeroed), the model's i-th; of dr and tun, ids may still be another's as well.
void build_service(struct plan_service *service, const struct build_input *input, size_t i);

// Adds the sets and maps of all services, unsorted. After build_services().
void build_service_sets(struct plan *plan, const struct build_input *input);

// Those of table inet that are one service's alone.
void build_own_sets(struct plan *plan, const struct plan_service *service, const struct build_input *input);

// Whatever sets were added from there on are one service's alone.
void build_mark_own(struct plan *plan, size_t from);

// Room of a set of listeners: a power of two above it, so that few changes alter the set's declaration.
uint32_t build_room(size_t n);

// Those of syn-proxy (build_synproxy.c).
void build_synproxy(struct plan *plan, const struct build_input *input);

// Fills `set` (zeroed), in the order of the slots. `turn`: where the packet path stands, for the
// schedulers that go by counts.
void build_pool(struct plan_set *set, const struct plan_service *service, enum fam fam,
		struct ring_turn turn);

// Which real has which slot, by its index in service->reals; SLOT_EMPTY: none. As table inet draws among its
// own, or table netdev among all. slots: SLOTS_MAX.
void build_pool_draw(uint16_t *slots, const struct plan_service *service, enum fam fam, enum plan_table table,
		     struct ring_turn turn);

// Fills `set` (zeroed) with those who take a connection that its slot's real has no place for, in the order in
// which they are tried: as table inet tries its own, or table netdev all.
void build_gate(struct plan_set *set, const struct plan_service *service, enum fam fam,
		enum plan_table table);

#endif
