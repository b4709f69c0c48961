// SPDX-License-Identifier: GPL-2.0-or-later
// wake_segment: the one packet that wakes a TCP flow's LAN end: a bare ACK from its far end, with
// IP header and checksums. Pure; for wake.c and its test.
#ifndef GWD_WAKE_SEGMENT_H
#define GWD_WAKE_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"

#define WAKE_SEGMENT_MAX 60 // bytes of the longest segment: 40 of IPv6, 20 of TCP

struct wake_flow {
	struct addr lan, far; // the far end as the LAN end sees it, i.e. before any translation; one family
	uint16_t lan_port, far_port; // host order
};

// Returns the length.
size_t wake_segment(const struct wake_flow *flow, uint32_t seq, uint32_t ack, uint8_t out[WAKE_SEGMENT_MAX]);

#endif
