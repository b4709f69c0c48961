// SPDX-License-Identifier: GPL-2.0-or-later
// icmp_packet: echo requests as bytes, and what a received ICMP packet means to us.
//
// Pure. icmp_parse() takes whatever a raw socket delivers, from anybody on the net: it reads inside
// the given bytes only and says "other" to all that is not an echo reply, or an error that quotes an
// echo request down to our nonce. Whether id, sequence, nonce and address are those of a question
// that is open, icmp.c decides.
#ifndef GWD_PROBES_ICMP_PACKET_H
#define GWD_PROBES_ICMP_PACKET_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"

#define ICMP_PACKET_SIZE 32
#define ICMP_PACKET_FILTER 16 // room for the socket filter

struct icmp_echo {
	uint16_t id, seq;
	uint64_t nonce;
};

enum icmp_kind {
	ICMP_KIND_OTHER,
	ICMP_KIND_REPLY,
	ICMP_KIND_ERROR, // the request that it quotes did not arrive
};

struct icmp_packet {
	enum icmp_kind kind;
	struct addr from;   // who sent it; IPv4 only: a raw IPv6 socket tells it beside the packet
	struct addr target; // ERROR: where the quoted request was going
	struct icmp_echo echo;
	uint8_t type, code;
};

// An echo request without an IP header; the kernel fills in the checksum for IPv6.
void icmp_build(enum fam fam, const struct icmp_echo *echo, uint8_t out[ICMP_PACKET_SIZE]);

// `data` is what a raw socket reads: with the IP header for IPv4, without for IPv6.
enum icmp_kind icmp_parse(enum fam fam, const uint8_t *data, size_t size, struct icmp_packet *out);

// "host unreachable", "time exceeded", …
const char *icmp_error_text(enum fam fam, uint8_t type, uint8_t code);

// A socket filter that lets replies and errors for requests of this id pass, so that nobody else's
// ICMP wakes us. Returns the number of instructions.
unsigned short icmp_filter(enum fam fam, uint16_t id, struct sock_filter out[ICMP_PACKET_FILTER]);

#endif
