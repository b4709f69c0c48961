// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/wake.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"
#include "gwd/base/mono.h"
#include "gwd/base/vec.h"

#define WAKE_BATCH 32     // segments per system call: getrandom() gives 256 bytes at once without fail
#define WAKE_PORTION 2016 // segments per turn: some 10 ms, with what the receivers answer
#define WAKE_PAUSE_US 500 // between two portions
#define WAKE_PATIENCE_MS 2000
#define WAKE_ROOM (4 << 20) // of the send buffer: some 5000 segments that wait for a neighbour

struct wake {
	int fd[FAM_COUNT];
	struct event *next; // the next portion
	VEC(struct wake_flow) flows;
	size_t at;        // those before it are done
	int64_t moved_ms; // when the last one went out
};

// ---- life ----------------------------------------------------------------------------------------

static int wake_socket(int af, uint32_t mark, unsigned priority)
{
	int one = 1, room = WAKE_ROOM;
	// IPPROTO_RAW: the header is ours
	int fd = socket(af, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority)) < 0 ||
	    (af == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &one, sizeof(one)) < 0)) {
		int code = errno;
		close(fd);
		return -code;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	return fd;
}

static void wake_on_next(evutil_socket_t fd, short what, void *arg);

struct wake *wake_open(struct event_base *base, uint32_t mark, unsigned priority, struct err *err)
{
	struct wake *wake = xcalloc(1, sizeof(*wake));
	wake->next = event_new(base, -1, 0, wake_on_next, wake);
	if (!wake->next)
		abort(); // out of memory
	wake->fd[FAM_4] = wake_socket(AF_INET, mark, priority);
	wake->fd[FAM_6] =
		wake_socket(AF_INET6, mark, priority); // may be missing: then there are no flows either
	if (wake->fd[FAM_4] < 0) {
		err_errno(err, -wake->fd[FAM_4], "can't open a raw socket to wake flows");
		wake_close(wake);
		return NULL;
	}
	return wake;
}

void wake_close(struct wake *wake)
{
	if (!wake)
		return;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		if (wake->fd[fam] >= 0)
			close(wake->fd[fam]);
	event_free(wake->next);
	vec_free(&wake->flows);
	free(wake);
}

// ---- one system call -----------------------------------------------------------------------------

struct wake_batch {
	unsigned n;
	uint8_t segment[WAKE_BATCH][WAKE_SEGMENT_MAX];
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} to[WAKE_BATCH];
	struct iovec iov[WAKE_BATCH];
	struct mmsghdr msg[WAKE_BATCH];
};

static void wake_put_destination(struct wake_batch *batch, unsigned i, const struct addr *lan)
{
	struct msghdr *msg = &batch->msg[i].msg_hdr;
	memset(&batch->to[i], 0, sizeof(batch->to[i]));
	batch->to[i].sa.sa_family = lan->family;
	msg->msg_name = &batch->to[i];
	if (lan->family == AF_INET) {
		memcpy(&batch->to[i].in.sin_addr, lan->b, 4);
		msg->msg_namelen = sizeof(batch->to[i].in);
	} else {
		memcpy(&batch->to[i].in6.sin6_addr, lan->b, 16);
		msg->msg_namelen = sizeof(batch->to[i].in6);
	}
}

static void wake_put_flow(struct wake_batch *batch, const struct wake_flow *flow, const uint32_t numbers[2])
{
	unsigned i = batch->n++;
	batch->msg[i] = (struct mmsghdr){0};
	batch->iov[i].iov_base = batch->segment[i];
	batch->iov[i].iov_len = wake_segment(flow, numbers[0], numbers[1], batch->segment[i]);
	batch->msg[i].msg_hdr.msg_iov = &batch->iov[i];
	batch->msg[i].msg_hdr.msg_iovlen = 1;
	wake_put_destination(batch, i, &flow->lan);
}

// As many flows of one family as one call takes, from `at` on.
static void wake_fill(const struct wake *wake, struct wake_batch *batch)
{
	uint32_t numbers[WAKE_BATCH][2];
	uint8_t family = wake->flows.v[wake->at].lan.family;
	if (getrandom(numbers, sizeof(numbers), 0) != sizeof(numbers))
		abort(); // not for this size (getrandom(2))
	batch->n = 0;
	for (size_t i = wake->at; i < wake->flows.n && batch->n < WAKE_BATCH; i++) {
		if (wake->flows.v[i].lan.family != family)
			break;
		wake_put_flow(batch, &wake->flows.v[i], numbers[batch->n]);
	}
}

// ---- portions ------------------------------------------------------------------------------------

struct wake_result {
	size_t sent;
	int code; // of the last failure
};

// False: the send buffer is full.
static bool wake_send_batch(struct wake *wake, struct wake_batch *batch, struct wake_result *result)
{
	int fd = wake->fd[addr_fam(&wake->flows.v[wake->at].lan)];
	unsigned at = 0;
	while (at < batch->n) {
		int n = sendmmsg(fd, &batch->msg[at], batch->n - at, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			result->code = errno;
			if (errno == EAGAIN)
				break;
			at++; // that one has no way; it does not stop the others
			continue;
		}
		result->sent += (unsigned)n;
		at += (unsigned)n;
	}
	wake->at += at;
	return at == batch->n;
}

static struct wake_result wake_portion(struct wake *wake)
{
	struct wake_batch batch;
	struct wake_result result = {0};
	struct timeval pause = {.tv_usec = WAKE_PAUSE_US};
	size_t begin = wake->at, end = begin + WAKE_PORTION;
	bool room = true;
	while (room && wake->at < wake->flows.n && wake->at < end) {
		wake_fill(wake, &batch);
		room = wake_send_batch(wake, &batch, &result);
	}
	if (wake->at > begin)
		wake->moved_ms = mono_now_ms();
	if (wake->at < wake->flows.n && mono_now_ms() - wake->moved_ms < WAKE_PATIENCE_MS) {
		event_add(wake->next, &pause);
	} else {
		vec_free(&wake->flows);
		wake->at = 0;
	}
	return result;
}

static void wake_on_next(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	wake_portion(arg);
}

static bool wake_is_sendable(const struct wake *wake, const struct wake_flow *flow)
{
	return flow->lan.family == flow->far.family && !addr_is_none(&flow->lan) &&
	       wake->fd[addr_fam(&flow->lan)] >= 0;
}

int wake_send(struct wake *wake, const struct wake_flow *flows, size_t n, struct err *err)
{
	for (size_t i = 0; i < n && wake->flows.n < WAKE_FLOWS_MAX; i++)
		if (wake_is_sendable(wake, &flows[i]))
			vec_push(&wake->flows, flows[i]);
	wake->moved_ms = mono_now_ms();
	struct wake_result result = wake_portion(wake);
	if (result.code && result.code != EAGAIN && !result.sent)
		return err_errno(err, result.code, "flows can't be woken");
	return 0;
}
