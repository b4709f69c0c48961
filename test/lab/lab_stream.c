// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_stream: a thread that sends at its rate and notes, for every packet by its number, when it was sent,
 * when it was answered and over which ISP. The report is computed from those notes, so it cannot disagree
 * with itself.
 */
#include "test/lab/lab_stream.h"

#include "test/lab/lab_die.h"
#include "test/lab/lab_net.h"
#include "test/lab/lab_ns.h"
#include "test/lab/lab_sock.h"
#include "test/lab/lab_task.h"
#include "test/lab/lab_wait.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	RATE_HZ = 1000,
	LIMIT_S = 60,
	LAST_ANSWERS_MS = 500,
	START_TRIES = 200,
	START_WAIT_MS = 1000,
	LATE_MAX = 5
};

/* One packet's fate. */
struct note {
	int64_t sent_us;
	int32_t rtt_us; /* 0: not answered */
	int16_t isp;
	bool error;
};

/* What every packet carries; an ICMP header stands before it in a ping. */
struct payload {
	char magic[4];
	uint32_t number;
};

struct lab_stream {
	struct lab_task task;
	struct lab *lab;
	struct lab_stream_spec spec;
	struct note *notes;
	int limit; /* of packets */
	int sent, answered, duplicates;
	int fd;
	int icmp_type;
};

static int family_of(const struct lab_flow *flow)
{
	return strchr(flow->to, ':') ? AF_INET6 : AF_INET;
}

/* ---- the thread ---- */

static void open_stream(struct lab_stream *stream)
{
	const struct lab_flow *flow = &stream->spec.flow;
	bool v6 = family_of(flow) == AF_INET6;
	int protocol = 0;

	if (stream->spec.ping) {
		protocol = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		stream->icmp_type = v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
	}
	stream->fd = lab_sock_open(flow, SOCK_DGRAM, protocol);
	lab_sock_option(stream->fd, SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20);
	lab_sock_connect(stream->fd, flow); /* no route yet is no reason not to try later */
}

static ssize_t send_packet(struct lab_stream *stream, int number)
{
	struct payload payload = {{'l', 'a', 'b', '!'}, (uint32_t)number};
	struct icmphdr header = {.type = (uint8_t)stream->icmp_type};
	char packet[sizeof(header) + sizeof(payload)];
	size_t start = stream->spec.ping ? sizeof(header) : 0;

	header.un.echo.sequence = htons((uint16_t)number);
	memcpy(packet, &header, sizeof(header));
	memcpy(packet + start, &payload, sizeof(payload));
	return send(stream->fd, packet, start + sizeof(payload), MSG_NOSIGNAL);
}

static void send_next(struct lab_stream *stream)
{
	int number = stream->sent;
	struct note *note = &stream->notes[number];
	bool error;

	pthread_mutex_lock(&stream->task.lock);
	note->sent_us = lab_now_us();
	stream->sent++;
	pthread_mutex_unlock(&stream->task.lock);
	error = send_packet(stream, number) < 0;
	if (error && errno == EDESTADDRREQ)
		lab_sock_connect(stream->fd, &stream->spec.flow);
	if (error) /* it may be an earlier packet's, which this call only reported */
		error = send_packet(stream, number) < 0;
	pthread_mutex_lock(&stream->task.lock);
	note->error = error;
	pthread_mutex_unlock(&stream->task.lock);
}

static void take_answer(struct lab_stream *stream, const char *data, int length)
{
	char seen[INET6_ADDRSTRLEN] = "";
	struct payload payload;
	uint16_t port;
	int start = (int)sizeof(struct icmphdr);
	struct note *note;

	if (!stream->spec.ping)
		start = lab_sock_whoami(data, length, seen, &port);
	if (start == 0 || length - start < (int)sizeof(payload))
		return;
	memcpy(&payload, data + start, sizeof(payload));
	if (memcmp(payload.magic, "lab!", 4) || payload.number >= (uint32_t)stream->sent)
		return;
	note = &stream->notes[payload.number];
	pthread_mutex_lock(&stream->task.lock);
	if (note->rtt_us) {
		stream->duplicates++;
	} else {
		note->rtt_us = (int32_t)(lab_now_us() - note->sent_us) + 1;
		note->isp = (int16_t)(seen[0] ? lab_isp_of_source(stream->lab, seen) : 0);
		stream->answered++;
	}
	pthread_mutex_unlock(&stream->task.lock);
}

/* Takes all answers there are; errors on the socket are of packets that will simply stay unanswered. */
static void take_answers(struct lab_stream *stream)
{
	char data[512];

	for (;;) {
		ssize_t length = recv(stream->fd, data, sizeof(data), 0);

		if (length > 0)
			take_answer(stream, data, (int)length);
		else if (length < 0 && errno == EAGAIN)
			return;
	}
}

/* Waits for an answer, for the stop, or until `until_us`. */
static void wait_for_event(const struct lab_stream *stream, int64_t until_us)
{
	struct pollfd wait[2] = {{stream->fd, POLLIN, 0}, {stream->task.stop_fd, POLLIN, 0}};
	int64_t left = until_us - lab_now_us();
	struct timespec timeout = {.tv_sec = left / 1000000, .tv_nsec = left % 1000000 * 1000};

	if (left > 0)
		ppoll(wait, atomic_load(&stream->task.stopping) ? 1 : 2, &timeout, NULL);
}

static void stream_run(struct lab_task *task)
{
	struct lab_stream *stream = (struct lab_stream *)task;
	int64_t period = 1000000 / stream->spec.rate_hz, due = lab_now_us();
	int64_t end;

	open_stream(stream);
	lab_task_hurry();
	while (stream->sent < stream->limit && !atomic_load(&task->stopping)) {
		if (lab_now_us() >= due) {
			send_next(stream);
			due += period;
			if (lab_now_us() - due > LATE_MAX * period)
				due = lab_now_us(); /* it was held up: no burst to make up for it */
		}
		wait_for_event(stream, due);
		take_answers(stream);
	}
	end = lab_now_us() + stream->spec.last_ms * 1000;
	while (stream->answered < stream->sent && lab_now_us() < end) {
		wait_for_event(stream, end);
		take_answers(stream);
	}
	close(stream->fd);
}

/* ---- the account ---- */

static void account_part(struct lab_stream_report *report, const struct note *note)
{
	struct lab_stream_part *part = NULL;

	if (report->parts > 0 && report->isp == note->isp && report->parts <= LAB_STREAM_PARTS)
		part = &report->part[report->parts - 1];
	if (report->parts == 0 || report->isp != note->isp) {
		report->parts++;
		if (report->parts <= LAB_STREAM_PARTS)
			part = &report->part[report->parts - 1];
	}
	report->isp = note->isp;
	if (!part)
		return;
	if (!part->answered++)
		part->first_ms = note->sent_us / 1000;
	part->isp = note->isp;
	part->last_ms = note->sent_us / 1000;
}

/* A run of lost packets, from note `first` on, ended at `end_us`. */
static void account_gap(struct lab_stream_report *report, const struct note *first, int64_t end_us)
{
	int gap_ms = (int)((end_us - first->sent_us + 500) / 1000);

	if (report->gap_began_ms && gap_ms <= report->gap_ms)
		return;
	report->gap_ms = gap_ms;
	report->gap_began_ms = first->sent_us / 1000;
}

static struct lab_stream_report account(const struct lab_stream *stream)
{
	struct lab_stream_report report = {.sent = stream->sent, .answered = stream->answered};
	const struct note *lost_from = NULL;
	int64_t sum = 0;

	for (int i = 0; i < stream->sent; i++) {
		const struct note *note = &stream->notes[i];

		report.errors += note->error && !note->rtt_us;
		if (!note->rtt_us) {
			lost_from = lost_from ? lost_from : note;
			continue;
		}
		if (lost_from)
			account_gap(&report, lost_from, note->sent_us);
		lost_from = NULL;
		account_part(&report, note);
		sum += note->rtt_us;
		report.worst_rtt_us = note->rtt_us > report.worst_rtt_us ? note->rtt_us : report.worst_rtt_us;
	}
	if (lost_from)
		account_gap(&report, lost_from,
			    stream->notes[stream->sent - 1].sent_us + 1000000 / stream->spec.rate_hz);
	report.lost = report.sent - report.answered;
	report.duplicates = stream->duplicates;
	report.mean_rtt_us = report.answered ? (int)(sum / report.answered) : 0;
	return report;
}

/* ---- the handle ---- */

static void discard(struct lab_task *task)
{
	lab_stream_stop((struct lab_stream *)task);
}

struct lab_stream *lab_stream_start(struct lab *lab, const struct lab_stream_spec *spec)
{
	struct lab_stream *stream = lab_alloc(1, sizeof(*stream));
	struct lab_stream_spec *own = &stream->spec;

	*own = *spec;
	lab_flow_keep(lab, &own->flow);
	stream->lab = lab;
	own->rate_hz = own->rate_hz ? own->rate_hz : RATE_HZ;
	own->limit_s = own->limit_s ? own->limit_s : LIMIT_S;
	own->last_ms = own->last_ms ? own->last_ms : LAST_ANSWERS_MS;
	if (own->limit_s > LAB_STREAM_LIMIT_S || own->rate_hz > 10000)
		lab_die("a stream of at most %d s and 10000 Hz", LAB_STREAM_LIMIT_S);
	stream->limit = own->limit_s * own->rate_hz;
	if (own->count && own->count < stream->limit)
		stream->limit = own->count;
	stream->notes = lab_alloc((size_t)stream->limit, sizeof(*stream->notes));
	lab_task_start(lab, &stream->task, own->flow.from, stream_run, discard);
	return stream;
}

struct lab_stream *lab_stream_start_on(struct lab *lab, const struct lab_stream_spec *spec, int isp)
{
	struct lab_stream_spec one = *spec;
	int host = spec->flow.from->host;

	for (int i = 0; i < START_TRIES; i++) {
		struct lab_stream *stream;
		char source[64];

		lab_client_address(family_of(&spec->flow), host, LAB_CLIENTS_MAX - 1 - i, source);
		one.flow.source = source;
		stream = lab_stream_start(lab, &one);
		if (lab_stream_wait_answer(stream, START_WAIT_MS) && lab_stream_peek(stream).isp == isp)
			return stream;
		lab_stream_stop(stream);
	}
	lab_die("none of %d clients of %s was sent to ISP %d", START_TRIES, spec->flow.from->name, isp);
}

struct lab_stream_report lab_stream_peek(struct lab_stream *stream)
{
	struct lab_stream_report report;

	pthread_mutex_lock(&stream->task.lock);
	report = account(stream);
	pthread_mutex_unlock(&stream->task.lock);
	return report;
}

struct awaited_answer {
	struct lab_stream *stream;
	int from; /* the first number that counts */
	int isp;  /* 0: any */
};

static bool is_answered(void *arg)
{
	const struct awaited_answer *awaited = arg;
	struct lab_stream *stream = awaited->stream;
	bool answered = false;

	pthread_mutex_lock(&stream->task.lock);
	for (int i = awaited->from; i < stream->sent && !answered; i++)
		answered = stream->notes[i].rtt_us && (!awaited->isp || stream->notes[i].isp == awaited->isp);
	pthread_mutex_unlock(&stream->task.lock);
	return answered;
}

bool lab_stream_wait_isp(struct lab_stream *stream, int isp, int timeout_ms)
{
	struct awaited_answer awaited = {stream, 0, isp};

	pthread_mutex_lock(&stream->task.lock);
	awaited.from = stream->sent;
	pthread_mutex_unlock(&stream->task.lock);
	return lab_wait_until(is_answered, &awaited, timeout_ms);
}

bool lab_stream_wait_answer(struct lab_stream *stream, int timeout_ms)
{
	return lab_stream_wait_isp(stream, 0, timeout_ms);
}

struct lab_stream_report lab_stream_stop(struct lab_stream *stream)
{
	struct lab_stream_report report;

	lab_task_end(&stream->task);
	report = account(stream);
	free(stream->notes);
	free(stream);
	return report;
}

struct lab_stream_report lab_stream_finish(struct lab_stream *stream)
{
	lab_task_join(&stream->task);
	return lab_stream_stop(stream);
}

struct lab_stream_report lab_ping(struct lab *lab, const struct lab_flow *flow, int n)
{
	const struct lab_stream_spec spec = {.flow = *flow, .rate_hz = 50, .count = n, .ping = true};

	return lab_stream_finish(lab_stream_start(lab, &spec));
}

void lab_stream_text(const struct lab_stream_report *report, char text[256])
{
	int length = snprintf(text, 256, "sent %d, answered %d, lost %d, longest gap %d ms", report->sent,
			      report->answered, report->lost, report->gap_ms);

	for (int i = 0; i < report->parts && i < LAB_STREAM_PARTS && length < 240; i++)
		length += snprintf(text + length, 256 - (size_t)length, "%s isp%d %d", i ? "," : ";",
				   report->part[i].isp, report->part[i].answered);
}
