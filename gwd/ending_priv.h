// SPDX-License-Identifier: GPL-2.0-or-later
// ending_priv: what ending.c and ending_direct.c share. Nobody else includes it.
#ifndef GWD_ENDING_PRIV_H
#define GWD_ENDING_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "gwd/wake_segment.h"

struct ending;

struct ending_flow {
	uint32_t mark; // with the gateway by which the client came; none: the LAN
	struct wake_flow wake;
};

// Makes these clients speak. `name` ("SERVICE/REAL") is for the log; `mask` of the gateways' marks.
void ending_speak(struct ending *ending, const char *name, const struct ending_flow *flows, size_t n,
		  uint32_t mask);

#endif
