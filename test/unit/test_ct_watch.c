// SPDX-License-Identifier: GPL-2.0-or-later
// Who counts by conntrack's events lists at the beginning, and again after a loss, but not for every loss.
#include <criterion/criterion.h>
#include <event2/event.h>
#include <unistd.h>

#include "gwd/ct_watch.h"

#define RUN_MS 300

struct counter {
	struct event_base *base;
	struct ct_watch *watch;
	int pipe[2];
	bool loses, lists_lose;
	unsigned reads, lists, news;
};

static bool on_read(void *arg)
{
	struct counter *c = arg;
	char byte;
	c->reads++;
	if (!c->loses)
		cr_assert_eq(read(c->pipe[0], &byte, 1), 1);
	return !c->loses;
}

static void on_list(void *arg)
{
	struct counter *c = arg;
	c->lists++;
	if (c->lists_lose)
		ct_watch_lost(c->watch);
	c->lists_lose = false;
}

static void on_news(void *arg)
{
	((struct counter *)arg)->news++;
}

static const struct ct_watch_ops ops = {on_read, on_list, on_news};

static void begin(struct counter *c)
{
	c->base = event_base_new();
	cr_assert_eq(pipe(c->pipe), 0);
	c->watch = ct_watch_new(c->base, c->pipe[0], "flows", &ops, c);
	ct_watch_begin(c->watch);
	cr_assert_eq(c->lists, 1);
	cr_assert_eq(c->news, 0);
}

static void run(struct counter *c)
{
	struct timeval end = {.tv_usec = RUN_MS * 1000};
	event_base_loopexit(c->base, &end);
	event_base_dispatch(c->base);
}

static void finish(struct counter *c)
{
	ct_watch_free(c->watch);
	event_base_free(c->base);
	close(c->pipe[0]);
	close(c->pipe[1]);
}

// The socket is readable all the time, and each read says that something was lost.
Test(ct_watch, losses_without_end_do_not_make_listings_without_end)
{
	struct counter c = {.loses = true};
	begin(&c);
	cr_assert_eq(write(c.pipe[1], "x", 1), 1);
	run(&c);
	cr_expect_gt(c.reads, 200, "%u", c.reads);
	cr_expect_gt(c.lists, 1, "it never listed again");
	cr_expect_leq(c.lists, RUN_MS / 20 + 2, "%u listings for %u losses", c.lists, c.reads);
	cr_expect_eq(c.news, c.reads + c.lists - 1);
	finish(&c);
}

Test(ct_watch, a_loss_during_a_listing_makes_another_one_soon)
{
	struct counter c = {.lists_lose = true};
	begin(&c);
	run(&c);
	cr_expect_eq(c.lists, 2, "%u", c.lists);
	finish(&c);
}

Test(ct_watch, without_a_loss_it_lists_seldom)
{
	struct counter c = {0};
	begin(&c);
	for (int i = 0; i < 10; i++)
		cr_assert_eq(write(c.pipe[1], "x", 1), 1);
	run(&c);
	cr_expect_eq(c.reads, 10);
	cr_expect_eq(c.lists, 1);
	finish(&c);
}
