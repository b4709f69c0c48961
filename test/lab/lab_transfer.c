// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_transfer: a thread with one connection. It looks at the socket's error before it reads or writes, so
 * that a reset is seen the moment it arrives, not after the data that was queued before it.
 */
#include "test/lab/lab_transfer.h"

#include "test/lab/lab_die.h"
#include "test/lab/lab_net.h"
#include "test/lab/lab_sock.h"
#include "test/lab/lab_task.h"
#include "test/lab/lab_wait.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RATE_BPS = 8000000, LIMIT_S = 120, CHUNK = 16384, BUFFER = 65536, PAUSE_MS = 5 };

struct lab_transfer {
	struct lab_task task;
	struct lab *lab;
	struct lab_transfer_spec spec;
	struct lab_transfer_report report; /* under task.lock */
	int64_t begun_us, deadline_us;
	int64_t moved; /* bytes given to, or taken from, the socket */
	int fd;
	atomic_bool connected; /* the server has answered */
};

static void end_with(struct lab_transfer *transfer, enum lab_transfer_end end, int error)
{
	pthread_mutex_lock(&transfer->task.lock);
	transfer->report.end = end;
	transfer->report.end_errno = error;
	transfer->report.ended_ms = lab_now_ms();
	pthread_mutex_unlock(&transfer->task.lock);
}

static void end_with_error(struct lab_transfer *transfer, int error)
{
	if (!transfer->connected)
		end_with(transfer, LAB_END_REFUSED, error);
	else if (error == ECONNRESET || error == EPIPE)
		end_with(transfer, LAB_END_RST, error);
	else if (error == ETIMEDOUT)
		end_with(transfer, LAB_END_TIMEOUT, error);
	else
		end_with(transfer, LAB_END_UNREACHABLE, error);
}

static bool goes_on(struct lab_transfer *transfer)
{
	return !transfer->report.ended_ms && !atomic_load(&transfer->task.stopping) &&
	       lab_now_us() < transfer->deadline_us;
}

/* Waits for `events` at the socket, or for the stop; ends the transfer if the socket reports an error. */
static short wait_for(struct lab_transfer *transfer, short events, int timeout_ms)
{
	struct pollfd wait[2] = {{transfer->fd, events, 0}, {transfer->task.stop_fd, POLLIN, 0}};
	int error = 0;
	socklen_t size = sizeof(error);

	poll(wait, 2, timeout_ms);
	if (wait[0].revents & (POLLERR | POLLHUP))
		getsockopt(transfer->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (!error)
		return wait[0].revents;
	end_with_error(transfer, error);
	return 0;
}

static void note_progress(struct lab_transfer *transfer, int64_t bytes)
{
	pthread_mutex_lock(&transfer->task.lock);
	if (bytes > transfer->report.bytes) {
		transfer->report.bytes = bytes;
		transfer->report.last_progress_ms = lab_now_ms();
	}
	pthread_mutex_unlock(&transfer->task.lock);
}

/* How much may have been moved by now. */
static int64_t allowance(const struct lab_transfer *transfer)
{
	if (transfer->spec.rate_bps < 0)
		return INT64_MAX;
	return (lab_now_us() - transfer->begun_us) * (transfer->spec.rate_bps / 8) / 1000000 + 1;
}

/* What the far end has acknowledged. */
static void note_acknowledged(struct lab_transfer *transfer)
{
	int queued = 0;

	if (ioctl(transfer->fd, SIOCOUTQ, &queued) == 0)
		note_progress(transfer, transfer->moved - queued);
}

static void upload(struct lab_transfer *transfer)
{
	static const char data[CHUNK];
	bool may = transfer->moved < allowance(transfer);
	short ready = wait_for(transfer, (short)(POLLIN | (may ? POLLOUT : 0)), PAUSE_MS);

	if (may && (ready & POLLOUT)) {
		ssize_t sent = send(transfer->fd, data, sizeof(data), MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			end_with_error(transfer, errno);
		else if (sent > 0)
			transfer->moved += sent;
	} else if (ready & POLLIN) {
		end_with(transfer, LAB_END_FIN, 0); /* a sink never speaks */
	}
	note_acknowledged(transfer);
}

static void download(struct lab_transfer *transfer)
{
	char data[CHUNK];
	ssize_t got;

	if (!(wait_for(transfer, POLLIN, 50) & POLLIN))
		return;
	got = recv(transfer->fd, data, sizeof(data), 0);
	if (got == 0)
		end_with(transfer, LAB_END_FIN, 0);
	else if (got < 0 && errno != EAGAIN)
		end_with_error(transfer, errno);
	else if (got > 0)
		note_progress(transfer, transfer->moved += got);
}

static void idle(struct lab_transfer *transfer)
{
	char data[64];
	ssize_t got;

	if (!(wait_for(transfer, POLLIN, 50) & POLLIN))
		return;
	got = recv(transfer->fd, data, sizeof(data), 0);
	if (got == 0)
		end_with(transfer, LAB_END_FIN, 0);
	else if (got < 0 && errno != EAGAIN)
		end_with_error(transfer, errno);
}

/* Connects and asks the server who we are. */
static void connect_and_ask(struct lab_transfer *transfer)
{
	static const char question[] = "whoami\n";
	char data[256], seen[INET6_ADDRSTRLEN];
	uint16_t port;
	int error = lab_sock_connect(transfer->fd, &transfer->spec.flow);
	ssize_t length = 0;

	if (error)
		end_with_error(transfer, -error);
	while (goes_on(transfer) && !(wait_for(transfer, POLLOUT, 50) & POLLOUT))
		;
	if (goes_on(transfer))
		send(transfer->fd, question, sizeof(question) - 1, MSG_NOSIGNAL);
	while (goes_on(transfer) && !(wait_for(transfer, POLLIN, 50) & POLLIN))
		;
	if (goes_on(transfer))
		length = recv(transfer->fd, data, sizeof(data), 0);
	if (length <= 0 || !lab_sock_whoami(data, (int)length, seen, &port))
		return;
	pthread_mutex_lock(&transfer->task.lock);
	transfer->report.isp = lab_isp_of_source(transfer->lab, seen);
	transfer->report.connect_ms = (int)((lab_now_us() - transfer->begun_us) / 1000);
	pthread_mutex_unlock(&transfer->task.lock);
	atomic_store(&transfer->connected, true);
}

/* Tells the server what it is to be. */
static void command(struct lab_transfer *transfer)
{
	char text[64] = "sink\n";

	transfer->begun_us = lab_now_us();
	if (transfer->spec.kind == LAB_IDLE)
		return;
	if (transfer->spec.kind == LAB_DOWNLOAD && transfer->spec.rate_bps < 0)
		strcpy(text, "source\n");
	else if (transfer->spec.kind == LAB_DOWNLOAD)
		snprintf(text, sizeof(text), "source %lld\n", (long long)transfer->spec.rate_bps);
	send(transfer->fd, text, strlen(text), MSG_NOSIGNAL);
}

static void transfer_run(struct lab_task *task)
{
	struct lab_transfer *transfer = (struct lab_transfer *)task;

	transfer->fd = lab_sock_open(&transfer->spec.flow, SOCK_STREAM, 0);
	lab_sock_option(transfer->fd, SOL_SOCKET, SO_RCVBUF, BUFFER);
	lab_sock_option(transfer->fd, SOL_SOCKET, SO_SNDBUF, BUFFER);
	transfer->begun_us = lab_now_us();
	transfer->deadline_us = transfer->begun_us + (int64_t)transfer->spec.limit_s * 1000000;
	connect_and_ask(transfer);
	if (transfer->connected)
		command(transfer);
	while (transfer->connected && goes_on(transfer)) {
		switch (transfer->spec.kind) {
		case LAB_IDLE:
			idle(transfer);
			break;
		case LAB_UPLOAD:
			upload(transfer);
			break;
		case LAB_DOWNLOAD:
			download(transfer);
			break;
		}
	}
	if (!transfer->connected && !transfer->report.ended_ms)
		end_with(transfer, LAB_END_REFUSED, ETIMEDOUT);
	close(transfer->fd);
}

static void discard(struct lab_task *task)
{
	lab_transfer_stop((struct lab_transfer *)task);
}

struct lab_transfer *lab_transfer_start(struct lab *lab, const struct lab_transfer_spec *spec)
{
	struct lab_transfer *transfer = lab_alloc(1, sizeof(*transfer));

	transfer->lab = lab;
	transfer->spec = *spec;
	lab_flow_keep(lab, &transfer->spec.flow);
	if (!transfer->spec.rate_bps)
		transfer->spec.rate_bps = RATE_BPS;
	if (!transfer->spec.limit_s)
		transfer->spec.limit_s = LIMIT_S;
	lab_task_start(lab, &transfer->task, spec->flow.from, transfer_run, discard);
	return transfer;
}

struct lab_transfer_report lab_transfer_peek(struct lab_transfer *transfer)
{
	struct lab_transfer_report report;

	pthread_mutex_lock(&transfer->task.lock);
	report = transfer->report;
	pthread_mutex_unlock(&transfer->task.lock);
	return report;
}

static bool has_ended(void *arg)
{
	return lab_transfer_peek(arg).ended_ms != 0;
}

static bool is_running(void *arg)
{
	struct lab_transfer *transfer = arg;

	return atomic_load(&transfer->connected) &&
	       (transfer->spec.kind == LAB_IDLE || lab_transfer_peek(transfer).bytes > 0);
}

bool lab_transfer_wait_end(struct lab_transfer *transfer, int timeout_ms)
{
	return lab_wait_until(has_ended, transfer, timeout_ms);
}

bool lab_transfer_wait_running(struct lab_transfer *transfer, int timeout_ms)
{
	return lab_wait_until(is_running, transfer, timeout_ms);
}

struct lab_transfer_report lab_transfer_stop(struct lab_transfer *transfer)
{
	struct lab_transfer_report report;

	lab_task_end(&transfer->task);
	report = transfer->report;
	free(transfer);
	return report;
}

const char *lab_transfer_end_name(enum lab_transfer_end end)
{
	switch (end) {
	case LAB_END_RUNNING:
		return "running";
	case LAB_END_RST:
		return "RST";
	case LAB_END_FIN:
		return "FIN";
	case LAB_END_TIMEOUT:
		return "timeout";
	case LAB_END_UNREACHABLE:
		return "unreachable";
	case LAB_END_REFUSED:
		return "refused";
	}
	return "?";
}
