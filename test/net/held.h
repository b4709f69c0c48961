// SPDX-License-Identifier: GPL-2.0-or-later
// held: connections from the internet that stay open, for tests of who may have how many.
#ifndef GWD_TEST_NET_HELD_H
#define GWD_TEST_NET_HELD_H

#include <stdbool.h>
#include <stdint.h>

struct lab_burst;
struct net;

// So many at once, each with its first answer or without one; lab_burst_free() ends them.
struct lab_burst *held_open(struct net *net, const char *to, uint16_t port, int count, bool udp);

void held_expect(struct lab_burst *held, int answered, int refused);

#endif
