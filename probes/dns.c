// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/dns.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "gwd/base/alloc.h"
#include "gwd/base/mono.h"
#include "gwd/core/model.h"
#include "probes/ask.h"
#include "probes/dns_packet.h"
#include "probes/link_socket.h"
#include "probes/turn.h"

#define ROOM 1500 // of a reply; no more than 512 bytes were asked for
#define BATCH 16  // wrong replies that are read in one turn

struct dns_ask {
	struct ask ask;
	int fd;
	struct event *readable;
	char *name;
	struct dns_question question; // .name is `name`
	struct addr expect;
	bool any_rcode;
	char where[LINK_WHERE];
	int64_t sent_us;
};

static void end(struct dns_ask *dns)
{
	event_free(dns->readable);
	close(dns->fd);
	free(dns->name);
	free(dns);
}

static void cancel(struct ask *ask)
{
	end((struct dns_ask *)ask);
}

static void finish(struct dns_ask *dns, const struct answer *answer)
{
	struct ask head = dns->ask;

	end(dns);
	head.cb(head.arg, head.id, answer);
}

static void judge(const struct dns_ask *dns, const struct dns_reply *reply, struct answer *answer)
{
	char rcode[12], want[ADDR_TEXT];

	answer->kind = ANSWER_DEAD;
	if (reply->rcode && !dns->any_rcode) {
		snprintf(answer->text, sizeof(answer->text), "%s says %s to %.40s", dns->where,
			 dns_rcode_text(reply->rcode, rcode), dns->name);
	} else if (!reply->rcode && dns->expect.family && !reply->has_expected) {
		snprintf(answer->text, sizeof(answer->text), "%s: %.40s is not %s", dns->where, dns->name,
			 addr_text(&dns->expect, want));
	} else {
		answer->kind = ANSWER_ALIVE;
		snprintf(answer->text, sizeof(answer->text), "%s says %s, %u records", dns->where,
			 dns_rcode_text(reply->rcode, rcode), reply->records);
	}
}

// False: nothing to read any more, or the question is over.
static bool read_one(struct dns_ask *dns)
{
	uint8_t data[ROOM];
	struct dns_reply reply;
	struct answer answer = {0};
	int64_t when_us;
	ssize_t n = link_receive(dns->fd, data, sizeof(data), &when_us);

	if (n == -EAGAIN)
		return false;
	if (n < 0) { // an ICMP error, about our own packet: the kernel has looked
		answer.kind = ANSWER_DEAD;
		snprintf(answer.text, sizeof(answer.text), "%s: %s", dns->where, strerror((int)-n));
		finish(dns, &answer);
		return false;
	}
	if (!dns_parse(data, (size_t)n, &dns->question, &dns->expect, &reply))
		return true;
	answer.rtt_ms = (double)(when_us - dns->sent_us) / 1000;
	judge(dns, &reply, &answer);
	finish(dns, &answer);
	return false;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	for (int i = 0; i < BATCH; i++)
		if (!read_one(arg))
			break;
}

static int send_question(const struct dns_ask *dns, const struct ask_spec *spec)
{
	struct sockaddr_storage to;
	socklen_t size = link_sockaddr(&to, spec->target, spec->probe->port, spec->link->ifindex);
	uint8_t data[DNS_QUESTION_MAX];
	size_t n = dns_build(&dns->question, data);

	if (!n)
		return -EINVAL;
	link_stamp(dns->fd);
	if (connect(dns->fd, (struct sockaddr *)&to, size) < 0 || send(dns->fd, data, n, MSG_DONTWAIT) < 0)
		return -errno;
	return 0;
}

static uint16_t random_id(void)
{
	uint16_t id = 0;

	while (getrandom(&id, sizeof(id), 0) < 0 && errno == EINTR)
		;
	return id;
}

static struct dns_ask *prepare(const struct ask_spec *spec, int fd)
{
	struct dns_ask *dns = xcalloc(1, sizeof(*dns));

	dns->ask.cancel = cancel;
	dns->fd = fd;
	dns->name = xstrdup(spec->probe->query);
	dns->question = (struct dns_question){random_id(), dns->name, (uint16_t)spec->probe->record};
	dns->expect = spec->probe->expect_addr;
	dns->any_rcode = spec->probe->any_rcode;
	link_where(spec->target, spec->probe->port, dns->where);
	dns->sent_us = mono_now_us();
	return dns;
}

struct ask *dns_ask(struct event_base *base, const struct ask_spec *spec, struct answer *failed)
{
	char where[LINK_WHERE];
	int fd = link_socket_open(SOCK_DGRAM, spec->link, spec->target);

	if (fd < 0) {
		link_failed(failed, link_where(spec->target, spec->probe->port, where), fd);
		return NULL;
	}
	struct dns_ask *dns = prepare(spec, fd);
	dns->readable = turn_first(event_new(base, fd, EV_READ | EV_PERSIST, on_readable, dns));
	int r = send_question(dns, spec);
	if (!r) {
		event_add(dns->readable, NULL);
		return &dns->ask;
	}
	link_failed(failed, dns->where, r);
	end(dns);
	return NULL;
}
