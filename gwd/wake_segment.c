// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/wake_segment.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#define SEGMENT_TTL 64
#define SEGMENT_TCP 20    // bytes of the TCP header, which is all there is
#define SEGMENT_ACK 0x10  // its flags
#define SEGMENT_WINDOW 64 // any: nobody will send by it

static void segment_put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void segment_put32(uint8_t *at, uint32_t value)
{
	segment_put16(at, value >> 16);
	segment_put16(at + 2, value & 0xffff);
}

static uint32_t segment_sum(uint32_t sum, const uint8_t *data, size_t size)
{
	assert(size % 2 == 0);
	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	return sum;
}

static unsigned segment_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static void segment_put_tcp(uint8_t *tcp, const struct wake_flow *flow, uint32_t seq, uint32_t ack)
{
	unsigned size = addr_size(&flow->lan);
	memset(tcp, 0, SEGMENT_TCP);
	segment_put16(tcp, flow->far_port);
	segment_put16(tcp + 2, flow->lan_port);
	segment_put32(tcp + 4, seq);
	segment_put32(tcp + 8, ack);
	tcp[12] = SEGMENT_TCP / 4 << 4;
	tcp[13] = SEGMENT_ACK;
	segment_put16(tcp + 14, SEGMENT_WINDOW);
	uint32_t sum = segment_sum(IPPROTO_TCP + SEGMENT_TCP, flow->far.b, size); // the pseudo header
	sum = segment_sum(sum, flow->lan.b, size);
	segment_put16(tcp + 16, segment_fold(segment_sum(sum, tcp, SEGMENT_TCP)));
}

static void segment_put_ipv4(uint8_t *ip, const struct wake_flow *flow)
{
	memset(ip, 0, 20);
	ip[0] = 0x45;
	segment_put16(ip + 2, 20 + SEGMENT_TCP);
	ip[6] = 0x40; // don't fragment: and the kernel gives it no identification
	ip[8] = SEGMENT_TTL;
	ip[9] = IPPROTO_TCP;
	memcpy(ip + 12, flow->far.b, 4);
	memcpy(ip + 16, flow->lan.b, 4);
	segment_put16(ip + 10, segment_fold(segment_sum(0, ip, 20)));
}

static void segment_put_ipv6(uint8_t *ip, const struct wake_flow *flow)
{
	memset(ip, 0, 8);
	ip[0] = 0x60;
	segment_put16(ip + 4, SEGMENT_TCP);
	ip[6] = IPPROTO_TCP;
	ip[7] = SEGMENT_TTL;
	memcpy(ip + 8, flow->far.b, 16);
	memcpy(ip + 24, flow->lan.b, 16);
}

size_t wake_segment(const struct wake_flow *flow, uint32_t seq, uint32_t ack, uint8_t out[WAKE_SEGMENT_MAX])
{
	assert(flow->lan.family == flow->far.family && !addr_is_none(&flow->lan));
	size_t header = flow->lan.family == AF_INET ? 20 : 40;
	if (flow->lan.family == AF_INET)
		segment_put_ipv4(out, flow);
	else
		segment_put_ipv6(out, flow);
	segment_put_tcp(out + header, flow, seq, ack);
	return header + SEGMENT_TCP;
}
