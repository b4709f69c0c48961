// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/turn.h"

#include <event2/event.h>
#include <stdlib.h>

#include "gwd/base/alloc.h"
#include "gwd/base/mono.h"

enum { FIRST, USUAL, LAST, PRIORITIES }; // libevent gives an event the one in the middle

struct event_base *turn_base_new(void)
{
	static const struct timeval interval = {.tv_usec = TURN_LONG_US};
	struct event_config *config = event_config_new();

	if (!config)
		abort(); // out of memory
	// The coarse clock that libevent prefers would add up to 10 ms to each of the probes' timers.
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	event_config_set_max_dispatch_interval(config, &interval, -1, USUAL);
	struct event_base *base = event_base_new_with_config(config);
	event_config_free(config);
	if (!base || event_base_priority_init(base, PRIORITIES))
		abort();
	return base;
}

struct event *turn_first(struct event *event)
{
	event_priority_set(event, FIRST);
	return event;
}

struct event *turn_last(struct event *event)
{
	event_priority_set(event, event_base_get_npriorities(event_get_base(event)) - 1);
	return event;
}

struct turn_wait {
	struct event *come; // the middle has its turn
	int64_t since_ms;   // 0: and nobody has asked since
};

static void on_come(evutil_socket_t fd, short what, void *arg)
{
	struct turn_wait *wait = arg;

	(void)fd, (void)what;
	wait->since_ms = 0;
}

struct turn_wait *turn_wait_new(struct event_base *base)
{
	struct turn_wait *wait = xcalloc(1, sizeof(*wait));

	wait->come = evtimer_new(base, on_come, wait);
	return wait;
}

void turn_wait_free(struct turn_wait *wait)
{
	event_free(wait->come);
	free(wait);
}

int64_t turn_wait_ms(struct turn_wait *wait)
{
	int64_t now_ms = mono_now_ms();

	if (!wait->since_ms) {
		wait->since_ms = now_ms;
		event_active(wait->come, EV_TIMEOUT, 0);
	}
	return now_ms - wait->since_ms;
}
