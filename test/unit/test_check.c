// SPDX-License-Identifier: GPL-2.0-or-later
// Those who want the same asked share the asking: counted by a server that they all probe.
#include "probes/check.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gwd/base/mono.h"
#include "gwd/core/model.h"
#include "probes/check_pool.h"
#include "probes/checker.h"

#define USERS 10
#define INTERVAL_MS 100

struct crowd {
	struct event_base *base;
	struct prober_set *set;
	struct event *accepts;
	int server;
	struct model_probe probe;
	size_t asked; // connections that the server took
	struct checker *checker[USERS];
	struct checker_binding binding;
	size_t news[USERS]; // changes of state
};

struct member {
	struct crowd *crowd;
	size_t i;
};

static struct member members[USERS];

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct crowd *crowd = arg;

	(void)what;
	close(accept(fd, NULL, NULL));
	crowd->asked++;
}

static void note(void *arg, struct checker *checker, enum checker_news news)
{
	const struct member *member = arg;

	cr_expect_eq(member->crowd->checker[member->i], checker);
	member->crowd->news[member->i] += news == CHECKER_NEWS_STATE;
}

static uint16_t open_server(struct crowd *crowd)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	crowd->server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(crowd->server, (const struct sockaddr *)&address, size), 0);
	cr_assert_eq(listen(crowd->server, 128), 0);
	cr_assert_eq(getsockname(crowd->server, (struct sockaddr *)&address, &size), 0);
	crowd->accepts = event_new(crowd->base, crowd->server, EV_READ | EV_PERSIST, on_accept, crowd);
	event_add(crowd->accepts, NULL);
	return ntohs(address.sin_port);
}

static void join(struct crowd *crowd, size_t i)
{
	const struct model_probe *probes[] = {&crowd->probe};

	members[i] = (struct member){crowd, i};
	crowd->checker[i] = checker_new(crowd->base, crowd->set, "www", probes, 1, 1, &crowd->binding, NULL,
					note, &members[i]);
}

static void gather(struct crowd *crowd)
{
	*crowd = (struct crowd){.base = event_base_new()};
	crowd->set = prober_set_new(crowd->base);
	crowd->probe = (struct model_probe){.name = "service",
					    .type = PROBE_TCP,
					    .need = 1,
					    .interval_ms = INTERVAL_MS,
					    .fast_ms = INTERVAL_MS,
					    .timeout_ms = 2000,
					    .fall = 2,
					    .rise = 1,
					    .window_ms = 10000};
	crowd->probe.port = open_server(crowd);
	crowd->binding = (struct checker_binding){.fam = FAM_4};
	addr_parse("127.0.0.1", &crowd->binding.next_hop);
	for (size_t i = 0; i < USERS; i++)
		join(crowd, i);
}

static void part(struct crowd *crowd)
{
	for (size_t i = 0; i < USERS; i++)
		checker_free(crowd->checker[i]);
	cr_expect_eq(check_pool_size(prober_set_checks(crowd->set)), 0);
	prober_set_free(crowd->set);
	event_free(crowd->accepts);
	close(crowd->server);
	event_base_free(crowd->base);
}

static void run_ms(struct crowd *crowd, int ms)
{
	struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	event_base_loopexit(crowd->base, &limit);
	event_base_dispatch(crowd->base);
}

static void expect_all(const struct crowd *crowd, enum state state)
{
	for (size_t i = 0; i < USERS; i++)
		if (crowd->checker[i])
			cr_expect_eq(checker_verdict(crowd->checker[i])->state, state, "user %zu: %s", i,
				     checker_verdict(crowd->checker[i])->reason);
}

static size_t checks(const struct crowd *crowd)
{
	return check_pool_size(prober_set_checks(crowd->set));
}

Test(check, ten_who_want_the_same_ask_once)
{
	struct crowd crowd;

	gather(&crowd);
	cr_expect_eq(checks(&crowd), 1);
	int64_t begun_ms = mono_now_ms();
	run_ms(&crowd, 1000);
	size_t most = (size_t)(mono_now_ms() - begun_ms) * 17 / 16 / INTERVAL_MS + 3;
	cr_expect(crowd.asked >= 2 && crowd.asked <= most, "%zu questions, not 2 to %zu", crowd.asked, most);
	expect_all(&crowd, STATE_UP);
	for (size_t i = 0; i < USERS; i++)
		cr_expect_eq(crowd.news[i], 1);
	part(&crowd);
}

Test(check, all_of_them_see_its_death_and_its_return)
{
	struct crowd crowd;

	gather(&crowd);
	run_ms(&crowd, 300);
	event_del(crowd.accepts);
	close(crowd.server);
	run_ms(&crowd, 1000);
	expect_all(&crowd, STATE_DOWN);
	crowd.server = socket(AF_INET, SOCK_STREAM, 0);
	part(&crowd);
}

Test(check, whoever_leaves_takes_nothing_away_and_whoever_comes_knows_at_once)
{
	struct crowd crowd;

	gather(&crowd);
	run_ms(&crowd, 300);
	for (size_t i = 0; i < USERS; i++) {
		if (i == 4)
			continue;
		checker_free(crowd.checker[i]);
		crowd.checker[i] = NULL;
	}
	cr_expect_eq(checks(&crowd), 1);
	size_t asked = crowd.asked;
	run_ms(&crowd, 500);
	cr_expect_gt(crowd.asked, asked);
	join(&crowd, 0);
	expect_all(&crowd, STATE_UP);
	cr_expect_eq(checks(&crowd), 1);
	part(&crowd);
}

Test(check, another_path_target_or_probe_is_another_question)
{
	struct crowd crowd;

	gather(&crowd);
	addr_parse("127.0.0.2", &crowd.binding.source);
	checker_free(crowd.checker[0]);
	join(&crowd, 0);
	cr_expect_eq(checks(&crowd), 2, "another source");
	checker_free(crowd.checker[1]);
	addr_parse("127.0.0.3", &crowd.binding.next_hop);
	join(&crowd, 1);
	cr_expect_eq(checks(&crowd), 3, "another target");
	checker_free(crowd.checker[2]);
	crowd.probe.fall++;
	join(&crowd, 2);
	cr_expect_eq(checks(&crowd), 4, "another probe");
	checker_free(crowd.checker[3]);
	join(&crowd, 3);
	cr_expect_eq(checks(&crowd), 4, "the same as the last");
	part(&crowd);
}

Test(check, one_that_moves_keeps_its_state_and_the_others_their_check)
{
	struct crowd crowd;

	gather(&crowd);
	run_ms(&crowd, 300);
	addr_parse("127.0.0.2", &crowd.binding.source);
	checker_rebind(crowd.checker[7], &crowd.binding);
	cr_expect_eq(checks(&crowd), 2);
	run_ms(&crowd, 300);
	expect_all(&crowd, STATE_UP);
	for (size_t i = 0; i < USERS; i++)
		checker_rebind(crowd.checker[i], &crowd.binding);
	cr_expect_eq(checks(&crowd), 1, "they meet again");
	run_ms(&crowd, 300);
	expect_all(&crowd, STATE_UP);
	for (size_t i = 0; i < USERS; i++)
		cr_expect_eq(crowd.news[i], 1, "user %zu", i);
	part(&crowd);
}

Test(check, one_whose_link_breaks_is_down_alone)
{
	struct crowd crowd;

	gather(&crowd);
	run_ms(&crowd, 300);
	snprintf(crowd.binding.broken, sizeof(crowd.binding.broken), "no carrier");
	checker_rebind(crowd.checker[3], &crowd.binding);
	cr_expect_eq(checker_verdict(crowd.checker[3])->state, STATE_DOWN);
	run_ms(&crowd, 300);
	cr_expect_eq(checker_verdict(crowd.checker[3])->state, STATE_DOWN);
	cr_expect_eq(checker_verdict(crowd.checker[2])->state, STATE_UP);
	cr_expect_eq(crowd.news[2], 1);
	part(&crowd);
}

Test(check, urgent_for_one_is_urgent_for_all_and_they_are_told)
{
	struct crowd crowd;

	gather(&crowd);
	for (size_t i = 0; i < USERS; i++) // the same with a hold
		checker_free(crowd.checker[i]);
	crowd.probe.hold_ms = 60000;
	for (size_t i = 0; i < USERS; i++)
		join(&crowd, i);
	run_ms(&crowd, 300);
	expect_all(&crowd, STATE_UP);
	snprintf(crowd.binding.broken, sizeof(crowd.binding.broken), "no carrier");
	for (size_t i = 0; i < USERS; i++)
		checker_rebind(crowd.checker[i], &crowd.binding);
	crowd.binding.broken[0] = 0;
	for (size_t i = 0; i < USERS; i++)
		checker_rebind(crowd.checker[i], &crowd.binding);
	cr_expect_eq(checks(&crowd), 1);
	run_ms(&crowd, 500);
	expect_all(&crowd, STATE_DOWN);
	checker_set_urgent(crowd.checker[5], true);
	run_ms(&crowd, 500);
	expect_all(&crowd, STATE_UP);
	for (size_t i = 0; i < USERS; i++)
		cr_expect_eq(crowd.news[i], 3, "user %zu", i);
	part(&crowd);
}
