// SPDX-License-Identifier: GPL-2.0-or-later
// ct_watch: counting by conntrack's events, for whoever counts: reads them as they come, and has everything listed
// anew at the beginning, after a loss, and again and again all the time, since a listing is what makes the kernel
// tell of flows that expired.
//
// Listings are paced by what they cost: a quarter percent of a processor usually, a tenth of it after a loss; who
// makes more events than can be read makes them all the time. A loss is logged once, until there was none for a
// whole pause.
//
// loads.c and real_loads.c have one each.
#ifndef GWD_CT_WATCH_H
#define GWD_CT_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>

struct ct_watch;
struct event_base;

struct ct_watch_ops {
	bool (*read)(void *arg); // takes what waits; false: some were lost
	void (*list)(void *arg); // counts all anew
	void (*news)(void *arg); // after either of them
};

// `fd` is the events', `what` is counted, in the log's words. ct_watch_begin() lists for the first time, without news.
struct ct_watch *ct_watch_new(struct event_base *base, int fd, const char *what,
			      const struct ct_watch_ops *ops, void *arg);
void ct_watch_begin(struct ct_watch *watch);
void ct_watch_free(struct ct_watch *watch); // NULL is fine

// `list` itself met a loss.
void ct_watch_lost(struct ct_watch *watch);

// `list` was not exact, without a loss: it is repeated as after one.
void ct_watch_soon(struct ct_watch *watch);

#endif
