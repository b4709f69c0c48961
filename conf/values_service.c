// SPDX-License-Identifier: GPL-2.0-or-later
// The values of values.h that only services have.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/values.h"
#include "gwd/base/err.h"

#define PER_SECOND_MAX 1000000

// "1.2.3.4" and "80" out of "1.2.3.4:80", "2001:db8::1" and "80" out of "[2001:db8::1]:80".
static bool split_port(const char *text, char address[ADDR_TEXT], const char **port)
{
	bool six = text[0] == '[';
	const char *begin = text + six, *end = six ? strchr(text, ']') : strchr(text, ':');
	if (!end || end[six] != ':' || (size_t)(end - begin) >= ADDR_TEXT)
		return false;
	memcpy(address, begin, (size_t)(end - begin));
	address[end - begin] = 0;
	*port = end + six + 1;
	return true;
}

// An address without a port, right but for that. Some places have one port, others may have a range or all.
static int refuse_listen(const char *text, bool one, struct err *err)
{
	struct addr a;
	const char *last = strrchr(text, ':');
	char bare[ADDR_TEXT] = "";
	if (last && (size_t)(last - text) < sizeof(bare))
		memcpy(bare, text, (size_t)(last - text));
	if (addr_parse(text, &a) && addr_fam(&a) == FAM_4)
		return one ? err_set(err, EINVAL, "the port is missing: write \"%s:80\"", text)
			   : err_set(err, EINVAL, "the port is missing: write \"%s:80\", or \"%s:*\" for all",
				     text, text);
	if (addr_parse(text, &a) || (addr_parse(bare, &a) && addr_fam(&a) == FAM_6))
		return err_set(
			err, EINVAL,
			"an IPv6 address stands in brackets before its port, as in \"[2001:db8::1]:80\"");
	return err_set(err, EINVAL, "not ADDRESS:PORT: write it like \"192.0.2.1:80\"%s",
		       one ? " or \"[2001:db8::1]:80\""
			   : ", \"[2001:db8::1]:80\", \"192.0.2.1:1000-2000\" or \"192.0.2.1:*\"");
}

// `addr` without a check, the port as it is written.
static int read_place(const char *text, bool one, struct addr *addr, const char **port, struct err *err)
{
	char address[ADDR_TEXT];
	if (!split_port(text, address, port) || !addr_parse(address, addr) ||
	    (addr_fam(addr) == FAM_6) != (text[0] == '['))
		return refuse_listen(text, one, err);
	return 0;
}

int value_listen(const char *text, struct model_listen *out, struct err *err)
{
	char address[ADDR_TEXT];
	const char *port;
	struct model_listen listen = {.first = 0, .last = MODEL_PORT_ANY_LAST};
	struct model_ports ports;
	int rc = read_place(text, false, &listen.addr, &port, err);
	if (!rc)
		rc = value_host(addr_text(&listen.addr, address), &listen.addr, err);
	if (!rc && strcmp(port, "*") != 0) {
		rc = value_ports(port, &ports, NULL);
		if (rc)
			return err_set(err, EINVAL,
				       "not a port behind the address: use 1 to 65535, a range such as "
				       "1000-2000, or * "
				       "for all");
		listen.first = ports.first;
		listen.last = ports.last;
	}
	if (!rc)
		*out = listen;
	return rc;
}

int value_socket(const char *text, struct addr *addr, uint16_t *port, struct err *err)
{
	static const uint8_t none[16], mapped[] = {[10] = 0xff, [11] = 0xff}; // ::ffff:0:0/96 (RFC 4291)
	const char *digits;
	struct addr a;
	struct model_ports ports;
	int rc = read_place(text, true, &a, &digits, err);
	if (rc)
		return rc;
	if (addr_fam(&a) == FAM_6 && !memcmp(a.b, mapped, sizeof(mapped)))
		return err_set(err, EINVAL, "an IPv4 address in disguise: write it as one, \"127.0.0.1:%s\"",
			       digits);
	if (!memcmp(a.b, none, addr_size(&a)))
		return err_set(err, EINVAL,
			       "every address would be the internet's, too: write one of this host, such as "
			       "\"127.0.0.1:%s\"",
			       digits);
	if (addr_is_link_local(&a) || (addr_fam(&a) == FAM_4 ? a.b[0] >= 224 : a.b[0] == 0xff))
		return err_set(err, EINVAL,
			       "not an address that this host can be asked on: write \"127.0.0.1:%s\"",
			       digits);
	if (value_ports(digits, &ports, NULL) || ports.first != ports.last)
		return err_set(err, EINVAL, "one port belongs behind the address: 1 to 65535");
	*addr = a;
	*port = ports.first;
	return 0;
}

int value_source(const char *text, struct model_snat *out, struct err *err)
{
	char first[ADDR_TEXT];
	const char *dash = strchr(text, '-');
	size_t n = dash ? (size_t)(dash - text) : strlen(text);
	struct model_snat range = {.mode = SNAT_ADDRESS};
	bool fits = n < sizeof(first);
	if (fits) {
		memcpy(first, text, n);
		first[n] = 0;
	}
	if (!fits || !addr_parse(first, &range.first) || !addr_parse(dash ? dash + 1 : first, &range.last) ||
	    addr_fam(&range.first) != addr_fam(&range.last))
		return err_set(err, EINVAL, "use an address or \"FIRST-LAST\" of one family");
	if (value_host(first, &range.first, err) || value_host(dash ? dash + 1 : first, &range.last, err))
		return -EINVAL;
	if (addr_compare(&range.first, &range.last) > 0)
		return err_set(err, EINVAL, "the range ends before it begins: write the lower address first");
	*out = range;
	return 0;
}

int value_per_second(const char *text, uint32_t *out, struct err *err)
{
	char digits[12] = "";
	size_t n = strspn(text, "0123456789");
	if (n && !text[n])
		return err_set(err, EINVAL, "a rate needs its unit: write %s/s", text);
	if (!n || n >= sizeof(digits) || strcmp(text + n, "/s") != 0)
		return err_set(err, EINVAL,
			       "not a rate of connections: write a whole number a second, such as 50/s");
	memcpy(digits, text, n);
	if (value_number(digits, 1, PER_SECOND_MAX, out, NULL))
		return err_set(err, EINVAL, "out of range: use 1/s to %d/s", PER_SECOND_MAX);
	return 0;
}
