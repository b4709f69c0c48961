// SPDX-License-Identifier: GPL-2.0-or-later
// Anything that a link may deliver as ARP or neighbour discovery. The first byte picks the family.
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probes/arp_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t mac[ARP_MAC] = {0};
	struct addr owner;

	if (size < 1)
		return 0;
	enum fam fam = data[0] % 2 ? FAM_4 : FAM_6;
	uint8_t *copy = malloc(size);
	memcpy(copy, data, size);
	if (arp_parse(fam, copy + 1, size - 1, mac, &owner))
		assert(addr_fam(&owner) == fam);
	free(copy);
	return 0;
}
