// SPDX-License-Identifier: GPL-2.0-or-later
// web: the page that `http` switches on: status for a browser (/), for programs (/status.json), and metrics
// (/metrics). It only shows; nothing can be changed there, and nobody has to log in.
//
// main opens it when the engine runs. Whatever comes over it can't hurt the daemon: clients, their requests and
// their time are bounded, and a page that took long to make is shown again until it has paid for itself. (That is why
// this is not libevent's evhttp, which can't bound its clients before 2.2.) An address that is taken is tried
// again until it is free; the network doesn't depend on it.
#ifndef GWD_WEB_H
#define GWD_WEB_H

#include <stdint.h>

struct addr;
struct engine;
struct event_base;

// Listens there, or tries to (log). There is one in a process. `port` 0: nothing is opened.
void web_open(struct event_base *base, struct engine *engine, const struct addr *addr, uint16_t port);

// After a reload: moves there if it is elsewhere.
void web_update(const struct addr *addr, uint16_t port);

void web_close(void); // fine when it isn't open

#endif
