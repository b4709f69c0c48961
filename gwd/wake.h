// SPDX-License-Identifier: GPL-2.0-or-later
// wake: makes the LAN end of a TCP flow speak, so that a flow whose gateway died is ended at once.
//
// After a failover the conntrack entries of the dead gateway are gone; the first packet that a flow
// then sends meets the orphan rule and is answered with a reset. A flow that is only listening (a
// download) would never send one. So it gets one bare ACK with a random sequence number that
// claims to come from its far end; every TCP stack answers such a segment with an ACK of its own,
// which brings the reset, in sequence. A stale flow's host answers with a reset itself: no harm.
//
// The segments carry the control mark: nft does not track them, and as it is no gateway's mark,
// they are routed by the main table, into the LAN.
#ifndef GWD_WAKE_H
#define GWD_WAKE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gwd/base/addr.h"

#define WAKE_SEGMENT_MAX 60    // bytes of the longest segment: 40 of IPv6, 20 of TCP
#define WAKE_FLOWS_MAX 1048576 // of one call; the rest of a longer list is not sent

struct err;
struct wake;

struct wake_flow {
	struct addr lan, far; // the far end as the LAN end sees it, i.e. before any translation; one family
	uint16_t lan_port, far_port; // host order
};

// `mark` is plan_control_mark(). NULL on failure.
struct wake *wake_open(uint32_t mark, struct err *err);
void wake_close(struct wake *wake); // NULL is fine

// Sends one segment for each flow. Never blocks: a segment that the kernel can't take at once, or
// whose LAN end is not reachable, is lost. Returns how many were sent, or -errno when none could be.
ssize_t wake_send(struct wake *wake, const struct wake_flow *flows, size_t n, struct err *err);

// The segment, with its IP header and checksums; returns its length. Pure.
size_t wake_segment(const struct wake_flow *flow, uint32_t seq, uint32_t ack, uint8_t out[WAKE_SEGMENT_MAX]);

#endif
