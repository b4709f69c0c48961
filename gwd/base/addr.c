// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/base/addr.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fam_af(enum fam fam)
{
	return fam == FAM_4 ? AF_INET : AF_INET6;
}

enum fam addr_fam(const struct addr *a)
{
	assert(a->family == AF_INET || a->family == AF_INET6);
	return a->family == AF_INET ? FAM_4 : FAM_6;
}

unsigned addr_size(const struct addr *a)
{
	return a->family == AF_INET ? 4 : a->family == AF_INET6 ? 16 : 0;
}

bool addr_parse(const char *text, struct addr *out)
{
	struct addr a = {0};
	if (inet_pton(AF_INET, text, a.b) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, text, a.b) == 1)
		a.family = AF_INET6;
	else
		return false;
	*out = a;
	return true;
}

bool prefix_parse(const char *text, struct prefix *out)
{
	char host[ADDR_TEXT];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	if (n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = 0;
	struct prefix p = {0};
	if (!addr_parse(host, &p.addr))
		return false;
	unsigned long len = addr_size(&p.addr) * 8;
	if (slash) {
		char *end;
		if (slash[1] < '0' || slash[1] > '9')
			return false;
		unsigned long given = strtoul(slash + 1, &end, 10);
		if (*end || given > len)
			return false;
		len = given;
	}
	p.len = (uint8_t)len;
	struct addr masked = p.addr;
	addr_mask(&masked, p.len);
	if (!addr_equal(&masked, &p.addr))
		return false;
	*out = p;
	return true;
}

const char *addr_text(const struct addr *a, char text[ADDR_TEXT])
{
	if (addr_is_none(a))
		strcpy(text, "-");
	else
		inet_ntop(a->family, a->b, text, ADDR_TEXT);
	return text;
}

const char *prefix_text(const struct prefix *p, char text[PREFIX_TEXT])
{
	addr_text(&p->addr, text);
	if (p->len < addr_size(&p->addr) * 8) {
		size_t n = strlen(text);
		snprintf(text + n, PREFIX_TEXT - n, "/%u", p->len);
	}
	return text;
}

struct addr addr_from(int af, const void *bytes)
{
	struct addr a = {.family = (uint8_t)af};
	memcpy(a.b, bytes, addr_size(&a));
	return a;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_compare(a, b) == 0;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, addr_size(a));
}

bool addr_is_none(const struct addr *a)
{
	return a->family != AF_INET && a->family != AF_INET6;
}

bool addr_is_link_local(const struct addr *a)
{
	if (a->family == AF_INET)
		return a->b[0] == 169 && a->b[1] == 254;
	return a->family == AF_INET6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	struct addr masked = *a;
	addr_mask(&masked, p->len);
	return addr_equal(&masked, &p->addr);
}

void addr_netmask(enum fam fam, unsigned len, uint8_t out[16])
{
	memset(out, 0, 16);
	assert(len <= (fam == FAM_4 ? 32u : 128u));
	memset(out, 0xff, len / 8);
	if (len % 8)
		out[len / 8] = (uint8_t)(0xff << (8 - len % 8));
}

void addr_mask(struct addr *a, unsigned len)
{
	uint8_t mask[16];
	if (len > addr_size(a) * 8)
		return;
	addr_netmask(addr_fam(a), len, mask);
	for (unsigned i = 0; i < addr_size(a); i++)
		a->b[i] &= mask[i];
}

struct addr prefix_last(const struct prefix *p)
{
	uint8_t mask[16];
	struct addr last = p->addr;
	addr_netmask(addr_fam(&last), p->len, mask);
	for (unsigned i = 0; i < addr_size(&last); i++)
		last.b[i] |= (uint8_t)~mask[i];
	return last;
}

bool addr_bytes_next(uint8_t *value, unsigned size)
{
	for (unsigned i = size; i-- > 0;)
		if (++value[i])
			return true;
	return false;
}

bool addr_bytes_before(uint8_t *value, unsigned size)
{
	for (unsigned i = size; i-- > 0;)
		if (value[i]--)
			return true;
	return false;
}
