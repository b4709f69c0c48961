// SPDX-License-Identifier: GPL-2.0-or-later
// tracing: what gwctl trace says of a packet that a test is about to send, as JSON; and flows at random, the same each
// time.
#ifndef GWD_TEST_NET_TRACING_H
#define GWD_TEST_NET_TRACING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/addr.h"

struct net;
struct packet;

// `mark`: what others have put on it, 0: nothing; `iif`: by which it comes in, NULL: as main has it.
json_t *tracing_ask(struct net *net, const struct packet *packet, uint32_t mark, const char *iif);

const char *tracing_word(const json_t *object, const char *key); // "" for null

void tracing_seed(uint64_t standard);              // SEED=… in the environment goes before it
unsigned tracing_any(unsigned n);                  // 0 to n - 1
const char *tracing_pick(const char *const *list); // that ends with NULL

struct addr tracing_address(const char *text);

#endif
