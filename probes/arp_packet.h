// SPDX-License-Identifier: GPL-2.0-or-later
// arp_packet: ARP and neighbour discovery as bytes: "who has this address?", and whether a received
// message answers it.
//
// Pure. arp_parse() takes whatever the link delivers and reads inside the given bytes only.
#ifndef GWD_PROBES_ARP_PACKET_H
#define GWD_PROBES_ARP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"

#define ARP_PACKET_MAX 32
#define ARP_MAC 6

// A request for `target`; `source` may be none. Returns its size: ARP for IPv4, a neighbour
// solicitation without checksum (the kernel's business) for IPv6.
size_t arp_build(const struct addr *target, const struct addr *source, const uint8_t mac[ARP_MAC],
		 uint8_t out[ARP_PACKET_MAX]);

// Where a solicitation for this IPv6 address goes: ff02::1:ffXX:XXXX.
struct addr arp_solicited_node(const struct addr *target);

// Is it an answer to us (`mac`)? Then `owner` is the address that it speaks for. For IPv6 the caller
// has seen to it that the hop limit was 255, so it comes from the link itself.
bool arp_parse(enum fam fam, const uint8_t *data, size_t size, const uint8_t mac[ARP_MAC],
	       struct addr *owner);

#endif
