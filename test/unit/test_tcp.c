// SPDX-License-Identifier: GPL-2.0-or-later
// The tcp prober on the loopback. Over links: test/net/test_probers.c.
#include "probes/tcp.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#include "gwd/core/model.h"
#include "probes/prober.h"

static struct answer got;
static size_t answers;

static void note(void *arg, uint64_t id, const struct answer *answer)
{
	(void)arg, (void)id;
	got = *answer;
	answers++;
}

static uint16_t listener(int *fd, int backlog)
{
	struct sockaddr_in on = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(on);

	*fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(*fd, (struct sockaddr *)&on, sizeof(on)), 0);
	if (backlog >= 0)
		cr_assert_eq(listen(*fd, backlog), 0);
	getsockname(*fd, (struct sockaddr *)&on, &size);
	return ntohs(on.sin_port);
}

static struct ask *ask(struct prober_set *set, uint16_t port)
{
	struct model_probe probe = {.name = "p", .type = PROBE_TCP, .port = port};
	struct prober_link link = {.fam = FAM_4};
	struct prober_target target = {.addr = addr_from(AF_INET, (uint8_t[]){127, 0, 0, 1})};
	struct answer failed;
	struct ask *ask = prober_ask(set, &probe, &link, &target, note, NULL, 1, &failed);

	cr_assert_not_null(ask, "%s", failed.text);
	return ask;
}

Test(tcp, connections_are_taken_refused_or_called_back)
{
	struct event_base *base = event_base_new();
	struct prober_set *set = prober_set_new(base);
	int open, closed;
	uint16_t port = listener(&open, 1), refused = listener(&closed, -1);
	char byte;

	ask(set, port);
	while (answers < 1)
		event_base_loop(base, EVLOOP_ONCE);
	cr_expect_eq(got.kind, ANSWER_ALIVE);
	cr_expect(strstr(got.text, "takes connections"), "%s", got.text);
	cr_expect(got.rtt_ms >= 0 && got.rtt_ms < 100);
	int peer = accept(open, NULL, NULL);
	cr_expect_eq(read(peer, &byte, 1), -1, "it was reset, so nothing waits on either side");
	ask(set, refused);
	while (answers < 2)
		event_base_loop(base, EVLOOP_ONCE);
	cr_expect_eq(got.kind, ANSWER_DEAD);
	cr_expect(strstr(got.text, "Connection refused"), "%s", got.text);
	prober_cancel(ask(set, port));
	event_base_loop(base, EVLOOP_NONBLOCK);
	cr_expect_eq(answers, 2);
	close(peer);
	close(open);
	close(closed);
	prober_set_free(set);
	event_base_free(base);
}
