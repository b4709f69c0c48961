// SPDX-License-Identifier: GPL-2.0-or-later
// The values of values.h that come from protocols: addresses, ports, marks.
#include "conf/values.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/err.h"
#include "gwd/base/vec.h"
#include "gwd/core/delegated.h"

// ---- addresses -------------------------------------------------------------------------------

int value_address(const char *text, struct addr *out, struct err *err)
{
	if (!addr_parse(text, out))
		return err_set(err, EINVAL, "neither an IPv4 nor an IPv6 address");
	return 0;
}

// Addresses that no single machine on a network has.
static bool is_special(const struct addr *a)
{
	static const uint8_t loopback6[16] = {[15] = 1}, none[16];
	if (a->family == AF_INET)
		return a->b[0] == 0 || a->b[0] == 127 || a->b[0] >= 224;
	return a->b[0] == 0xff || memcmp(a->b, loopback6, 16) == 0 || memcmp(a->b, none, 16) == 0;
}

int value_host(const char *text, struct addr *out, struct err *err)
{
	struct addr a;
	int rc = value_address(text, &a, err);
	if (rc)
		return rc;
	if (is_special(&a))
		return err_set(err, EINVAL, "not the address of one machine on a network");
	*out = a;
	return 0;
}

// 10.0.0.1/8 -> 10.0.0.0/8
static bool strip_host_bits(const char *text, char fixed[PREFIX_TEXT])
{
	char host[ADDR_TEXT];
	const char *slash = strchr(text, '/');
	unsigned len;
	int used = 0;
	struct prefix p;
	if (!slash || (size_t)(slash - text) >= sizeof(host) || sscanf(slash, "/%3u%n", &len, &used) != 1 ||
	    slash[used])
		return false;
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = 0;
	if (!addr_parse(host, &p.addr) || len > addr_size(&p.addr) * 8)
		return false;
	p.len = (uint8_t)len;
	addr_mask(&p.addr, len);
	prefix_text(&p, fixed);
	return true;
}

int value_prefix(const char *text, struct prefix *out, struct err *err)
{
	char fixed[PREFIX_TEXT];
	if (prefix_parse(text, out))
		return 0;
	if (strip_host_bits(text, fixed))
		return err_set(err, EINVAL, "has bits behind the prefix: write %s", fixed);
	return err_set(err, EINVAL, "neither an address nor a prefix such as 10.0.0.0/8 or 2001:db8::/32");
}

static const char *fam_text(enum fam fam)
{
	return fam == FAM_4 ? "IPv4" : "IPv6";
}

// "FIRST-LAST" or one address.
static int read_range(const char *text, enum fam fam, struct model_snat *out, struct err *err)
{
	char first[ADDR_TEXT];
	const char *dash = strchr(text, '-');
	size_t n = dash ? (size_t)(dash - text) : strlen(text);
	struct model_snat snat = {.mode = SNAT_ADDRESS};
	bool fits = n < sizeof(first);
	if (fits) {
		memcpy(first, text, n);
		first[n] = 0;
	}
	if (!fits || !addr_parse(first, &snat.first) || !addr_parse(dash ? dash + 1 : first, &snat.last))
		return err_set(err, EINVAL, "use masquerade, none, an %s address or \"FIRST-LAST\"",
			       fam_text(fam));
	if (snat.first.family != fam_af(fam) || snat.last.family != fam_af(fam))
		return err_set(err, EINVAL, "not an %s address: %s is for the other family", fam_text(fam),
			       fam == FAM_4 ? "snat6" : "snat");
	if (is_special(&snat.first) || is_special(&snat.last))
		return err_set(err, EINVAL, "no machine can have this address");
	if (addr_compare(&snat.first, &snat.last) > 0)
		return err_set(err, EINVAL, "the range ends before it begins: write the lower address first");
	*out = snat;
	return 0;
}

// One to one: the source's own prefix is taken away, the rest of it stays.
static int read_snat_prefix(const char *text, struct model_snat *out, struct err *err)
{
	struct model_snat snat = {.mode = SNAT_PREFIX};
	int rc = value_prefix(text, &snat.prefix, err);
	if (rc)
		return rc;
	if (snat.prefix.addr.family != AF_INET6)
		return err_set(err, EINVAL, "not an IPv6 prefix: IPv4 has no prefix translation");
	if (snat.prefix.len < DELEGATED_LEN_MIN || snat.prefix.len > DELEGATED_LEN_MAX)
		return err_set(err, EINVAL, "use a prefix of 16 to 64 bits");
	if (is_special(&snat.prefix.addr))
		return err_set(err, EINVAL, "no machine can have these addresses");
	*out = snat;
	return 0;
}

int value_snat(const char *text, enum fam fam, struct model_snat *out, struct err *err)
{
	if (fam == FAM_6 && strcmp(text, "prefix") == 0) {
		*out = (struct model_snat){.mode = SNAT_PREFIX};
		return 0;
	}
	if (fam == FAM_6 && strchr(text, '/'))
		return read_snat_prefix(text, out, err);
	if (strcmp(text, "masquerade") == 0)
		*out = (struct model_snat){.mode = SNAT_MASQUERADE};
	else if (strcmp(text, "none") == 0)
		*out = (struct model_snat){.mode = SNAT_NONE};
	else
		return read_range(text, fam, out, err);
	return 0;
}

// ---- ports, protocols, dscp ------------------------------------------------------------------

int value_ports(const char *text, struct model_ports *out, struct err *err)
{
	char first[8];
	uint32_t from, to;
	const char *dash = strchr(text, '-');
	size_t n = dash ? (size_t)(dash - text) : strlen(text);
	bool good = n > 0 && n < sizeof(first);
	if (good) {
		memcpy(first, text, n);
		first[n] = 0;
		good = value_number(first, 1, 65535, &from, NULL) == 0 &&
		       value_number(dash ? dash + 1 : first, 1, 65535, &to, NULL) == 0;
	}
	if (!good)
		return err_set(err, EINVAL, "not a port: use 1 to 65535 or a range such as \"8000-8099\"");
	if (from > to)
		return err_set(err, EINVAL, "the range ends before it begins: write \"%u-%u\"", to, from);
	*out = (struct model_ports){.first = (uint16_t)from, .last = (uint16_t)to};
	return 0;
}

// Not getprotobyname(): what a configuration means must not depend on a file of the host.
static const struct {
	const char *name;
	uint8_t number;
	bool ports;
} protocols[] = {
	{"icmp", 1, false},  {"igmp", 2, false},     {"ipip", 4, false},    {"tcp", 6, true},
	{"udp", 17, true},   {"dccp", 33, true},     {"ipv6", 41, false},   {"gre", 47, false},
	{"esp", 50, false},  {"ah", 51, false},      {"icmpv6", 58, false}, {"ipv6-icmp", 58, false},
	{"ospf", 89, false}, {"pim", 103, false},    {"vrrp", 112, false},  {"l2tp", 115, false},
	{"sctp", 132, true}, {"udplite", 136, true},
};

int value_protocol(const char *text, uint8_t *out, struct err *err)
{
	uint32_t number;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (strcmp(protocols[i].name, text) == 0) {
			*out = protocols[i].number;
			return 0;
		}
	if (value_number(text, 1, 254, &number, NULL))
		return err_set(
			err, EINVAL,
			"not a protocol: use a number from 1 to 254 or a name such as tcp, udp, sctp, icmp, "
			"icmpv6, esp or gre");
	*out = (uint8_t)number;
	return 0;
}

const char *protocol_text(uint8_t protocol, char text[8])
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	snprintf(text, 8, "%u", protocol);
	return text;
}

bool protocol_has_ports(uint8_t protocol)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == protocol)
			return protocols[i].ports;
	return false;
}

int value_dscp(const char *text, uint8_t *out, struct err *err)
{
	uint32_t number;
	bool cs = strlen(text) == 3 && strncmp(text, "cs", 2) == 0 && text[2] >= '0' && text[2] <= '7';
	bool af = strlen(text) == 4 && strncmp(text, "af", 2) == 0 && text[2] >= '1' && text[2] <= '4' &&
		  text[3] >= '1' && text[3] <= '3';
	if (strcmp(text, "ef") == 0)
		*out = 46;
	else if (cs)
		*out = (uint8_t)((text[2] - '0') * 8);
	else if (af)
		*out = (uint8_t)((text[2] - '0') * 8 + (text[3] - '0') * 2);
	else if (value_number(text, 0, 63, &number, NULL) == 0)
		*out = (uint8_t)number;
	else
		return err_set(err, EINVAL, "not a DSCP: use 0 to 63, cs0 to cs7, ef, or af11 to af43");
	return 0;
}

// ---- marks -----------------------------------------------------------------------------------

int value_mark_mask(const char *text, uint32_t *out, struct err *err)
{
	uint32_t mask;
	if (value_number(text, 0, UINT32_MAX, &mask, NULL))
		return err_set(err, EINVAL, "not a 32 bit mask: write it like 0xff000000");
	uint32_t run = mask ? mask >> __builtin_ctz(mask) : 0;
	if (__builtin_popcount(mask) < 6 || (run & (run + 1)))
		return err_set(err, EINVAL, "not one run of 6 or more bits: write a mask like 0xff000000");
	*out = mask;
	return 0;
}

int value_mark(const char *text, uint32_t *mark, uint32_t *mask, struct err *err)
{
	char first[16];
	uint32_t value, bits = UINT32_MAX;
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	bool good = n < sizeof(first);
	if (good) {
		memcpy(first, text, n);
		first[n] = 0;
		good = value_number(first, 0, UINT32_MAX, &value, NULL) == 0 &&
		       (!slash || value_number(slash + 1, 0, UINT32_MAX, &bits, NULL) == 0);
	}
	if (!good)
		return err_set(err, EINVAL, "not a mark: write VALUE or VALUE/MASK, such as 0x10/0xff");
	if (!bits)
		return err_set(err, EINVAL, "a mask of no bits matches everything: leave the option out");
	if (value & ~bits)
		return err_set(err, EINVAL, "0x%x has bits outside of the mask 0x%x", value, bits);
	*mark = value;
	*mask = bits;
	return 0;
}
