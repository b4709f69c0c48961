// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_burst: one thread with an epoll loop that keeps up to `at_once` flows on their way. A round is either
 * the first (open, connect, ask) or a poke (ask again on what was held).
 */
#include "test/lab/lab_burst.h"

#include "test/lab/lab_die.h"
#include "test/lab/lab_ns.h"
#include "test/lab/lab_sock.h"
#include "test/lab/lab_task.h"
#include "test/lab/lab_wait.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AT_ONCE = 64, AT_ONCE_MAX = 4096, TIMEOUT_MS = 2000, EVENTS = 64 };

struct lab_burst {
	struct lab_task task;
	struct lab_burst_spec spec;
	struct lab *lab;
	struct lab_conn *conns;
	int64_t *began_us;
	int *waiting; /* the flows on their way */
	int waiting_count;
	int epoll;
	bool poking;
	atomic_bool enough; /* begin no more */
};

static int family_of(const struct lab_flow *flow)
{
	return strchr(flow->to, ':') ? AF_INET6 : AF_INET;
}

static void finish(struct lab_burst *burst, int index, enum lab_outcome outcome)
{
	struct lab_conn *conn = &burst->conns[index];

	conn->outcome = outcome;
	conn->elapsed_us = (int)(lab_now_us() - burst->began_us[index]);
	for (int i = 0; i < burst->waiting_count; i++)
		if (burst->waiting[i] == index)
			burst->waiting[i] = burst->waiting[--burst->waiting_count];
	epoll_ctl(burst->epoll, EPOLL_CTL_DEL, conn->fd, NULL);
	if (outcome == LAB_ANSWERED && burst->spec.hold)
		return;
	close(conn->fd);
	conn->fd = -1;
}

static enum lab_outcome outcome_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
	case ECONNRESET:
	case EPIPE:
		return LAB_REFUSED;
	case ETIMEDOUT:
		return LAB_TIMEOUT;
	default:
		return LAB_UNREACHABLE;
	}
}

static void fail(struct lab_burst *burst, int index, int error)
{
	burst->conns[index].error = error;
	finish(burst, index, outcome_of(error));
}

static void ask(struct lab_burst *burst, int index)
{
	static const char question[] = "whoami\n";
	struct lab_conn *conn = &burst->conns[index];
	struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = (uint32_t)index}};

	if (send(conn->fd, question, sizeof(question) - 1, MSG_NOSIGNAL) < 0)
		fail(burst, index, errno);
	else
		epoll_ctl(burst->epoll, EPOLL_CTL_MOD, conn->fd, &event);
}

/* Opens flow number `index` and sends it on its way. */
static int open_flow(struct lab_burst *burst, int index)
{
	struct lab_flow flow = burst->spec.flow;
	struct lab_conn *conn = &burst->conns[index];
	char source[64];

	if (burst->spec.clients > 0) {
		conn->client = index % burst->spec.clients;
		lab_client_address(family_of(&flow), flow.from->host, conn->client, source);
		flow.source = source;
	}
	conn->fd = lab_sock_open(&flow, burst->spec.udp ? SOCK_DGRAM : SOCK_STREAM, 0);
	return lab_sock_connect(conn->fd, &flow);
}

static void begin(struct lab_burst *burst, int index)
{
	struct lab_conn *conn = &burst->conns[index];
	struct epoll_event event = {.events = EPOLLOUT, .data = {.u32 = (uint32_t)index}};
	int error = 0;

	conn->outcome = LAB_PENDING;
	conn->error = 0;
	conn->began_ms = lab_now_ms();
	burst->began_us[index] = lab_now_us();
	burst->waiting[burst->waiting_count++] = index;
	if (!burst->poking)
		error = open_flow(burst, index);
	if (!burst->poking && !error)
		conn->source_port = lab_sock_local(conn->fd, conn->source);
	lab_must(epoll_ctl(burst->epoll, EPOLL_CTL_ADD, conn->fd, &event), "epoll");
	if (error)
		fail(burst, index, -error);
}

static void take_answer(struct lab_burst *burst, int index)
{
	struct lab_conn *conn = &burst->conns[index];
	char data[256];
	ssize_t length = recv(conn->fd, data, sizeof(data), 0);

	if (length > 0 && lab_sock_whoami(data, (int)length, conn->seen, &conn->seen_port)) {
		conn->isp = lab_isp_of_source(burst->lab, conn->seen);
		finish(burst, index, LAB_ANSWERED);
	} else if (length == 0) {
		finish(burst, index, LAB_CLOSED);
	} else if (length < 0 && errno != EAGAIN) {
		fail(burst, index, errno);
	}
}

static void on_event(struct lab_burst *burst, const struct epoll_event *event)
{
	int index = (int)event->data.u32;
	int error = 0;
	socklen_t size = sizeof(error);

	if (burst->conns[index].outcome != LAB_PENDING)
		return;
	if (event->events & EPOLLERR)
		getsockopt(burst->conns[index].fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error)
		fail(burst, index, error);
	else if (event->events & EPOLLIN)
		take_answer(burst, index);
	else if (event->events & EPOLLOUT)
		ask(burst, index);
	else
		finish(burst, index, LAB_REFUSED);
}

static void end_overdue(struct lab_burst *burst)
{
	int64_t now = lab_now_us();

	for (int i = burst->waiting_count - 1; i >= 0; i--)
		if (now - burst->began_us[burst->waiting[i]] > (int64_t)burst->spec.timeout_ms * 1000)
			finish(burst, burst->waiting[i], LAB_TIMEOUT);
}

/* In this round: all, or those which can be asked again. */
static bool takes_part(const struct lab_burst *burst, int index)
{
	return !burst->poking || burst->conns[index].fd >= 0;
}

/* How many may have begun by now. */
static int due(const struct lab_burst *burst, int64_t since_us)
{
	int64_t flows;

	if (!burst->spec.rate_hz || burst->poking)
		return burst->spec.count;
	flows = (lab_now_us() - since_us) * burst->spec.rate_hz / 1000000;
	return flows < burst->spec.count ? (int)flows : burst->spec.count;
}

static void burst_run(struct lab_task *task)
{
	struct lab_burst *burst = (struct lab_burst *)task;
	struct epoll_event events[EVENTS];
	int64_t since_us = lab_now_us();
	int next = 0;

	while ((next < burst->spec.count || burst->waiting_count) && !atomic_load(&task->stopping)) {
		if (atomic_load(&burst->enough) && !burst->poking)
			burst->spec.count = next;
		for (int most = due(burst, since_us);
		     next < most && burst->waiting_count < burst->spec.at_once; next++)
			if (takes_part(burst, next))
				begin(burst, next);
		int count = epoll_wait(burst->epoll, events, EVENTS, burst->spec.rate_hz ? 1 : 5);

		for (int i = 0; i < count; i++)
			on_event(burst, &events[i]);
		end_overdue(burst);
	}
}

static void discard(struct lab_task *task)
{
	lab_burst_free((struct lab_burst *)task);
}

struct lab_burst *lab_burst_start(struct lab *lab, const struct lab_burst_spec *spec)
{
	struct lab_burst *burst = lab_alloc(1, sizeof(*burst));
	struct lab_burst_spec *own = &burst->spec;

	*own = *spec;
	lab_flow_keep(lab, &own->flow);
	burst->lab = lab;
	own->count = own->count ? own->count : 1;
	own->at_once = own->at_once ? own->at_once : AT_ONCE;
	own->timeout_ms = own->timeout_ms ? own->timeout_ms : TIMEOUT_MS;
	if (own->count > LAB_BURST_MAX || own->at_once > AT_ONCE_MAX)
		lab_die("a burst of at most %d flows, %d at once", LAB_BURST_MAX, AT_ONCE_MAX);
	if (own->clients && !own->flow.from->host)
		lab_die("only LAN hosts have clients, not %s", own->flow.from->name);
	burst->conns = lab_alloc((size_t)own->count, sizeof(*burst->conns));
	burst->began_us = lab_alloc((size_t)own->count, sizeof(*burst->began_us));
	burst->waiting = lab_alloc((size_t)own->at_once, sizeof(*burst->waiting));
	burst->epoll = lab_must(epoll_create1(EPOLL_CLOEXEC), "epoll");
	for (int i = 0; i < own->count; i++)
		burst->conns[i].fd = -1;
	lab_task_start(lab, &burst->task, own->flow.from, burst_run, discard);
	return burst;
}

void lab_burst_enough(struct lab_burst *burst)
{
	atomic_store(&burst->enough, true);
	lab_burst_wait(burst);
}

void lab_burst_wait(struct lab_burst *burst)
{
	lab_task_join(&burst->task);
}

void lab_burst_poke(struct lab_burst *burst)
{
	if (!burst->spec.hold)
		lab_die("a burst must hold its flows to be poked");
	lab_burst_wait(burst);
	burst->poking = true;
	lab_task_again(&burst->task);
}

const struct lab_conn *lab_burst_conns(const struct lab_burst *burst)
{
	return burst->conns;
}

/* How many clients were seen on more than one ISP. */
static int count_split(const struct lab_burst *burst)
{
	int *isp_of = lab_alloc((size_t)burst->spec.clients + 1, sizeof(*isp_of));
	int split = 0;

	for (int i = 0; i < burst->spec.count; i++) {
		const struct lab_conn *conn = &burst->conns[i];

		if (conn->outcome != LAB_ANSWERED || isp_of[conn->client] < 0)
			continue;
		if (isp_of[conn->client] && isp_of[conn->client] != conn->isp) {
			isp_of[conn->client] = -1;
			split++;
		} else {
			isp_of[conn->client] = conn->isp;
		}
	}
	free(isp_of);
	return split;
}

struct lab_tally lab_burst_tally(const struct lab_burst *burst)
{
	struct lab_tally tally = {.answered = 0};

	for (int i = 0; i < burst->spec.count; i++) {
		const struct lab_conn *conn = &burst->conns[i];

		tally.outcome[conn->outcome]++;
		if (conn->outcome != LAB_ANSWERED)
			continue;
		tally.isp[conn->isp]++;
		if (conn->elapsed_us / 1000 > tally.slowest_ms)
			tally.slowest_ms = conn->elapsed_us / 1000;
	}
	tally.answered = tally.outcome[LAB_ANSWERED];
	tally.failed = burst->spec.count - tally.answered;
	tally.split_clients = count_split(burst);
	return tally;
}

void lab_burst_free(struct lab_burst *burst)
{
	lab_task_end(&burst->task);
	for (int i = 0; i < burst->spec.count; i++)
		if (burst->conns[i].fd >= 0)
			close(burst->conns[i].fd);
	close(burst->epoll);
	free(burst->conns);
	free(burst->began_us);
	free(burst->waiting);
	free(burst);
}

struct lab_tally lab_burst_run(struct lab *lab, const struct lab_burst_spec *spec)
{
	struct lab_burst *burst = lab_burst_start(lab, spec);
	struct lab_tally tally;

	lab_burst_wait(burst);
	tally = lab_burst_tally(burst);
	lab_burst_free(burst);
	return tally;
}

static struct lab_conn one_flow(struct lab *lab, const struct lab_flow *flow, bool udp)
{
	const struct lab_burst_spec spec = {.flow = *flow, .udp = udp};
	struct lab_burst *burst = lab_burst_start(lab, &spec);
	struct lab_conn conn;

	lab_burst_wait(burst);
	conn = burst->conns[0];
	lab_burst_free(burst);
	return conn;
}

struct lab_conn lab_connect(struct lab *lab, const struct lab_flow *flow)
{
	return one_flow(lab, flow, false);
}

struct lab_conn lab_ask(struct lab *lab, const struct lab_flow *flow)
{
	return one_flow(lab, flow, true);
}

const char *lab_outcome_name(enum lab_outcome outcome)
{
	switch (outcome) {
	case LAB_PENDING:
		return "pending";
	case LAB_ANSWERED:
		return "answered";
	case LAB_REFUSED:
		return "refused";
	case LAB_UNREACHABLE:
		return "unreachable";
	case LAB_CLOSED:
		return "closed";
	case LAB_TIMEOUT:
		return "timeout";
	case LAB_OUTCOMES:
		break;
	}
	return "?";
}
