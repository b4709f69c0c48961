// SPDX-License-Identifier: GPL-2.0-or-later
// marks: a gateway's id as bits of the packet and connection mark, and back. The lowest set bit of
// mark-mask is the unit; all ones is the control mark.
#ifndef GWD_CORE_MARKS_H
#define GWD_CORE_MARKS_H

#include <stdint.h>

static inline uint32_t mark_of_id(uint32_t mask, unsigned id)
{
	return id * (mask & -mask);
}

static inline unsigned mark_to_id(uint32_t mask, uint32_t mark)
{
	return (mark & mask) / (mask & -mask);
}

#endif
