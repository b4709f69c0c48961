// SPDX-License-Identifier: GPL-2.0-or-later
// Anything that a raw ICMP socket may deliver. The first byte picks the family, and whether the checksum is made true.
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probes/icmp_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Makes length and checksum of an IPv4 packet true: chance alone hardly gets past them.
static void repair(uint8_t *packet, size_t size)
{
	size_t header = size ? (packet[0] & 15u) * 4u : 0;
	uint32_t sum = 0;

	if (header < 20 || size < header + 8 || size > UINT16_MAX)
		return;
	packet[2] = (uint8_t)(size >> 8);
	packet[3] = (uint8_t)size;
	packet[header + 2] = packet[header + 3] = 0;
	for (size_t i = 0; i < size - header; i++)
		sum += i % 2 ? packet[header + i] : (uint32_t)packet[header + i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	packet[header + 2] = (uint8_t)(~sum >> 8);
	packet[header + 3] = (uint8_t)~sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct icmp_packet packet;

	if (size < 1)
		return 0;
	// A copy of the exact size, so that a read behind the end is seen.
	uint8_t *copy = malloc(size);
	memcpy(copy, data, size);
	if (data[0] & 2)
		repair(copy + 1, size - 1);
	enum icmp_kind kind = icmp_parse(data[0] % 2 ? FAM_4 : FAM_6, copy + 1, size - 1, &packet);
	assert(kind == packet.kind);
	assert(kind != ICMP_KIND_ERROR || packet.target.family);
	if (kind == ICMP_KIND_ERROR)
		assert(*icmp_error_text(data[0] % 2 ? FAM_4 : FAM_6, packet.type, packet.code));
	free(copy);
	return 0;
}
