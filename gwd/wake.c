// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/wake.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"

#define WAKE_BATCH 32       // segments per system call: getrandom() gives 256 bytes at once without fail
#define WAKE_ROOM (4 << 20) // of the send buffer: some 5000 segments that wait for a neighbour
#define WAKE_TTL 64
#define WAKE_TCP 20    // bytes of the TCP header, which is all there is
#define WAKE_ACK 0x10  // its flags
#define WAKE_WINDOW 64 // any: nobody will send by it

struct wake {
	int fd[FAM_COUNT];
};

// ---- the segment -----------------------------------------------------------------------------------

static void wake_put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void wake_put32(uint8_t *at, uint32_t value)
{
	wake_put16(at, value >> 16);
	wake_put16(at + 2, value & 0xffff);
}

static uint32_t wake_sum(uint32_t sum, const uint8_t *data, size_t size)
{
	assert(size % 2 == 0);
	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	return sum;
}

static unsigned wake_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static void wake_put_tcp(uint8_t *tcp, const struct wake_flow *flow, uint32_t seq, uint32_t ack)
{
	unsigned size = addr_size(&flow->lan);
	memset(tcp, 0, WAKE_TCP);
	wake_put16(tcp, flow->far_port);
	wake_put16(tcp + 2, flow->lan_port);
	wake_put32(tcp + 4, seq);
	wake_put32(tcp + 8, ack);
	tcp[12] = WAKE_TCP / 4 << 4;
	tcp[13] = WAKE_ACK;
	wake_put16(tcp + 14, WAKE_WINDOW);
	uint32_t sum = wake_sum(IPPROTO_TCP + WAKE_TCP, flow->far.b, size); // the pseudo header
	sum = wake_sum(sum, flow->lan.b, size);
	wake_put16(tcp + 16, wake_fold(wake_sum(sum, tcp, WAKE_TCP)));
}

static void wake_put_ipv4(uint8_t *ip, const struct wake_flow *flow)
{
	memset(ip, 0, 20);
	ip[0] = 0x45;
	wake_put16(ip + 2, 20 + WAKE_TCP);
	ip[6] = 0x40; // don't fragment: and the kernel gives it no identification
	ip[8] = WAKE_TTL;
	ip[9] = IPPROTO_TCP;
	memcpy(ip + 12, flow->far.b, 4);
	memcpy(ip + 16, flow->lan.b, 4);
	wake_put16(ip + 10, wake_fold(wake_sum(0, ip, 20)));
}

static void wake_put_ipv6(uint8_t *ip, const struct wake_flow *flow)
{
	memset(ip, 0, 8);
	ip[0] = 0x60;
	wake_put16(ip + 4, WAKE_TCP);
	ip[6] = IPPROTO_TCP;
	ip[7] = WAKE_TTL;
	memcpy(ip + 8, flow->far.b, 16);
	memcpy(ip + 24, flow->lan.b, 16);
}

size_t wake_segment(const struct wake_flow *flow, uint32_t seq, uint32_t ack, uint8_t out[WAKE_SEGMENT_MAX])
{
	assert(flow->lan.family == flow->far.family && !addr_is_none(&flow->lan));
	size_t header = flow->lan.family == AF_INET ? 20 : 40;
	if (flow->lan.family == AF_INET)
		wake_put_ipv4(out, flow);
	else
		wake_put_ipv6(out, flow);
	wake_put_tcp(out + header, flow, seq, ack);
	return header + WAKE_TCP;
}

// ---- sending -----------------------------------------------------------------------------------------

static int wake_socket(int af, uint32_t mark)
{
	int one = 1, room = WAKE_ROOM;
	// IPPROTO_RAW: the header is ours
	int fd = socket(af, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0 ||
	    (af == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &one, sizeof(one)) < 0)) {
		int code = errno;
		close(fd);
		return -code;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	return fd;
}

struct wake *wake_open(uint32_t mark, struct err *err)
{
	struct wake *wake = xcalloc(1, sizeof(*wake));
	wake->fd[FAM_4] = wake_socket(AF_INET, mark);
	wake->fd[FAM_6] = wake_socket(AF_INET6, mark); // may be missing: then there are no flows either
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
	free(wake);
}

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

static void wake_put_flow(struct wake_batch *batch, const struct wake_flow *flow, const uint32_t random[2])
{
	unsigned i = batch->n++;
	batch->msg[i] = (struct mmsghdr){0};
	batch->iov[i].iov_base = batch->segment[i];
	batch->iov[i].iov_len = wake_segment(flow, random[0], random[1], batch->segment[i]);
	batch->msg[i].msg_hdr.msg_iov = &batch->iov[i];
	batch->msg[i].msg_hdr.msg_iovlen = 1;
	wake_put_destination(batch, i, &flow->lan);
}

// Returns how many went out; *code is the last failure. One that fails does not stop the others,
// a full buffer does.
static unsigned wake_send_batch(int fd, struct wake_batch *batch, int *code)
{
	unsigned sent = 0, at = 0;
	while (at < batch->n) {
		int n = sendmmsg(fd, &batch->msg[at], batch->n - at, MSG_DONTWAIT);
		if (n > 0) {
			sent += (unsigned)n;
			at += (unsigned)n;
			continue;
		}
		*code = errno;
		if (errno == EAGAIN)
			break;
		at += errno != EINTR;
	}
	batch->n = 0;
	return sent;
}

static bool wake_is_sendable(const struct wake *wake, const struct wake_flow *flow)
{
	return flow->lan.family == flow->far.family && !addr_is_none(&flow->lan) &&
	       wake->fd[addr_fam(&flow->lan)] >= 0;
}

static size_t wake_send_fam(const struct wake *wake, enum fam fam, const struct wake_flow *flows, size_t n,
			    int *code)
{
	struct wake_batch batch = {0};
	uint32_t random[WAKE_BATCH][2];
	size_t sent = 0;
	for (size_t i = 0; i < n && *code != EAGAIN; i++) {
		if (!wake_is_sendable(wake, &flows[i]) || addr_fam(&flows[i].lan) != fam)
			continue;
		if (!batch.n && getrandom(random, sizeof(random), 0) != sizeof(random)) {
			*code = errno;
			break;
		}
		wake_put_flow(&batch, &flows[i], random[batch.n]);
		if (batch.n == WAKE_BATCH)
			sent += wake_send_batch(wake->fd[fam], &batch, code);
	}
	return sent + wake_send_batch(wake->fd[fam], &batch, code);
}

ssize_t wake_send(struct wake *wake, const struct wake_flow *flows, size_t n, struct err *err)
{
	size_t sent = 0;
	int code = 0;
	if (n > WAKE_FLOWS_MAX)
		n = WAKE_FLOWS_MAX;
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
		int failed = 0;
		sent += wake_send_fam(wake, fam, flows, n, &failed);
		code = failed ? failed : code;
	}
	if (n && !sent && code)
		return err_errno(err, code, "none of %zu flows could be woken", n);
	return (ssize_t)sent;
}
