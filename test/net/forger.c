// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/net/forger.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gwd/base/alloc.h"
#include "test/lab/lab.h"

#define ECHO 64 // room for an echo message; gwd's have 32 bytes
#define NONCE_AT 8

struct forger {
	const struct lab_ns *ns;
	int family;
	enum forger_lie lie;
	int fd;
	atomic_bool stop;
	size_t answered;
	pthread_t thread;
};

// A request as it came in: addresses, and the ICMP message.
struct request {
	struct sockaddr_in6 from6;
	struct sockaddr_in from4;
	struct in_addr to4;
	struct in6_addr to6;
	uint8_t echo[ECHO];
	size_t size;
};

// ---- receiving -------------------------------------------------------------------------------

static bool read4(struct forger *f, struct request *out)
{
	uint8_t data[256];
	socklen_t size = sizeof(out->from4);
	ssize_t n = recvfrom(f->fd, data, sizeof(data), 0, (struct sockaddr *)&out->from4, &size);
	const struct iphdr *ip = (const struct iphdr *)data;

	if (n < 28 || data[20] != ICMP_ECHO || n - 20 > ECHO)
		return false;
	out->to4.s_addr = ip->daddr;
	out->size = (size_t)n - 20;
	memcpy(out->echo, data + 20, out->size);
	return true;
}

static bool read6(struct forger *f, struct request *out)
{
	uint8_t control[128];
	struct iovec iov = {out->echo, ECHO};
	struct msghdr msg = {.msg_name = &out->from6,
			     .msg_namelen = sizeof(out->from6),
			     .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(f->fd, &msg, 0);

	if (n < 16 || out->echo[0] != ICMP6_ECHO_REQUEST)
		return false;
	out->size = (size_t)n;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
			memcpy(&out->to6, &((const struct in6_pktinfo *)CMSG_DATA(c))->ipi6_addr, 16);
	return true;
}

// ---- answering -------------------------------------------------------------------------------

static void set_checksum(uint8_t *data, size_t size)
{
	uint32_t sum = 0;

	data[2] = data[3] = 0;
	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	data[2] = (uint8_t)(~sum >> 8);
	data[3] = (uint8_t)~sum;
}

// An error message that quotes the request.
static size_t forge_error(const struct forger *f, const struct request *r, uint8_t *out)
{
	bool v4 = f->family == AF_INET;
	size_t header = v4 ? 20 : 40;
	uint8_t *ip = out + 8;

	memset(out, 0, 8 + header);
	out[0] = v4 ? ICMP_UNREACH : ICMP6_DST_UNREACH;
	out[1] = v4 ? ICMP_UNREACH_HOST : ICMP6_DST_UNREACH_ADDR;
	ip[0] = v4 ? 0x45 : 0x60;
	if (v4) {
		ip[3] = (uint8_t)(header + r->size);
		ip[8] = 64;
		ip[9] = IPPROTO_ICMP;
		memcpy(ip + 12, &r->from4.sin_addr, 4);
		memcpy(ip + 16, &r->to4, 4);
	} else {
		ip[5] = (uint8_t)r->size;
		ip[6] = IPPROTO_ICMPV6;
		ip[7] = 64;
		memcpy(ip + 8, &r->from6.sin6_addr, 16);
		memcpy(ip + 24, &r->to6, 16);
	}
	memcpy(ip + header, r->echo, r->size);
	if (f->lie == FORGER_ERROR_LIE)
		ip[header + NONCE_AT] ^= 1;
	return 8 + header + r->size;
}

static size_t forge_reply(const struct forger *f, const struct request *r, uint8_t *out)
{
	memcpy(out, r->echo, r->size);
	out[0] = f->family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
	out[1] = f->lie == FORGER_CODE;
	out[NONCE_AT + 7] ^= f->lie == FORGER_NONCE;
	out[5] ^= f->lie == FORGER_ID;
	out[7] ^= f->lie == FORGER_SEQUENCE;
	return f->lie == FORGER_SHORT ? NONCE_AT + 4 : r->size;
}

static int bound_socket(const struct forger *f, const struct request *r)
{
	bool v4 = f->family == AF_INET;
	int fd = socket(f->family, SOCK_RAW | SOCK_CLOEXEC, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	struct sockaddr_in from4 = {.sin_family = AF_INET, .sin_addr = r->to4};
	struct sockaddr_in6 from6 = {.sin6_family = AF_INET6, .sin6_addr = r->to6};

	if (f->lie == FORGER_SOURCE) { // an address of the internet's servers, which the test puts there
		inet_pton(AF_INET, "198.51.100.99", &from4.sin_addr);
		inet_pton(AF_INET6, "2001:db8:aaaa::99", &from6.sin6_addr);
	}
	if (v4 ? bind(fd, (struct sockaddr *)&from4, sizeof(from4))
	       : bind(fd, (struct sockaddr *)&from6, sizeof(from6)))
		lab_die("forger: can't speak from that address");
	return fd;
}

static void answer(struct forger *f, const struct request *r)
{
	uint8_t out[ECHO + 48];
	bool error = f->lie == FORGER_ERROR || f->lie == FORGER_ERROR_LIE;
	size_t size = error ? forge_error(f, r, out) : forge_reply(f, r, out);
	int fd = bound_socket(f, r);

	if (f->family == AF_INET)
		set_checksum(out, size);
	out[2] ^= f->lie == FORGER_CHECKSUM;
	if (f->family == AF_INET)
		f->answered +=
			sendto(fd, out, size, 0, (const struct sockaddr *)&r->from4, sizeof(r->from4)) > 0;
	else
		f->answered +=
			sendto(fd, out, size, 0, (const struct sockaddr *)&r->from6, sizeof(r->from6)) > 0;
	close(fd);
}

// ---- life ------------------------------------------------------------------------------------

static void *run(void *arg)
{
	struct forger *f = arg;
	struct pollfd readable = {.fd = f->fd, .events = POLLIN};

	lab_ns_enter(f->ns);
	while (!f->stop) {
		struct request r = {0};

		if (poll(&readable, 1, 20) <= 0)
			continue;
		if (f->family == AF_INET ? read4(f, &r) : read6(f, &r))
			answer(f, &r);
	}
	return NULL;
}

struct forger *forger_start(const struct lab_ns *ns, int family, enum forger_lie lie)
{
	struct forger *f = xcalloc(1, sizeof(*f));
	int before = lab_ns_enter(ns), one = 1;

	lab_ns_sysctl(ns, family == AF_INET ? "ipv4/icmp_echo_ignore_all" : "ipv6/icmp/echo_ignore_all", "1");
	f->ns = ns;
	f->family = family;
	f->lie = lie;
	f->fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (f->fd < 0)
		lab_die("forger: no raw socket");
	if (family == AF_INET6)
		setsockopt(f->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one));
	lab_ns_leave(before);
	pthread_create(&f->thread, NULL, run, f);
	return f;
}

size_t forger_stop(struct forger *f)
{
	size_t answered;

	f->stop = true;
	pthread_join(f->thread, NULL);
	close(f->fd);
	lab_ns_sysctl(f->ns, f->family == AF_INET ? "ipv4/icmp_echo_ignore_all" : "ipv6/icmp/echo_ignore_all",
		      "0");
	answered = f->answered;
	free(f);
	return answered;
}
