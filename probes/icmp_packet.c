// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/icmp_packet.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "gwd/base/vec.h"

enum {
	V4_REPLY = 0,
	V4_UNREACHABLE = 3,
	V4_REQUEST = 8,
	V4_EXCEEDED = 11,
	V4_FRAG_NEEDED = 4, // a code of UNREACHABLE
	V6_UNREACHABLE = 1,
	V6_EXCEEDED = 3,
	V6_REQUEST = 128,
	V6_REPLY = 129,
};

#define HEADER 8     // of ICMP
#define V6_HEADER 40 // of IPv6
#define WANTED (HEADER + 8)

// ---- bytes -----------------------------------------------------------------------------------

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint16_t checksum(const uint8_t *data, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += get16(data + i);
	if (size % 2)
		sum += (uint32_t)data[size - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void icmp_build(enum fam fam, const struct icmp_echo *echo, uint8_t out[ICMP_PACKET_SIZE])
{
	memset(out, 0, ICMP_PACKET_SIZE);
	out[0] = fam == FAM_4 ? V4_REQUEST : V6_REQUEST;
	put16(out + 4, echo->id);
	put16(out + 6, echo->seq);
	memcpy(out + HEADER, &echo->nonce, sizeof(echo->nonce));
	memcpy(out + WANTED, "gwd health probe", 16);
	if (fam == FAM_4)
		put16(out + 2, checksum(out, ICMP_PACKET_SIZE));
}

// ---- parsing ---------------------------------------------------------------------------------

// The echo message at `data`, if it is one of this type and long enough.
static bool read_echo(const uint8_t *data, size_t size, uint8_t type, struct icmp_echo *out)
{
	if (size < WANTED || data[0] != type || data[1] != 0)
		return false;
	out->id = get16(data + 4);
	out->seq = get16(data + 6);
	memcpy(&out->nonce, data + HEADER, sizeof(out->nonce));
	return true;
}

// Length of an IPv4 header that carries ICMP and no later fragment; 0 if it isn't one.
static size_t v4_header(const uint8_t *data, size_t size)
{
	size_t header;

	if (size < 20 || data[0] >> 4 != 4 || data[9] != IPPROTO_ICMP || (get16(data + 6) & 0x1fff))
		return 0;
	header = (size_t)(data[0] & 15) * 4;
	return header >= 20 && header <= size ? header : 0;
}

static enum icmp_kind parse4(const uint8_t *data, size_t size, struct icmp_packet *out)
{
	size_t header = v4_header(data, size), inner;

	if (!header || get16(data + 2) < header || get16(data + 2) > size)
		return ICMP_KIND_OTHER;
	out->from = addr_from(AF_INET, data + 12);
	size = get16(data + 2) - header;
	data += header;
	if (size < HEADER || checksum(data, size) != 0)
		return ICMP_KIND_OTHER;
	out->type = data[0];
	out->code = data[1];
	if (read_echo(data, size, V4_REPLY, &out->echo))
		return ICMP_KIND_REPLY;
	if (out->type != V4_EXCEEDED && (out->type != V4_UNREACHABLE || out->code == V4_FRAG_NEEDED))
		return ICMP_KIND_OTHER;
	data += HEADER;
	size -= HEADER;
	inner = v4_header(data, size);
	if (!inner || !read_echo(data + inner, size - inner, V4_REQUEST, &out->echo))
		return ICMP_KIND_OTHER;
	out->target = addr_from(AF_INET, data + 16);
	return ICMP_KIND_ERROR;
}

static enum icmp_kind parse6(const uint8_t *data, size_t size, struct icmp_packet *out)
{
	if (size < HEADER)
		return ICMP_KIND_OTHER;
	out->type = data[0];
	out->code = data[1];
	if (read_echo(data, size, V6_REPLY, &out->echo))
		return ICMP_KIND_REPLY;
	if (out->type != V6_UNREACHABLE && out->type != V6_EXCEEDED)
		return ICMP_KIND_OTHER;
	data += HEADER;
	size -= HEADER;
	if (size < V6_HEADER || data[0] >> 4 != 6 || data[6] != IPPROTO_ICMPV6)
		return ICMP_KIND_OTHER;
	if (!read_echo(data + V6_HEADER, size - V6_HEADER, V6_REQUEST, &out->echo))
		return ICMP_KIND_OTHER;
	out->target = addr_from(AF_INET6, data + 24);
	return ICMP_KIND_ERROR;
}

enum icmp_kind icmp_parse(enum fam fam, const uint8_t *data, size_t size, struct icmp_packet *out)
{
	memset(out, 0, sizeof(*out));
	out->kind = fam == FAM_4 ? parse4(data, size, out) : parse6(data, size, out);
	return out->kind;
}

// ---- words -----------------------------------------------------------------------------------

static const char *unreachable4(uint8_t code)
{
	static const char *const text[] = {
		"network unreachable",
		"host unreachable",
		"protocol unreachable",
		"port unreachable",
		[5] = "source route failed",
		"network unknown",
		"host unknown",
		"source isolated",
		"network prohibited",
		"host prohibited",
		"network unreachable for this service",
		"host unreachable for this service",
		"administratively prohibited",
	};

	return code < ARRAY_SIZE(text) && text[code] ? text[code] : "unreachable";
}

static const char *unreachable6(uint8_t code)
{
	static const char *const text[] = {
		"no route",
		"administratively prohibited",
		"beyond scope of source",
		"address unreachable",
		"port unreachable",
		"source address refused by policy",
		"route rejected",
	};

	return code < ARRAY_SIZE(text) ? text[code] : "unreachable";
}

const char *icmp_error_text(enum fam fam, uint8_t type, uint8_t code)
{
	if (type == (fam == FAM_4 ? V4_EXCEEDED : V6_EXCEEDED))
		return "time exceeded (a routing loop?)";
	return fam == FAM_4 ? unreachable4(code) : unreachable6(code);
}

// ---- the socket filter -----------------------------------------------------------------------

// Jump offsets count from the instruction behind the jump.
unsigned short icmp_filter(enum fam fam, uint16_t id, struct sock_filter out[ICMP_PACKET_FILTER])
{
	const struct sock_filter filter4[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), // X: behind the IP header
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, V4_REPLY, 8, 0), // to the id
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, V4_UNREACHABLE, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, V4_EXCEEDED, 0, 9), // else drop
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, HEADER),             // the quoted IP header
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 15),
		BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 2),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, HEADER),
		BPF_STMT(BPF_MISC | BPF_TAX, 0), // X: the quoted ICMP message
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, id, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT16_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_filter filter6[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, V6_REPLY, 4, 0), // to the id
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, V6_UNREACHABLE, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, V6_EXCEEDED, 0, 5), // else drop
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, HEADER + V6_HEADER + 4),
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, id, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT16_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	if (fam == FAM_4) {
		memcpy(out, filter4, sizeof(filter4));
		return ARRAY_SIZE(filter4);
	}
	memcpy(out, filter6, sizeof(filter6));
	return ARRAY_SIZE(filter6);
}
