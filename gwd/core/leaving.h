// SPDX-License-Identifier: GPL-2.0-or-later
// leaving: reals by dr and tun that were taken out of the file while connections of theirs go on (on-removal = keep). The maps
// of connections name them by their ids, and as long as table netdev knows the address and the interface of an id, its
// packets get there. So they are kept by keeping these elements; what is in the kernel is all that is remembered
// of them, and a restart finds it there. Of one by tun its tunnel is kept as well, and what is done for packets that go into
// one, which plan_build() has to be told (build_input.leaving).
//
// Pure. Whose connections are over, the shell finds out (direct_loads.h).
#ifndef GWD_CORE_LEAVING_H
#define GWD_CORE_LEAVING_H

#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/base/vec.h"

struct facts;
struct plan;

struct leaving_tunnel {
	uint32_t id;
	struct addr remote;
};

struct leaving {
	VEC(uint32_t) ids; // sorted
	VEC(struct leaving_tunnel) tunnels;
};

// Adds whom `applied` has an address of, and who is no real of `plan`. The same plan twice: who is kept now.
void leaving_find(struct leaving *leaving, const struct plan *applied, const struct plan *plan);

// Fills `tunnels` with those of the ids that are reached by one.
void leaving_find_tunnels(struct leaving *leaving, const struct plan *applied);

// Takes over into `plan` what `applied` has of them, as far as there is room.
void leaving_keep(const struct leaving *leaving, const struct plan *applied, struct plan *plan,
		  const struct facts *facts);

void leaving_free(struct leaving *leaving);

#endif
