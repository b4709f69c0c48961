// SPDX-License-Identifier: GPL-2.0-or-later
// offload: what tests of the fast path need beside net.h: whether this kernel has one, and which flows are on it.
#ifndef GWD_TEST_NET_OFFLOAD_H
#define GWD_TEST_NET_OFFLOAD_H

#include "test/net/net.h"

// Skips the test where the kernel has no flowtables; before anything else is started in the lab.
void offload_or_skip(struct net *net);

// What conntrack says of the flows that were opened toward that address; the caller frees it.
char *offload_entries(struct net *net, const char *to);

// One of them, of "tcp" or "udp", is on the fast path; and waits until it is.
bool offload_has(struct net *net, const char *to, const char *protocol);
void offload_assert(struct net *net, const char *to, const char *protocol);

#endif
