// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/ct_watch.h"

#include <event2/event.h>
#include <stdlib.h>

#include "gwd/base/alloc.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "probes/turn.h"

#define WATCH_IDLE 400 // times as long as a listing takes is the time until the next,
#define WATCH_IDLE_MIN_US 1000000
#define WATCH_IDLE_MAX_US 60000000
#define WATCH_LOST 10 // and so many times after a loss
#define WATCH_LOST_MIN_US 20000

struct ct_watch {
	const struct ct_watch_ops *ops;
	void *arg;
	const char *what;
	int64_t listing_us; // what the last one took
	bool lost;          // and `again` is sooner for it
	bool told;
	struct event *read, *again;
};

static void watch_list_in(struct ct_watch *watch, int64_t times, int64_t min_us, int64_t max_us)
{
	int64_t wait_us = watch->listing_us * times;
	wait_us = wait_us < min_us ? min_us : wait_us > max_us ? max_us : wait_us;
	struct timeval wait = {.tv_sec = wait_us / 1000000, .tv_usec = wait_us % 1000000};
	event_add(watch->again, &wait);
}

static void watch_list(struct ct_watch *watch)
{
	int64_t began_us = mono_now_us();
	watch->lost = false;
	watch->ops->list(watch->arg);
	watch->listing_us = mono_now_us() - began_us;
	if (!watch->lost) // else it is due already
		watch_list_in(watch, WATCH_IDLE, WATCH_IDLE_MIN_US, WATCH_IDLE_MAX_US);
}

void ct_watch_soon(struct ct_watch *watch)
{
	if (watch->lost)
		return;
	watch->lost = true;
	watch_list_in(watch, WATCH_LOST, WATCH_LOST_MIN_US, WATCH_IDLE_MAX_US);
}

void ct_watch_lost(struct ct_watch *watch)
{
	if (!watch->told)
		log_info("loads", "events of conntrack were lost: all %s are counted anew", watch->what);
	watch->told = true;
	ct_watch_soon(watch);
}

static void watch_on_again(int fd, short what, void *arg)
{
	struct ct_watch *watch = arg;
	(void)fd, (void)what;
	watch->told &= watch->lost;
	watch_list(watch);
	watch->ops->news(watch->arg);
}

static void watch_on_events(int fd, short what, void *arg)
{
	struct ct_watch *watch = arg;
	(void)fd, (void)what;
	if (!watch->ops->read(watch->arg))
		ct_watch_lost(watch);
	watch->ops->news(watch->arg);
}

struct ct_watch *ct_watch_new(struct event_base *base, int fd, const char *what,
			      const struct ct_watch_ops *ops, void *arg)
{
	struct ct_watch *watch = xcalloc(1, sizeof(*watch));
	*watch = (struct ct_watch){.ops = ops, .arg = arg, .what = what};
	watch->read = turn_last(event_new(base, fd, EV_READ | EV_PERSIST, watch_on_events, watch));
	watch->again = turn_last(event_new(base, -1, 0, watch_on_again, watch));
	event_add(watch->read, NULL);
	return watch;
}

void ct_watch_begin(struct ct_watch *watch)
{
	watch_list(watch);
}

void ct_watch_free(struct ct_watch *watch)
{
	if (!watch)
		return;
	event_free(watch->read);
	event_free(watch->again);
	free(watch);
}
