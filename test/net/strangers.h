// SPDX-License-Identifier: GPL-2.0-or-later
// strangers: entries of conntrack that stand for connections of nobody's, as many as it takes. They count as answered for
// long, so the kernel gives none of them up for a newcomer.
#ifndef GWD_TEST_NET_STRANGERS_H
#define GWD_TEST_NET_STRANGERS_H

struct net;

// Puts so many into the router's table, with a mark that is no gateway's. Returns how many the kernel took. Nobody is
// told of them; loudly: whoever listens to conntrack's events is told of each.
int strangers_add(struct net *net, int count);
int strangers_add_loudly(struct net *net, int count);

// All of them leave.
void strangers_leave(struct net *net);

// What the router's table has now, and may have.
int strangers_count(struct net *net);
int strangers_max(struct net *net);

#endif
