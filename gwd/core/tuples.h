// SPDX-License-Identifier: GPL-2.0-or-later
// tuples: whose a connection is: by where its client sent it and where its answers come from, as conntrack
// has it, one real of one service is told. No mark of ours is spent on that.
//
// Pure; counting and status make one from the model. A look-up costs the same with 1000 services as with one;
// listeners of many ports are entries without a port.
#ifndef GWD_CORE_TUPLES_H
#define GWD_CORE_TUPLES_H

#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"

struct model;
struct tuples;

struct tuple {
	uint8_t protocol;
	uint16_t to_port, from_port; // host order
	struct addr to;              // the listener
	struct addr from;            // the real
};

struct tuples *tuples_new(const struct model *model);
void tuples_free(struct tuples *tuples); // NULL is fine

// The real's number, those of all services counted one after the other; SIZE_MAX: nobody's.
size_t tuples_find(const struct tuples *tuples, const struct tuple *tuple);

#endif
