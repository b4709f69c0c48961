// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/arp_packet.h"

#include <string.h>
#include <sys/socket.h>

enum {
	ARP_SIZE = 28,
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
	ND_SOLICIT = 135,
	ND_ADVERT = 136,
	ND_SIZE = 24, // without options
	ND_SOLICITED = 0x40,
};

static const uint8_t ethernet_ipv4[] = {0, 1, 8, 0, ARP_MAC, 4}; // how every such message begins

static size_t build4(const struct addr *target, const struct addr *source, const uint8_t mac[ARP_MAC],
		     uint8_t *out)
{
	memcpy(out, ethernet_ipv4, sizeof(ethernet_ipv4));
	out[7] = ARP_REQUEST;
	memcpy(out + 8, mac, ARP_MAC);
	memcpy(out + 14, source->b, 4); // none: zeroes, a probe as in RFC 5227
	memcpy(out + 24, target->b, 4);
	return ARP_SIZE;
}

static size_t build6(const struct addr *target, const uint8_t mac[ARP_MAC], uint8_t *out)
{
	out[0] = ND_SOLICIT;
	memcpy(out + 8, target->b, 16);
	out[ND_SIZE] = 1; // option: source link-layer address
	out[ND_SIZE + 1] = 1;
	memcpy(out + ND_SIZE + 2, mac, ARP_MAC);
	return ND_SIZE + 8;
}

size_t arp_build(const struct addr *target, const struct addr *source, const uint8_t mac[ARP_MAC],
		 uint8_t out[ARP_PACKET_MAX])
{
	memset(out, 0, ARP_PACKET_MAX);
	return target->family == AF_INET ? build4(target, source, mac, out) : build6(target, mac, out);
}

struct addr arp_solicited_node(const struct addr *target)
{
	static const uint8_t prefix[13] = {0xff, 2, [11] = 1, [12] = 0xff};
	struct addr node = *target;

	memcpy(node.b, prefix, sizeof(prefix));
	return node;
}

bool arp_parse(enum fam fam, const uint8_t *data, size_t size, const uint8_t mac[ARP_MAC], struct addr *owner)
{
	if (fam == FAM_4) {
		if (size < ARP_SIZE || memcmp(data, ethernet_ipv4, sizeof(ethernet_ipv4)) || data[6] != 0 ||
		    data[7] != ARP_REPLY || memcmp(data + 18, mac, ARP_MAC))
			return false;
		*owner = addr_from(AF_INET, data + 14);
		return true;
	}
	if (size < ND_SIZE || data[0] != ND_ADVERT || data[1] != 0 || !(data[4] & ND_SOLICITED))
		return false;
	*owner = addr_from(AF_INET6, data + 8);
	return true;
}
