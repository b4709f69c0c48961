// SPDX-License-Identifier: GPL-2.0-or-later
// wake: makes the LAN end of a TCP flow speak, so that a flow whose gateway died is ended at once.
//
// After a failover the conntrack entries of the dead gateway are gone; the first packet that a flow
// then sends meets the orphan rule and is answered with a reset. A flow that is only listening (a
// download) would never send one. So it gets one bare ACK with a random sequence number that
// claims to come from its far end; every TCP stack answers such a segment with an ACK of its own,
// which brings the reset, in sequence. A host that has forgotten the flow answers with a reset
// itself: no harm.
//
// The segments carry the control mark: nft does not track them, and as it is no gateway's mark,
// they are routed by the main table, into the LAN. That no segment leaves by a WAN when its host is
// no longer behind the LAN, the ruleset has to see to: here the way out is not known.
//
// Many flows are sent in portions, so that the event loop gets to its probes in between.
#ifndef GWD_WAKE_H
#define GWD_WAKE_H

#include <stddef.h>
#include <stdint.h>

#include "gwd/wake_segment.h"

#define WAKE_FLOWS_MAX 1048576 // that wait at a time; what is beyond is not woken

struct err;
struct event_base;
struct wake;

// `mark` is plan_control_mark() and `priority` 0; or, toward the client of a service that came by a gateway,
// that gateway's mark, by which they leave, and PLAN_WAKE_PRIORITY. NULL on failure.
struct wake *wake_open(struct event_base *base, uint32_t mark, unsigned priority, struct err *err);
void wake_close(struct wake *wake); // drops what still waits; NULL is fine

// Sends one segment for each flow, the first 2000 before it returns. Never blocks; after two
// seconds without room in the send buffer the rest is dropped. 0, or -errno when none of the first
// could be sent.
int wake_send(struct wake *wake, const struct wake_flow *flows, size_t n, struct err *err);

#endif
