// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/net/packet.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/lab/lab.h"

#define TCP_SIZE 20
#define UDP_SIZE 8
#define OTHER_SIZE 8

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t sum16(uint32_t sum, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
	return sum;
}

static unsigned fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static unsigned checksum(const struct packet *p, const uint8_t *body, size_t size, bool pseudo)
{
	uint32_t sum = 0;
	if (pseudo) {
		sum = sum16(sum, p->from.b, addr_size(&p->from));
		sum = sum16(sum, p->to.b, addr_size(&p->to));
		sum += (uint32_t)size + p->protocol;
	}
	return fold(sum16(sum, body, size));
}

// The part behind the IP header; returns its size.
static size_t put_body(const struct packet *p, uint8_t *body)
{
	size_t size = p->protocol == IPPROTO_TCP   ? TCP_SIZE
		      : p->protocol == IPPROTO_UDP ? UDP_SIZE
						   : OTHER_SIZE;
	memset(body, 0, size);
	if (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP) {
		put16(body, p->sport);
		put16(body + 2, p->dport);
	}
	switch (p->protocol) {
	case IPPROTO_TCP:
		body[7] = body[11] = 1; // sequence and acknowledgement
		body[12] = TCP_SIZE / 4 << 4;
		body[13] = p->middle ? 0x10 : 0x02;
		put16(body + 14, 1024);
		put16(body + 16, checksum(p, body, size, true));
		break;
	case IPPROTO_UDP:
		put16(body + 4, UDP_SIZE);
		put16(body + 6, checksum(p, body, size, true));
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		body[0] = p->protocol == IPPROTO_ICMP ? 8 : 128;
		put16(body + 4, p->sport);
		put16(body + 2, checksum(p, body, size, p->protocol == IPPROTO_ICMPV6));
		break;
	}
	return size;
}

static size_t put_header(const struct packet *p, uint8_t *out, size_t size)
{
	bool v4 = p->from.family == AF_INET;
	memset(out, 0, 40);
	if (v4) {
		out[0] = 0x45;
		out[1] = (uint8_t)(p->dscp << 2);
		put16(out + 2, (unsigned)(20 + size));
		out[8] = 64;
		out[9] = p->protocol;
		memcpy(out + 12, p->from.b, 4);
		memcpy(out + 16, p->to.b, 4);
		put16(out + 10, fold(sum16(0, out, 20)));
		return 20;
	}
	put16(out, 0x6000u | (unsigned)p->dscp << 6);
	put16(out + 4, (unsigned)size);
	out[6] = p->protocol;
	out[7] = 64;
	memcpy(out + 8, p->from.b, 16);
	memcpy(out + 24, p->to.b, 16);
	return 40;
}

void packet_send(const struct lab_ns *ns, const struct packet *p)
{
	uint8_t body[64], data[128];
	bool v4 = p->from.family == AF_INET;
	struct sockaddr_in to4 = {.sin_family = AF_INET};
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6};
	size_t size = put_body(p, body), header = put_header(p, data, size);
	memcpy(data + header, body, size);
	memcpy(&to4.sin_addr, p->to.b, 4);
	memcpy(&to6.sin6_addr, p->to.b, 16);
	int before = lab_ns_enter(ns);
	int fd = socket(p->from.family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	cr_assert_geq(fd, 0);
	ssize_t n = sendto(fd, data, header + size, 0, v4 ? (void *)&to4 : (void *)&to6,
			   v4 ? sizeof(to4) : sizeof(to6));
	// what the router's own chains refuse is an error here
	// EINVAL is what a blackhole says
	cr_assert(n >= 0 || errno == EPERM || errno == EINVAL || errno == ENETUNREACH ||
			  errno == EHOSTUNREACH || errno == EACCES || errno == ECONNREFUSED,
		  "%s", strerror(errno));
	close(fd);
	lab_ns_leave(before);
}
