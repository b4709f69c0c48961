// SPDX-License-Identifier: GPL-2.0-or-later
// What a rule matches: state, interfaces, addresses, ports, and where main would route the packet.
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

#include "nft/anon.h"
#include "nft/expr.h"
#include "nft/ranges.h"
#include "nft/rule.h"

#define IFNAME_SIZE 16

static const char *const rule_side_name[] = {[RULE_SOURCE] = "saddr", [RULE_DESTINATION] = "daddr"};
static const char *const rule_port_name[] = {[RULE_SOURCE] = "sport", [RULE_DESTINATION] = "dport"};
static const char *const rule_if_name[] = {
	[RULE_IIFNAME] = "iifname", [RULE_OIFNAME] = "oifname", [RULE_IIF] = "iif", [RULE_OIF] = "oif"};
static const char *const rule_fam_name[FAM_COUNT] = {[FAM_4] = "ip", [FAM_6] = "ip6"};

// ---- the packet --------------------------------------------------------------------------------

void rule_ct_state(struct rule *rule, enum rule_state state)
{
	uint32_t bit = state; // a packet has one of them
	expr_ct(rule, NFT_CT_STATE, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_EQ, &bit, sizeof(bit));
	expr_text(rule, "ct state == %s",
		  state == RULE_STATE_NEW           ? "new"
		  : state == RULE_STATE_ESTABLISHED ? "established"
		  : state == RULE_STATE_UNTRACKED   ? "untracked"
						    : "invalid");
}

void rule_ct_original(struct rule *rule)
{
	uint8_t original = 0; // IP_CT_DIR_ORIGINAL
	expr_ct(rule, NFT_CT_DIRECTION, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_EQ, &original, sizeof(original));
	expr_text(rule, "ct direction original");
}

void rule_priority_is(struct rule *rule, uint32_t priority)
{
	expr_meta(rule, NFT_META_PRIORITY, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_EQ, &priority, sizeof(priority));
	expr_text(rule, "meta priority %x:%x", priority >> 16, priority & 0xffff);
}

void rule_not_to_us(struct rule *rule)
{
	uint8_t host = PACKET_HOST;
	expr_meta(rule, NFT_META_PKTTYPE, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_NEQ, &host, sizeof(host));
	expr_text(rule, "meta pkttype != host");
}

void rule_forwarded(struct rule *rule)
{
	uint32_t none = 0;
	expr_meta(rule, NFT_META_IIF, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_NEQ, &none, sizeof(none));
	expr_text(rule, "iif != 0");
}

void rule_fam(struct rule *rule, enum fam fam)
{
	expr_need_fam(rule, fam);
	if (rule->table == PLAN_INET)
		expr_text(rule, "meta nfproto %s", fam == FAM_4 ? "ipv4" : "ipv6");
	else
		expr_text(rule, "meta protocol %s", fam == FAM_4 ? "ip" : "ip6");
}

void rule_tcp_sport_below(struct rule *rule, uint16_t port)
{
	uint16_t limit = htons(port);
	expr_need_tcp(rule);
	expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 0, sizeof(limit), NFT_REG_1);
	expr_cmp(rule, NFT_CMP_LT, &limit, sizeof(limit));
	expr_text(rule, "tcp sport < %u", port);
}

static void rule_tcp_opens(struct rule *rule, enum rule_op op)
{
	const uint8_t mask = 0x17 /* fin, syn, rst, ack */, none = 0, syn = 0x02;
	expr_need_tcp(rule);
	expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, NFT_REG_1);
	expr_bitwise(rule, &mask, &none, sizeof(mask));
	expr_cmp(rule, op == RULE_IS ? NFT_CMP_EQ : NFT_CMP_NEQ, &syn, sizeof(syn));
	expr_text(rule, "tcp flags and (fin | syn | rst | ack) %s syn", op == RULE_IS ? "==" : "!=");
}

void rule_tcp_syn(struct rule *rule)
{
	rule_tcp_opens(rule, RULE_IS);
}

void rule_tcp_not_syn(struct rule *rule)
{
	rule_tcp_opens(rule, RULE_IS_NOT);
}

// ---- interfaces ----------------------------------------------------------------------------------

static void rule_if_load(struct rule *rule, enum rule_if which)
{
	static const uint32_t key[] = {
		[RULE_IIFNAME] = NFT_META_IIFNAME,
		[RULE_OIFNAME] = NFT_META_OIFNAME,
		[RULE_IIF] = NFT_META_IIF,
		[RULE_OIF] = NFT_META_OIF,
	};
	expr_meta(rule, key[which], NFT_REG_1);
}

static void rule_ifname(char out[IFNAME_SIZE], const char *name)
{
	memset(out, 0, IFNAME_SIZE);
	memcpy(out, name, strnlen(name, IFNAME_SIZE - 1));
}

// The value in the register is one of these names; text: "NAME" or { "NAME", … }
static void rule_names(struct rule *rule, enum anon_type type, const char *const *names, size_t n)
{
	char(*padded)[IFNAME_SIZE] = xcalloc(n, IFNAME_SIZE);
	for (size_t i = 0; i < n; i++)
		rule_ifname(padded[i], names[i]);
	if (n == 1)
		expr_cmp(rule, NFT_CMP_EQ, padded[0], IFNAME_SIZE);
	else
		expr_lookup_anonymous(rule, anon_values(rule, type, padded, IFNAME_SIZE, n));
	free(padded);
	buf_puts(&rule->text, n == 1 ? "" : " {");
	for (size_t i = 0; i < n; i++)
		buf_printf(&rule->text, "%s \"%s\"", i ? "," : "", names[i]);
	buf_puts(&rule->text, n == 1 ? "" : " }");
}

void rule_if_is(struct rule *rule, enum rule_if which, const char *name)
{
	rule_if_in(rule, which, &name, 1);
}

void rule_if_in(struct rule *rule, enum rule_if which, const char *const *names, size_t n)
{
	rule_if_load(rule, which);
	expr_text(rule, "%s", rule_if_name[which]);
	rule_names(rule, ANON_IFNAME, names, n);
}

void rule_if_in_set(struct rule *rule, enum rule_if which, const char *set)
{
	rule_if_load(rule, which);
	expr_lookup(rule, set, false);
	expr_text(rule, "%s @%s", rule_if_name[which], set);
}

void rule_if_vmap(struct rule *rule, enum rule_if which, const char *map)
{
	rule_if_load(rule, which);
	expr_vmap(rule, map);
	expr_text(rule, "%s vmap @%s", rule_if_name[which], map);
}

void rule_sender_vmap(struct rule *rule, const char *map)
{
	uint16_t ether = ARPHRD_ETHER;
	expr_meta(rule, NFT_META_IIFTYPE, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_EQ, &ether, sizeof(ether));
	rule_if_load(rule, RULE_IIFNAME);
	expr_payload(rule, NFT_PAYLOAD_LL_HEADER, 6, 6, NFT_REG_2);
	expr_vmap(rule, map);
	expr_text(rule, "iifname . ether saddr vmap @%s", map);
}

// ---- addresses -------------------------------------------------------------------------------------

void rule_addr_in_set(struct rule *rule, enum fam fam, enum rule_side side, enum rule_op op, const char *set)
{
	expr_need_fam(rule, fam);
	expr_addr(rule, fam, side, NFT_REG_1);
	expr_lookup(rule, set, op == RULE_IS_NOT);
	expr_text(rule, "%s %s%s @%s", rule_fam_name[fam], rule_side_name[side],
		  op == RULE_IS ? "" : " !=", set);
}

void rule_near4(struct rule *rule, const char *set)
{
	expr_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, 16, 1, NFT_REG_1);
	expr_lookup(rule, set, false);
	expr_text(rule, "@nh,128,8 @%s", set);
}

void rule_addr_vmap(struct rule *rule, enum fam fam, enum rule_side side, const char *map)
{
	expr_need_fam(rule, fam);
	expr_addr(rule, fam, side, NFT_REG_1);
	expr_vmap(rule, map);
	expr_text(rule, "%s %s vmap @%s", rule_fam_name[fam], rule_side_name[side], map);
}

void rule_dport_vmap(struct rule *rule, const char *map)
{
	expr_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG_1);
	expr_vmap(rule, map);
	expr_text(rule, "th dport vmap @%s", map);
}

// A field of the packet, where its ranges are to be matched.
struct rule_field {
	uint32_t base, offset;
	unsigned size;
	enum anon_type type;
};

static void rule_between(struct rule *rule, const struct rule_field *field, const struct range *range)
{
	expr_payload(rule, field->base, field->offset, field->size, NFT_REG_1);
	expr_cmp(rule, NFT_CMP_GTE, range->first, field->size);
	expr_cmp(rule, NFT_CMP_LTE, range->last, field->size);
}

// A prefix of whole bytes is compared without a mask, on those bytes alone, as nft does.
static void rule_prefix(struct rule *rule, const struct rule_field *field, const struct range *range,
			unsigned len)
{
	static const uint8_t none[16];
	uint8_t mask[16];
	unsigned bytes = len % 8 ? field->size : len / 8;
	expr_payload(rule, field->base, field->offset, bytes, NFT_REG_1);
	if (len % 8) {
		addr_netmask(field->size == 4 ? FAM_4 : FAM_6, len, mask);
		expr_bitwise(rule, mask, none, field->size);
	}
	expr_cmp(rule, NFT_CMP_EQ, range->first, bytes);
}

static void rule_ranges_text(struct rule *rule, const struct ranges *ranges)
{
	bool list = ranges->v.n != 1;
	buf_puts(&rule->text, list ? " {" : "");
	for (size_t i = 0; i < ranges->v.n; i++) {
		buf_puts(&rule->text, i ? ", " : " ");
		range_text(&ranges->v.v[i], ranges->size, &rule->text);
	}
	buf_puts(&rule->text, list ? " }" : "");
}

static void rule_ranges(struct rule *rule, const struct rule_field *field, const struct ranges *ranges)
{
	const struct range *only = &ranges->v.v[0];
	bool single = !memcmp(only->first, only->last, field->size);
	int len = field->size == 2 ? -1 : range_prefix_len(only, field->size);
	if (ranges->v.n != 1) {
		expr_payload(rule, field->base, field->offset, field->size, NFT_REG_1);
		expr_lookup_anonymous(rule, anon_ranges(rule, field->type, ranges));
	} else if (single || len > 0) {
		rule_prefix(rule, field, only, single ? field->size * 8 : (unsigned)len);
	} else {
		rule_between(rule, field, only);
	}
	rule_ranges_text(rule, ranges);
}

void rule_addr_ranges(struct rule *rule, enum fam fam, enum rule_side side, const struct ranges *ranges)
{
	static const uint32_t offset[FAM_COUNT][2] = {[FAM_4] = {12, 16}, [FAM_6] = {8, 24}};
	struct rule_field field = {.base = NFT_PAYLOAD_NETWORK_HEADER,
				   .offset = offset[fam][side],
				   .size = ranges->size,
				   .type = fam == FAM_4 ? ANON_IPV4 : ANON_IPV6};
	expr_need_fam(rule, fam);
	expr_text(rule, "%s %s", rule_fam_name[fam], rule_side_name[side]);
	rule_ranges(rule, &field, ranges);
}

void rule_ports(struct rule *rule, enum rule_side side, const struct ranges *ranges)
{
	struct rule_field field = {.base = NFT_PAYLOAD_TRANSPORT_HEADER,
				   .offset = side == RULE_SOURCE ? 0 : 2,
				   .size = 2,
				   .type = ANON_PORT};
	expr_text(rule, "th %s", rule_port_name[side]);
	rule_ranges(rule, &field, ranges);
}

// ---- single bytes ------------------------------------------------------------------------------------

static void rule_list_text(struct rule *rule, const uint8_t *values, size_t n, const char *(*name)(uint8_t))
{
	buf_puts(&rule->text, n == 1 ? "" : " {");
	for (size_t i = 0; i < n; i++) {
		buf_puts(&rule->text, i ? ", " : " ");
		if (name && name(values[i]))
			buf_puts(&rule->text, name(values[i]));
		else
			buf_printf(&rule->text, "%u", values[i]);
	}
	buf_puts(&rule->text, n == 1 ? "" : " }");
}

static const char *rule_protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_GRE:
		return "gre";
	case IPPROTO_ESP:
		return "esp";
	case IPPROTO_ICMPV6:
		return "ipv6-icmp";
	case IPPROTO_SCTP:
		return "sctp";
	}
	return NULL; // its number will do
}

void rule_protocols(struct rule *rule, const uint8_t *protocols, size_t n)
{
	expr_meta(rule, NFT_META_L4PROTO, NFT_REG_1);
	if (n == 1)
		expr_cmp(rule, NFT_CMP_EQ, protocols, 1);
	else
		expr_lookup_anonymous(rule, anon_values(rule, ANON_PROTO, protocols, 1, n));
	rule->has_l4proto = true;
	expr_text(rule, "meta l4proto");
	rule_list_text(rule, protocols, n, rule_protocol_name);
}

// The six bits are the upper ones of the second byte in IPv4, and lie across the first two in IPv6.
void rule_dscp(struct rule *rule, enum fam fam, const uint8_t *dscp, size_t n)
{
	const uint8_t mask4[1] = {0xfc}, mask6[2] = {0x0f, 0xc0}, none[2] = {0};
	unsigned size = fam == FAM_4 ? 1 : 2;
	uint8_t *values = xcalloc(n, size);
	for (size_t i = 0; i < n; i++) {
		values[i * size] = (uint8_t)(fam == FAM_4 ? dscp[i] << 2 : dscp[i] >> 2);
		if (fam == FAM_6)
			values[i * size + 1] = (uint8_t)(dscp[i] << 6);
	}
	expr_need_fam(rule, fam);
	expr_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, fam == FAM_4 ? 1 : 0, size, NFT_REG_1);
	expr_bitwise(rule, fam == FAM_4 ? mask4 : mask6, none, size);
	if (n == 1)
		expr_cmp(rule, NFT_CMP_EQ, values, size);
	else
		expr_lookup_anonymous(rule, anon_values(rule, ANON_DSCP, values, size, n));
	free(values);
	expr_text(rule, "%s dscp", rule_fam_name[fam]);
	rule_list_text(rule, dscp, n, NULL);
}

// ---- routing -------------------------------------------------------------------------------------------

void rule_route_by(struct rule *rule, const char *const *names, size_t n)
{
	expr_fib(rule, NFTA_FIB_F_DADDR | NFTA_FIB_F_MARK, NFT_FIB_RESULT_OIFNAME);
	expr_text(rule, "fib daddr . mark oifname");
	rule_names(rule, ANON_STRING, names, n);
}

void rule_route_known(struct rule *rule)
{
	uint32_t none = 0;
	expr_fib(rule, NFTA_FIB_F_DADDR | NFTA_FIB_F_MARK, NFT_FIB_RESULT_OIF);
	expr_cmp(rule, NFT_CMP_NEQ, &none, sizeof(none));
	expr_text(rule, "fib daddr . mark oif != 0");
}

void rule_from_us(struct rule *rule)
{
	const uint32_t local = RTN_LOCAL;
	expr_fib(rule, NFTA_FIB_F_SADDR, NFT_FIB_RESULT_ADDRTYPE);
	expr_cmp(rule, NFT_CMP_EQ, &local, sizeof(local));
	expr_text(rule, "fib saddr type local");
}

void rule_route_special(struct rule *rule)
{
	const uint32_t types[] = {RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST, RTN_MULTICAST};
	expr_fib(rule, NFTA_FIB_F_DADDR, NFT_FIB_RESULT_ADDRTYPE);
	expr_lookup_anonymous(rule, anon_values(rule, ANON_FIB_TYPE, types, sizeof(types[0]), 4));
	expr_text(rule, "fib daddr type { local, broadcast, anycast, multicast }");
}
