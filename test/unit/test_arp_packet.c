// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/arp_packet.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>

#include "gwd/base/vec.h"

static const uint8_t ours[ARP_MAC] = {2, 0, 0, 0, 0, 1}, theirs[ARP_MAC] = {2, 0, 0, 0, 0, 9};

static struct addr parse(const char *text)
{
	struct addr a;

	cr_assert(addr_parse(text, &a));
	return a;
}

static bool is(const struct addr *a, const char *text)
{
	struct addr b = parse(text);

	return addr_equal(a, &b);
}

// The reply of 192.0.2.1 to our request.
static size_t reply4(uint8_t *out)
{
	struct addr us = parse("192.0.2.2"), them = parse("192.0.2.1");
	size_t n = arp_build(&us, &them, theirs, out);

	out[7] = 2;
	memcpy(out + 18, ours, ARP_MAC);
	return n;
}

static size_t reply6(uint8_t *out)
{
	struct addr them = parse("fe80::1"), none = {0};
	size_t n = arp_build(&them, &none, theirs, out);

	out[0] = 136;
	out[4] = 0x60;
	return n;
}

Test(arp_packet, requests_are_well_formed)
{
	static const uint8_t want4[] = {0,   1, 8, 0, 6, 4, 0, 1, 2, 0, 0,   0, 0, 1,
					192, 0, 2, 2, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1};
	struct addr source = parse("192.0.2.2"), target = parse("192.0.2.1"), six = parse("2001:db8::1:2:3"),
		    none = {0};
	uint8_t out[ARP_PACKET_MAX];

	cr_assert_eq(arp_build(&target, &source, ours, out), sizeof(want4));
	cr_expect_arr_eq(out, want4, sizeof(want4));
	cr_assert_eq(arp_build(&target, &none, ours, out), sizeof(want4));
	cr_expect_arr_eq(out + 14, "\0\0\0\0", 4, "without a source a probe");
	cr_assert_eq(arp_build(&six, &none, ours, out), 32);
	cr_expect_eq(out[0], 135);
	cr_expect_arr_eq(out + 8, six.b, 16);
	cr_expect_arr_eq(out + 24, "\1\1", 2);
	cr_expect_arr_eq(out + 26, ours, ARP_MAC);
}

Test(arp_packet, solicitations_go_to_the_targets_own_group)
{
	struct addr target = parse("2001:db8::12:3456:789a"), node = arp_solicited_node(&target);

	cr_expect(is(&node, "ff02::1:ff56:789a"));
}

Test(arp_packet, replies_tell_whose_they_are)
{
	uint8_t data[ARP_PACKET_MAX];
	struct addr owner;
	size_t n = reply4(data);

	cr_expect(arp_parse(FAM_4, data, n, ours, &owner));
	cr_expect(is(&owner, "192.0.2.1"));
	n = reply6(data);
	cr_expect(arp_parse(FAM_6, data, n, ours, &owner));
	cr_expect(is(&owner, "fe80::1"));
}

Test(arp_packet, what_is_not_a_reply_to_us_is_refused)
{
	static const struct {
		enum fam fam;
		size_t at;
		uint8_t value;
		const char *what;
	} rows[] = {
		{FAM_4, 7, 1, "a request"},           {FAM_4, 6, 1, "an unknown operation"},
		{FAM_4, 0, 9, "not Ethernet"},        {FAM_4, 2, 9, "not IPv4"},
		{FAM_4, 5, 16, "odd address length"}, {FAM_4, 23, 77, "to another MAC"},
		{FAM_6, 0, 135, "a request"},         {FAM_6, 1, 1, "a code"},
		{FAM_6, 4, 0x20, "unsolicited"},
	};
	uint8_t data[ARP_PACKET_MAX];
	struct addr owner;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n = rows[i].fam == FAM_4 ? reply4(data) : reply6(data);

		data[rows[i].at] = rows[i].value;
		cr_expect_not(arp_parse(rows[i].fam, data, n, ours, &owner), "%s", rows[i].what);
	}
}

Test(arp_packet, every_cut_is_refused)
{
	uint8_t data[ARP_PACKET_MAX];
	struct addr owner;

	reply4(data);
	for (size_t n = 0; n < 28; n++)
		cr_expect_not(arp_parse(FAM_4, data, n, ours, &owner), "%zu bytes", n);
	reply6(data);
	for (size_t n = 0; n < 24; n++)
		cr_expect_not(arp_parse(FAM_6, data, n, ours, &owner), "%zu bytes", n);
}
