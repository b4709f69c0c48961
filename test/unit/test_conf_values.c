// SPDX-License-Identifier: GPL-2.0-or-later
// Single values: what is accepted and what it means; what is refused is refused with a sentence. The
// sentences themselves are in test/golden/conf.
#include <criterion/criterion.h>
#include <string.h>

#include "conf/nearest.h"
#include "conf/values.h"
#include "gwd/base/err.h"

#define REFUSED(call) \
	do { \
		struct err err = {0}; \
		cr_expect(call < 0, "%s is accepted", #call); \
		cr_expect(strlen(err.text) > 5, "%s says nothing", #call); \
	} while (0)

Test(conf_values, numbers)
{
	uint32_t n = 0;
	cr_expect(value_number("0", 0, 9, &n, NULL) == 0 && n == 0);
	cr_expect(value_number("4294967295", 0, UINT32_MAX, &n, NULL) == 0 && n == UINT32_MAX);
	cr_expect(value_number("0xFf", 0, 255, &n, NULL) == 0 && n == 255);
	n = 7;
	REFUSED(value_number("010", 0, 99, &n, &err));
	REFUSED(value_number("00", 0, 99, &n, &err));
	REFUSED(value_number("", 0, 99, &n, &err));
	REFUSED(value_number("0x", 0, 99, &n, &err));
	REFUSED(value_number("-1", 0, 99, &n, &err));
	REFUSED(value_number("+1", 0, 99, &n, &err));
	REFUSED(value_number(" 1", 0, 99, &n, &err));
	REFUSED(value_number("1 ", 0, 99, &n, &err));
	REFUSED(value_number("1e2", 0, 99, &n, &err));
	REFUSED(value_number("4294967296", 0, UINT32_MAX, &n, &err));
	REFUSED(value_number("18446744073709551617", 0, UINT32_MAX, &n, &err));
	REFUSED(value_number("100", 0, 99, &n, &err));
	cr_expect_eq(n, 7, "a refused value leaves the variable alone");
}

Test(conf_values, durations)
{
	uint32_t ms;
	char text[DURATION_TEXT];
	static const struct {
		const char *text;
		uint32_t ms;
	} good[] = {{"500ms", 500}, {"5s", 5000}, {"10m", 600000}, {"1h", 3600000}, {"0s", 0}, {"0ms", 0}};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(value_duration(good[i].text, 0, 3600000, &ms, NULL) == 0 && ms == good[i].ms, "%s",
			  good[i].text);
	static const char *const bad[] = {"5",    "0",   "",    "s",    "5 s",
					  "5sec", "05s", "-5s", "1.5s", "0x5s",
					  "1h5m", "5S",  "5d",  "2h",   "99999999999999999999s"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		REFUSED(value_duration(bad[i], 0, 3600000, &ms, &err));
	cr_expect_str_eq(duration_text(0, text), "0s");
	cr_expect_str_eq(duration_text(1500, text), "1500ms");
	cr_expect_str_eq(duration_text(90000, text), "90s");
	cr_expect_str_eq(duration_text(7200000, text), "2h");
}

Test(conf_values, names)
{
	REFUSED(value_name("", &err));
	REFUSED(value_name("1a", &err));
	REFUSED(value_name("-a", &err));
	REFUSED(value_name("a.b", &err));
	REFUSED(value_name("a b", &err));
	REFUSED(value_name("a/b", &err));
	REFUSED(value_name("abcdefghijklmnopqrstuvwxyz012345", &err));
	cr_expect_eq(value_name("abcdefghijklmnopqrstuvwxyz01234", NULL), 0);
	cr_expect_eq(value_name("A-1_b", NULL), 0);
}

Test(conf_values, interfaces)
{
	cr_expect_eq(value_interface("eth0.100@x", NULL), 0);
	cr_expect_eq(value_interface("abcdefghijklmno", NULL), 0);
	REFUSED(value_interface("abcdefghijklmnop", &err));
	REFUSED(value_interface("eth*", &err));
	REFUSED(value_interface("", &err));
	REFUSED(value_interface(".", &err));
	REFUSED(value_interface("..", &err));
	REFUSED(value_interface("a b", &err));
	REFUSED(value_interface("eth0:1", &err));
	cr_expect_eq(value_interface_pattern("eth*", NULL), 0);
	cr_expect_eq(value_interface_pattern("*", NULL), 0);
	cr_expect_eq(value_interface_pattern("eth0", NULL), 0);
	REFUSED(value_interface_pattern("e*h", &err));
	REFUSED(value_interface_pattern("eth**", &err));
	REFUSED(value_interface_pattern("", &err));
}

Test(conf_values, hosts)
{
	struct addr a;
	static const char *const bad[] = {"0.0.0.0",    "127.1.2.3",    "224.0.0.1", "255.255.255.255",
					  "::",         "::1",          "ff02::1",   "1.2.3",
					  "1.2.3.4/32", "fe80::1%eth0", "",          "1.2.3.4:80",
					  " 1.2.3.4",   "host"};
	cr_expect_eq(value_host("192.0.2.1", &a, NULL), 0);
	cr_expect_eq(value_host("fe80::1", &a, NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		REFUSED(value_host(bad[i], &a, &err));
}

Test(conf_values, snat)
{
	struct model_snat s;
	cr_expect(value_snat("masquerade", FAM_4, &s, NULL) == 0 && s.mode == SNAT_MASQUERADE);
	cr_expect(value_snat("none", FAM_6, &s, NULL) == 0 && s.mode == SNAT_NONE);
	cr_expect(value_snat("192.0.2.1", FAM_4, &s, NULL) == 0 && addr_equal(&s.first, &s.last));
	cr_expect(value_snat("2001:db8::1-2001:db8::ff", FAM_6, &s, NULL) == 0 && s.last.b[15] == 0xff);
	cr_expect(value_snat("prefix", FAM_6, &s, NULL) == 0 && s.mode == SNAT_PREFIX && !s.prefix.len);
	cr_expect(value_snat("2001:db8::/48", FAM_6, &s, NULL) == 0 && s.prefix.len == 48);
	REFUSED(value_snat("prefix", FAM_4, &s, &err));
	REFUSED(value_snat("2001:db8::1", FAM_4, &s, &err));
	REFUSED(value_snat("192.0.2.1-2001:db8::1", FAM_4, &s, &err));
	REFUSED(value_snat("192.0.2.9-192.0.2.1", FAM_4, &s, &err));
	REFUSED(value_snat("-", FAM_4, &s, &err));
	REFUSED(value_snat("192.0.2.1-", FAM_4, &s, &err));
	REFUSED(value_snat("192.0.2.0/24", FAM_4, &s, &err));
}

Test(conf_values, ports)
{
	struct model_ports p;
	cr_expect(value_ports("65535", &p, NULL) == 0 && p.first == 65535 && p.last == 65535);
	cr_expect(value_ports("1-65535", &p, NULL) == 0 && p.first == 1 && p.last == 65535);
	static const char *const bad[] = {"0",     "65536", "-", "1-", "-1",   "2-1",
					  "1-2-3", "",      "a", "01", "1 - 2"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		REFUSED(value_ports(bad[i], &p, &err));
}

Test(conf_values, protocols)
{
	uint8_t p;
	char text[8];
	cr_expect(value_protocol("tcp", &p, NULL) == 0 && p == 6 && protocol_has_ports(p));
	cr_expect(value_protocol("47", &p, NULL) == 0 && p == 47 && !protocol_has_ports(p));
	cr_expect(value_protocol("ipv6-icmp", &p, NULL) == 0 && p == 58);
	cr_expect_str_eq(protocol_text(17, text), "udp");
	cr_expect_str_eq(protocol_text(200, text), "200");
	REFUSED(value_protocol("TCP", &p, &err));
	REFUSED(value_protocol("0", &p, &err));
	REFUSED(value_protocol("255", &p, &err));
	REFUSED(value_protocol("", &p, &err));
}

Test(conf_values, dscp)
{
	uint8_t d;
	cr_expect(value_dscp("ef", &d, NULL) == 0 && d == 46);
	cr_expect(value_dscp("cs0", &d, NULL) == 0 && d == 0);
	cr_expect(value_dscp("cs6", &d, NULL) == 0 && d == 48);
	cr_expect(value_dscp("af11", &d, NULL) == 0 && d == 10);
	cr_expect(value_dscp("af43", &d, NULL) == 0 && d == 38);
	cr_expect(value_dscp("63", &d, NULL) == 0 && d == 63);
	static const char *const bad[] = {"64", "cs8", "af44", "af01", "af1", "af111", "cs", "", "EF", "-1"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		REFUSED(value_dscp(bad[i], &d, &err));
}

Test(conf_values, marks)
{
	uint32_t mark, mask;
	cr_expect(value_mark_mask("0xfc000000", &mask, NULL) == 0 && mask == 0xfc000000);
	cr_expect(value_mark_mask("0xffffffff", &mask, NULL) == 0);
	cr_expect(value_mark_mask("63", &mask, NULL) == 0 && mask == 63);
	REFUSED(value_mark_mask("0", &mask, &err));
	REFUSED(value_mark_mask("0x1f", &mask, &err));
	REFUSED(value_mark_mask("0xff00ff00", &mask, &err));
	REFUSED(value_mark_mask("0x1ff000000", &mask, &err));
	REFUSED(value_mark_mask("ff000000", &mask, &err));
	cr_expect(value_mark("5", &mark, &mask, NULL) == 0 && mark == 5 && mask == 0xffffffff);
	cr_expect(value_mark("0x10/0xf0", &mark, &mask, NULL) == 0 && mark == 0x10 && mask == 0xf0);
	REFUSED(value_mark("0x10/0x0f", &mark, &mask, &err));
	REFUSED(value_mark("1/0", &mark, &mask, &err));
	REFUSED(value_mark("1/", &mark, &mask, &err));
	REFUSED(value_mark("/1", &mark, &mask, &err));
	REFUSED(value_mark("1/2/3", &mark, &mask, &err));
	REFUSED(value_mark("", &mark, &mask, &err));
}

Test(conf_values, nearest)
{
	static const char *const names[] = {"weight", "interface", "need", "rr", "wrr"};
	cr_expect_str_eq(nearest("wieght", names, 5), "weight");
	cr_expect_str_eq(nearest("WEIGHT", names, 5), "weight");
	cr_expect_str_eq(nearest("interfaces", names, 5), "interface");
	cr_expect_str_eq(nearest("nede", names, 5), "need");
	cr_expect_str_eq(nearest("wr", names, 5), "wrr", "of two equally near ones the same first letter");
	cr_expect_null(nearest("colour", names, 5));
	cr_expect_null(nearest("x", names, 5));
	cr_expect_null(nearest("", names, 5));
}
