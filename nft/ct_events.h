// SPDX-License-Identifier: GPL-2.0-or-later
// ct_events: which gateways' flows begin and end, as the kernel tells it (ctnetlink, groups NEW and
// DESTROY). The shell keeps live counts with it.
//
// Only flows with a mark of ours wake anybody: a filter on the socket drops the others in the kernel.
// A flow's mark is ours before it is confirmed, so NEW has it. Flows that began while
// nf_conntrack_events was not 1 end without an event.
#ifndef GWD_NFT_CT_EVENTS_H
#define GWD_NFT_CT_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"

struct ct_events;
struct ct_flow;
struct err;

// A flow of the gateway with this id began (+1) or ended (-1).
typedef void ct_event_fn(void *arg, unsigned id, enum fam fam, int change);

struct ct_events *ct_events_open(uint32_t mask, struct err *err); // NULL and the sentence on failure
void ct_events_close(struct ct_events *events);                   // NULL is fine
int ct_events_fd(const struct ct_events *events);

// The same for whole flows with all of these IPS_* bits in their status, which are also told of when they change.
typedef void ct_flow_event_fn(void *arg, const struct ct_flow *flow, bool gone);
struct ct_events *ct_events_open_flows(uint32_t status, struct err *err);
bool ct_events_read_flows(struct ct_events *events, ct_flow_event_fn *cb, void *arg);

// Reads what is waiting, without blocking, but no more than some thousand events at a time. False: some were
// lost.
bool ct_events_read(struct ct_events *events, ct_event_fn *cb, void *arg);

#endif
