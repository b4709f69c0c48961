// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/ranges.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"

static void expect(struct ranges *ranges, const char *want)
{
	struct buf got = {0};
	ranges_merge(ranges);
	for (size_t i = 0; i < ranges->v.n; i++) {
		buf_puts(&got, i ? " " : "");
		range_text(&ranges->v.v[i], ranges->size, &got);
	}
	cr_expect_str_eq(buf_text(&got), want);
	buf_free(&got);
	ranges_free(ranges);
}

static void add(struct ranges *ranges, const char *text)
{
	struct prefix prefix;
	cr_assert(prefix_parse(text, &prefix));
	ranges_add_prefix(ranges, &prefix);
}

Test(nft_ranges, prefixes_inside_others_vanish_and_neighbours_join)
{
	struct ranges ranges = {0};
	add(&ranges, "10.128.0.0/9");
	add(&ranges, "10.1.0.0/16");
	add(&ranges, "10.0.0.0/9");
	add(&ranges, "192.0.2.1");
	add(&ranges, "10.1.0.0/16");
	expect(&ranges, "10.0.0.0/8 192.0.2.1");
}

Test(nft_ranges, what_is_no_prefix_is_a_range)
{
	struct ranges ranges = {0};
	add(&ranges, "10.0.0.0/9");
	add(&ranges, "10.128.0.0/10");
	expect(&ranges, "10.0.0.0-10.191.255.255");
	ranges = (struct ranges){0};
	add(&ranges, "2001:db8:8000::/33");
	add(&ranges, "2001:db8::/34");
	add(&ranges, "2001:db9::/32");
	expect(&ranges, "2001:db8::/34 2001:db8:8000::-2001:db9:ffff:ffff:ffff:ffff:ffff:ffff");
}

Test(nft_ranges, single_values_stay_single)
{
	struct ranges ranges = {0};
	ranges_add_ports(&ranges, 81, 81);
	ranges_add_ports(&ranges, 80, 80);
	ranges_add_ports(&ranges, 80, 80);
	expect(&ranges, "80 81");
	ranges_add_ports(&ranges, 65535, 65535);
	ranges_add_ports(&ranges, 81, 81);
	ranges_add_ports(&ranges, 82, 65535);
	expect(&ranges, "81-65535");
}

Test(nft_ranges, everything_is_recognised)
{
	struct ranges ranges = {0};
	add(&ranges, "0.0.0.0/1");
	ranges_merge(&ranges);
	cr_expect(!ranges_all(&ranges));
	add(&ranges, "128.0.0.0/1");
	ranges_merge(&ranges);
	cr_expect(ranges_all(&ranges));
	expect(&ranges, "0.0.0.0/0");
	add(&ranges, "::/0");
	add(&ranges, "fd00::/8");
	ranges_merge(&ranges);
	cr_expect(ranges_all(&ranges));
	ranges_free(&ranges);
}

// Against a table of all ports that says which are in.
Test(nft_ranges, random_port_lists_mean_what_they_say)
{
	srand(7);
	for (int round = 0; round < 300; round++) {
		static bool in[65536];
		struct ranges ranges = {0};
		memset(in, 0, sizeof(in));
		for (int i = rand() % 12; i >= 0; i--) {
			uint16_t first = (uint16_t)(rand() % 65536),
				 width = (uint16_t)(rand() % 3 ? 0 : rand() % 9000);
			uint16_t last = first > 65535 - width ? 65535 : (uint16_t)(first + width);
			ranges_add_ports(&ranges, first, last);
			memset(in + first, 1, (size_t)last - first + 1);
		}
		ranges_merge(&ranges);
		size_t inside = 0, listed = 0;
		int before = -1;
		for (int port = 0; port < 65536; port++)
			inside += in[port];
		vec_each(&ranges.v, range) {
			int first = range->first[0] << 8 | range->first[1],
			    last = range->last[0] << 8 | range->last[1];
			cr_assert(first > before && last >= first && in[first] && in[last]);
			listed += (size_t)(last - first + 1);
			before = last;
		}
		cr_assert_eq(inside, listed);
		ranges_free(&ranges);
	}
}
