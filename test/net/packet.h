// SPDX-License-Identifier: GPL-2.0-or-later
// packet: one packet of a test's own making, sent from a place of the lab: any source address, any protocol.
#ifndef GWD_TEST_NET_PACKET_H
#define GWD_TEST_NET_PACKET_H

#include <stdint.h>

#include "gwd/base/addr.h"

struct lab_ns;

struct packet {
	struct addr from, to;
	uint8_t protocol; // tcp, udp: with a right header; others: an echo request, or 8 bytes of nothing
	uint16_t sport, dport;
	uint8_t dscp;
	bool middle; // TCP: an ACK instead of a SYN
};

void packet_send(const struct lab_ns *ns, const struct packet *packet);

#endif
