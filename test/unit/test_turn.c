// SPDX-License-Identifier: GPL-2.0-or-later
// A loop that is busy with other things makes no link look dead: what probes wait for comes first.
#include "probes/turn.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gwd/base/mono.h"
#include "gwd/core/model.h"
#include "gwd/core/verdict.h"
#include "probes/checker.h"
#include "probes/prober.h"

#define TIMEOUT_MS 1000
#define HOLD_MS 150 // longer than the time between two questions (an eighth of the timeout at least)
#define ROUNDS \
	3 // of three turns that are held so, one finds the check's timer late, and the next one runs it

// ---- who comes first -----------------------------------------------------------------------------

struct order {
	int pipe[2];
	char said[8];
};

static void say(struct order *order, char what)
{
	order->said[strlen(order->said)] = what;
}

static void on_probe(evutil_socket_t fd, short what, void *arg)
{
	char byte;
	(void)what;
	cr_assert_eq(read(fd, &byte, 1), 1);
	say(arg, 'p');
}

static void on_storm(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	say(arg, 's');
}

// An answer comes while others are at work for long.
static void on_usual(evutil_socket_t fd, short what, void *arg)
{
	struct order *order = arg;
	int64_t end_us = mono_now_us() + TURN_LONG_US;
	(void)fd, (void)what;
	say(order, 'u');
	if (!strchr(order->said, 'p'))
		cr_assert_eq(write(order->pipe[1], "x", 1), 1);
	while (mono_now_us() <= end_us)
		;
}

Test(turn, probes_are_looked_at_between_two_long_callbacks_and_storms_come_last)
{
	struct order order = {0};
	struct event_base *base = turn_base_new();
	cr_assert_eq(pipe(order.pipe), 0);
	struct event *storm = turn_last(event_new(base, -1, 0, on_storm, &order));
	struct event *one = event_new(base, -1, 0, on_usual, &order);
	struct event *two = event_new(base, -1, 0, on_usual, &order);
	struct event *probe = turn_first(event_new(base, order.pipe[0], EV_READ, on_probe, &order));
	event_active(storm, EV_TIMEOUT, 0);
	event_active(one, EV_TIMEOUT, 0);
	event_active(two, EV_TIMEOUT, 0);
	event_add(probe, NULL);
	event_base_dispatch(base);
	cr_expect_str_eq(order.said, "upus");
	event_free(storm);
	event_free(one);
	event_free(two);
	event_free(probe);
	event_base_free(base);
	close(order.pipe[0]);
	close(order.pipe[1]);
}

// ---- a busy loop ---------------------------------------------------------------------------------

struct busy {
	struct event_base *base;
	int server;
	bool up;
	int round, turns;
	int64_t asked_us; // the question that has to wait for its answer; 0: none yet
};

// Whoever asked is answered, from now until `end_us`.
static void answer_until(const struct busy *busy, int64_t end_us)
{
	do {
		struct sockaddr_in from;
		socklen_t size = sizeof(from);
		unsigned char data[512];
		ssize_t n = recvfrom(busy->server, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&from,
				     &size);
		if (n > 2) {
			data[2] |= 0x80; // it's an answer
			sendto(busy->server, data, (size_t)n, 0, (const struct sockaddr *)&from, size);
		} else {
			usleep(1000);
		}
	} while (mono_now_us() < end_us);
}

static bool is_asked(const struct busy *busy)
{
	char data;
	return recv(busy->server, &data, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

// The loop's other work. At first answers come at once; then a question is found, has to wait for some turns, and is
// answered at the beginning of one that takes longer than the probe waits.
static void on_work(evutil_socket_t fd, short what, void *arg)
{
	struct busy *busy = arg;
	int64_t now_us = mono_now_us();
	(void)fd, (void)what;
	if (!busy->up || busy->round == ROUNDS) {
		answer_until(busy, now_us);
	} else if (!busy->asked_us) {
		busy->asked_us = is_asked(busy) ? now_us : 0;
	} else if (busy->turns++ <= busy->round) {
		usleep(HOLD_MS * 1000);
	} else {
		answer_until(busy, busy->asked_us + (TIMEOUT_MS + 200) * 1000);
		busy->asked_us = busy->turns = 0;
		if (++busy->round == ROUNDS)
			event_base_loopexit(busy->base, &(struct timeval){.tv_usec = 300000});
	}
}

static void on_news(void *arg, struct checker *checker, enum checker_news news)
{
	struct busy *busy = arg;
	enum state state = checker_verdict(checker)->state;
	if (news != CHECKER_NEWS_STATE)
		return;
	cr_expect_eq(state, STATE_UP, "%s", checker_verdict(checker)->reason);
	busy->up = true;
}

static uint16_t open_server(struct busy *busy)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	busy->server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(busy->server, (const struct sockaddr *)&address, size), 0);
	cr_assert_eq(getsockname(busy->server, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin_port);
}

// One answer too late would be enough: fall is 1.
Test(turn, an_answer_that_waited_for_a_busy_loop_is_no_silence, .timeout = 30)
{
	struct busy busy = {.base = turn_base_new()};
	struct prober_set *set = prober_set_new(busy.base);
	struct model_probe probe = {.name = "names",
				    .type = PROBE_DNS,
				    .query = "example.net",
				    .record = RECORD_A,
				    .port = open_server(&busy),
				    .need = 1,
				    .interval_ms = 200,
				    .fast_ms = 100,
				    .timeout_ms = TIMEOUT_MS,
				    .fall = 1,
				    .rise = 1,
				    .window_ms = 10000};
	const struct model_probe *probes[] = {&probe};
	struct checker_binding binding = {.fam = FAM_4};
	addr_parse("127.0.0.1", &binding.next_hop);
	struct checker *checker =
		checker_new(busy.base, set, "g1", probes, 1, 1, &binding, NULL, on_news, &busy);
	struct event *work = event_new(busy.base, -1, EV_PERSIST, on_work, &busy);
	event_add(work, &(struct timeval){.tv_usec = 1000});
	event_base_dispatch(busy.base);
	cr_expect_eq(busy.round, ROUNDS);
	cr_expect_eq(checker_verdict(checker)->state, STATE_UP, "%s", checker_verdict(checker)->reason);
	cr_expect_eq(checker_verdict(checker)->loss, 0);
	event_free(work);
	checker_free(checker);
	prober_set_free(set);
	event_base_free(busy.base);
	close(busy.server);
}

// ---- more than it can do -------------------------------------------------------------------------

#define CROWD 2000
#define TICKS 20

struct crowd {
	struct event_base *base;
	struct prober_set *set;
	int ticks;
	int64_t overdue_ms;
};

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct crowd *crowd = arg;
	int64_t late_ms = prober_set_take_overdue_ms(crowd->set);
	(void)fd, (void)what;
	crowd->overdue_ms = late_ms > crowd->overdue_ms ? late_ms : crowd->overdue_ms;
	if (++crowd->ticks >= TICKS && crowd->overdue_ms)
		event_base_loopbreak(crowd->base);
}

static void on_crowd_news(void *arg, struct checker *checker, enum checker_news news)
{
	(void)arg, (void)checker, (void)news;
}

// Two million questions a second: who acts on the answers, and who ends the daemon, comes to his turn.
Test(turn, too_many_probes_leave_time_for_others, .timeout = 30)
{
	struct crowd crowd = {.base = turn_base_new()};
	crowd.set = prober_set_new(crowd.base);
	struct model_probe probe = {.name = "web",
				    .type = PROBE_TCP,
				    .port = 9,
				    .need = 1,
				    .interval_ms = 1,
				    .fast_ms = 1,
				    .timeout_ms = 8,
				    .fall = 1,
				    .rise = 1,
				    .window_ms = 10000};
	const struct model_probe *probes[] = {&probe};
	struct checker *checkers[CROWD];
	for (int i = 0; i < CROWD; i++) {
		struct checker_binding binding = {.fam = FAM_4};
		char address[16];
		snprintf(address, sizeof(address), "127.1.%d.%d", i / 250, i % 250 + 1);
		addr_parse(address, &binding.next_hop);
		checkers[i] = checker_new(crowd.base, crowd.set, "r", probes, 1, 1, &binding, NULL,
					  on_crowd_news, NULL);
	}
	struct event *tick = event_new(crowd.base, -1, EV_PERSIST, on_tick, &crowd);
	event_add(tick, &(struct timeval){.tv_usec = 10000});
	event_base_dispatch(crowd.base);
	cr_expect_geq(crowd.ticks, TICKS);
	cr_expect_gt(crowd.overdue_ms, 0);
	event_free(tick);
	for (int i = 0; i < CROWD; i++)
		checker_free(checkers[i]);
	prober_set_free(crowd.set);
	event_base_free(crowd.base);
}
