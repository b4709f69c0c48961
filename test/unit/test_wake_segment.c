// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>

#include "gwd/wake_segment.h"

static struct wake_flow flow(const char *lan, const char *far)
{
	struct wake_flow flow = {.lan_port = 51234, .far_port = 443};
	cr_assert(addr_parse(lan, &flow.lan) && addr_parse(far, &flow.far));
	return flow;
}

// The vectors were computed by another program, from the RFCs.
Test(wake_segment, ipv4)
{
	static const uint8_t expected[] = {
		0x45, 0x00, 0x00, 0x28, 0x00, 0x00, 0x40, 0x00, 0x40, 0x06, 0x06, 0x94, 0xc6, 0x33,
		0x64, 0x07, 0x0a, 0x00, 0x00, 0x02, 0x01, 0xbb, 0xc8, 0x22, 0x12, 0x34, 0x56, 0x78,
		0x9a, 0xbc, 0xde, 0xf0, 0x50, 0x10, 0x00, 0x40, 0xcf, 0x20, 0x00, 0x00,
	};
	struct wake_flow f = flow("10.0.0.2", "198.51.100.7");
	uint8_t out[WAKE_SEGMENT_MAX];
	cr_assert_eq(wake_segment(&f, 0x12345678, 0x9abcdef0, out), sizeof(expected));
	cr_assert_arr_eq(out, expected, sizeof(expected));
}

Test(wake_segment, ipv6)
{
	static const uint8_t expected[] = {
		0x60, 0x00, 0x00, 0x00, 0x00, 0x14, 0x06, 0x40, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07, 0xfd, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x01, 0xbb, 0xc8, 0x22, 0x12,
		0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x50, 0x10, 0x00, 0x40, 0xd8, 0x9a, 0x00, 0x00,
	};
	struct wake_flow f = flow("fd00::2", "2001:db8::7");
	uint8_t out[WAKE_SEGMENT_MAX];
	cr_assert_eq(wake_segment(&f, 0x12345678, 0x9abcdef0, out), sizeof(expected));
	cr_assert_arr_eq(out, expected, sizeof(expected));
}

static uint32_t sum(uint32_t sum, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

// As a receiver checks it: over everything, the sum must come to all ones.
static void check_sums(const struct wake_flow *f, uint32_t seq, uint32_t ack)
{
	uint8_t out[WAKE_SEGMENT_MAX];
	size_t size = wake_segment(f, seq, ack, out), n = addr_size(&f->lan), header = size - 20;
	if (f->lan.family == AF_INET)
		cr_assert_eq(sum(0, out, 20), 0xffff);
	uint32_t tcp = sum(sum(6 + 20, f->lan.b, n), f->far.b, n);
	cr_assert_eq(sum(tcp, out + header, 20), 0xffff);
}

Test(wake_segment, checksums_hold_for_any_content)
{
	uint64_t state = 88172645463325252ull;
	for (unsigned i = 0; i < 20000; i++) {
		struct wake_flow f = {0};
		f.lan.family = f.far.family = i % 2 ? AF_INET : AF_INET6;
		for (unsigned j = 0; j < addr_size(&f.lan); j++) {
			state = state * 6364136223846793005ull + 1442695040888963407ull;
			f.lan.b[j] = (uint8_t)(i % 7 ? state >> 33 : 0xff); // also the carries at the edge
			f.far.b[j] = (uint8_t)(i % 5 ? state >> 41 : 0xff);
		}
		f.lan_port = (uint16_t)(state >> 20);
		f.far_port = (uint16_t)(state >> 7);
		check_sums(&f, (uint32_t)(state >> 32), (uint32_t)state);
	}
}
