// SPDX-License-Identifier: GPL-2.0-or-later
// turn: who comes first in the event loop.
//
// What probes wait for is looked at first in each turn, before their timers: an answer that lies in a socket is read before
// anybody judges silence, and nobody else's work comes between the look and the judgement. What comes in storms (events of
// conntrack) is last. Everything else is in the middle, and is interrupted for a look at the probes' sockets after
// TURN_LONG_US, between two callbacks; so a callback does no more than that at a time where it can.
//
// On a base that knows no priorities (a test's) both are without effect.
#ifndef GWD_PROBES_TURN_H
#define GWD_PROBES_TURN_H

#include <stdint.h>

#define TURN_LONG_US 10000

struct event;
struct event_base;

struct event_base *turn_base_new(void);

// Of an event that is not pending yet; returns it.
struct event *turn_first(struct event *event);
struct event *turn_last(struct event *event);

// How long the middle has waited for what comes first.
struct turn_wait;
struct turn_wait *turn_wait_new(struct event_base *base);
void turn_wait_free(struct turn_wait *wait);
int64_t turn_wait_ms(struct turn_wait *wait); // since the first call after its last turn

#endif
