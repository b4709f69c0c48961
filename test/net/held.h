// SPDX-License-Identifier: GPL-2.0-or-later
// held: connections that stay open; lab_burst_free() ends them.
#ifndef GWD_TEST_NET_HELD_H
#define GWD_TEST_NET_HELD_H

#include <stdbool.h>
#include <stdint.h>

struct lab;
struct lab_burst;
struct lab_burst_spec;
struct net;

// All of them have their first answer.
struct lab_burst *held_all(struct lab *lab, const struct lab_burst_spec *spec);

// So many at once from the internet, each with its first answer or without one.
struct lab_burst *held_open(struct net *net, const char *to, uint16_t port, int count, bool udp);

void held_expect(struct lab_burst *held, int answered, int refused);

#endif
