// SPDX-License-Identifier: GPL-2.0-or-later
// failover: ends the flows of a gateway that can't carry them any more, so that they go on, or
// begin anew, by another one at once (datapath/outbound.md, "Failover, in order").
//
// The engine calls it after the maps already lead elsewhere. The TCP flows are listed first, then
// all are flushed from conntrack by one message, then each TCP flow's LAN end is woken up so that it
// learns of the end by a reset instead of a time-out. A second flush a moment later catches the
// flows that were confirmed in between.
#ifndef GWD_FAILOVER_H
#define GWD_FAILOVER_H

struct conntrack;
struct err;
struct event_base;
struct facts;
struct failover;
struct op_flush;

// `ct` stays the caller's and must outlive it.
struct failover *failover_new(struct event_base *base, struct conntrack *ct);
void failover_free(struct failover *failover); // NULL is fine

// Carries out one flush. `facts` tell which addresses are the router's own. 0 or -errno of the flush;
// a wake that is not possible is logged and costs nothing else.
int failover_flush(struct failover *failover, const struct op_flush *flush, const struct facts *facts,
		   struct err *err);

// The gateway carries flows again: no second flush for it.
void failover_cancel(struct failover *failover, const char *gateway);

#endif
