// SPDX-License-Identifier: GPL-2.0-or-later
// vip: the addresses of services that gwd itself puts on an interface (`vip-interface`), and takes away again.
//
// What is in force is what the kernel has with our protocol (PLAN_PROTOCOL), so a restart finds its own, and
// what somebody takes away is put back. An address that stands there already is somebody else's and is left alone.
#ifndef GWD_CORE_VIP_H
#define GWD_CORE_VIP_H

#include "gwd/core/plan.h"

struct build_input;
struct facts;

// Fills plan->vips, sorted: of all services whose interface is there.
void vip_build(struct plan *plan, const struct build_input *input);

// Replaces applied->vips by what the kernel has.
void vip_in_force(struct plan *applied, const struct facts *facts);

int vip_compare(const struct plan_vip *a, const struct plan_vip *b);

#endif
