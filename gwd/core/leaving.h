// SPDX-License-Identifier: GPL-2.0-or-later
// leaving: reals by dr that were taken out of the file while connections of theirs go on (on-removal = keep). The maps
// of connections name them by their ids, and as long as table netdev knows the address and the interface of an id, its
// packets get there. So they are kept by keeping these elements; what is in the kernel is all that is remembered
// of them, and a restart finds it there.
//
// Pure. Whose connections are over, the shell finds out (direct_loads.h).
#ifndef GWD_CORE_LEAVING_H
#define GWD_CORE_LEAVING_H

#include <stddef.h>
#include <stdint.h>

#include "gwd/base/vec.h"

struct plan;

struct leaving {
	VEC(uint32_t) ids; // sorted
};

// Adds whom `applied` has an address of, by dr, and who is no real of `plan`. The same plan twice: who is kept now.
void leaving_find(struct leaving *leaving, const struct plan *applied, const struct plan *plan);

// Takes over into `plan` what `applied` has of them, as far as there is room.
void leaving_keep(const struct leaving *leaving, const struct plan *applied, struct plan *plan);

#endif
