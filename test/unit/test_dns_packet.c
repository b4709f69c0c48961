// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/dns_packet.h"

#include <criterion/criterion.h>
#include <string.h>

#include "gwd/base/vec.h"

#define ROOM 600

static const struct dns_question a = {0xbeef, "www.Example.net", 1};

struct bytes {
	uint8_t b[ROOM];
	size_t n;
};

static void add(struct bytes *out, const void *data, size_t size)
{
	cr_assert(out->n + size <= ROOM);
	memcpy(out->b + out->n, data, size);
	out->n += size;
}

// A reply to `question` with these flags and no records yet.
static struct bytes reply_to(const struct dns_question *question, uint16_t flags)
{
	struct bytes out = {0};

	out.n = dns_build(question, out.b);
	out.b[2] = (uint8_t)(0x80 | flags >> 8);
	out.b[3] = (uint8_t)flags;
	return out;
}

static void add_record(struct bytes *out, const void *name, size_t name_size, uint8_t type, const void *data,
		       uint8_t size)
{
	uint8_t head[10] = {0, type, 0, 1, 0, 0, 0, 60, 0, size};

	out->b[7]++;
	add(out, name, name_size);
	add(out, head, sizeof(head));
	add(out, data, size);
}

static const uint8_t pointer[] = {0xc0, 12};

static struct bytes two_records(void)
{
	struct bytes out = reply_to(&a, 0);

	add_record(&out, pointer, 2, 5, "\3www\300\24", 6); // a CNAME
	add_record(&out, pointer, 2, 1, "\300\0\2\5", 4);
	add_record(&out, "\4edge\300\24", 7, 1, "\300\0\2\6", 4);
	return out;
}

static struct addr parse(const char *text)
{
	struct addr addr;

	cr_assert(addr_parse(text, &addr));
	return addr;
}

Test(dns_packet, questions_are_well_formed)
{
	static const uint8_t want[] = "\xbe\xef\1\0\0\1\0\0\0\0\0\0\3www\7Example\3net\0\0\1\0\1";
	struct dns_question dotted = a;
	uint8_t out[DNS_QUESTION_MAX];

	cr_assert_eq(dns_build(&a, out), sizeof(want) - 1);
	cr_expect_arr_eq(out, want, sizeof(want) - 1);
	dotted.name = "www.Example.net.";
	cr_assert_eq(dns_build(&dotted, out), sizeof(want) - 1);
	cr_expect_arr_eq(out, want, sizeof(want) - 1);
	dotted.name = ".";
	cr_expect_eq(dns_build(&dotted, out), 12 + 1 + 4, "the root");
}

Test(dns_packet, names_that_cannot_be_asked_for)
{
	static const char *const names[] = {
		".net", "a..b", "..",
		"0123456789012345678901234567890123456789012345678901234567890123.net", // 64
	};
	uint8_t out[DNS_QUESTION_MAX];
	char name[300];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		cr_expect_eq(dns_build(&(struct dns_question){.name = names[i]}, out), 0, "%s", names[i]);
	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = i % 2 ? '.' : 'a';
	for (size_t n = 1; n < sizeof(name); n += 2) {
		char cut[300] = {0};

		memcpy(cut, name, n);
		cr_expect_eq(dns_build(&(struct dns_question){.name = cut}, out) > 0, n + 2 <= 255, "%zu", n);
	}
}

Test(dns_packet, records_are_counted_and_the_expected_one_is_found)
{
	struct bytes p = two_records();
	struct addr none = {0}, second = parse("192.0.2.6"), other = parse("192.0.2.7");
	struct dns_reply reply;

	cr_assert(dns_parse(p.b, p.n, &a, &none, &reply));
	cr_expect_eq(reply.rcode, 0);
	cr_expect_eq(reply.records, 2);
	cr_expect_not(reply.has_expected);
	cr_assert(dns_parse(p.b, p.n, &a, &second, &reply));
	cr_expect(reply.has_expected);
	cr_assert(dns_parse(p.b, p.n, &a, &other, &reply));
	cr_expect_not(reply.has_expected);
}

Test(dns_packet, ipv6_addresses_are_found)
{
	struct dns_question six = {1, "example.net", 28};
	struct bytes p = reply_to(&six, 0);
	struct addr want = parse("2001:db8::5"), none = {0};
	struct dns_reply reply;

	add_record(&p, pointer, 2, 28, want.b, 16);
	cr_assert(dns_parse(p.b, p.n, &six, &want, &reply));
	cr_expect(reply.has_expected);
	cr_assert(dns_parse(p.b, p.n, &six, &none, &reply));
	cr_expect_not(reply.has_expected);
}

Test(dns_packet, rcodes_are_read)
{
	struct bytes p = reply_to(&a, 3);
	struct addr none = {0};
	struct dns_reply reply;
	char text[12];

	cr_assert(dns_parse(p.b, p.n, &a, &none, &reply));
	cr_expect_eq(reply.rcode, 3);
	cr_expect_str_eq(dns_rcode_text(3, text), "NXDOMAIN");
	cr_expect_str_eq(dns_rcode_text(5, text), "REFUSED");
	cr_expect_str_eq(dns_rcode_text(11, text), "rcode 11");
}

Test(dns_packet, the_case_of_letters_does_not_matter)
{
	struct dns_question shouting = {a.id, "WWW.EXAMPLE.NET", 1};
	struct bytes p = reply_to(&shouting, 0);
	struct addr none = {0};
	struct dns_reply reply;

	cr_expect(dns_parse(p.b, p.n, &a, &none, &reply));
}

Test(dns_packet, replies_to_other_questions_are_refused)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *what;
	} rows[] = {
		{0, 0, "another id"},    {2, 1, "a question"},     {2, 0x88, "another operation"},
		{5, 0, "no question"},   {5, 2, "two questions"},  {13, 'x', "another name"},
		{12, 4, "other labels"}, {30, 28, "another type"}, {32, 3, "another class"},
	};
	struct addr none = {0};
	struct dns_reply reply;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bytes p = two_records();

		cr_assert_neq(p.b[rows[i].at], rows[i].value);
		p.b[rows[i].at] = rows[i].value;
		cr_expect_not(dns_parse(p.b, p.n, &a, &none, &reply), "%s", rows[i].what);
	}
}

Test(dns_packet, cut_replies_are_refused_unless_they_say_so)
{
	struct addr none = {0};
	struct dns_reply reply;
	struct bytes p = two_records();

	for (size_t n = 0; n < p.n; n++)
		cr_expect_not(dns_parse(p.b, n, &a, &none, &reply), "%zu bytes", n);
	p.b[2] |= 2; // truncated
	for (size_t n = 33; n < p.n; n++)
		cr_expect(dns_parse(p.b, n, &a, &none, &reply) && reply.truncated, "%zu bytes", n);
	for (size_t n = 0; n < 33; n++)
		cr_expect_not(dns_parse(p.b, n, &a, &none, &reply), "%zu bytes", n);
}

Test(dns_packet, pointers_that_loop_are_not_followed)
{
	struct bytes p = reply_to(&a, 0);
	struct addr none = {0};
	struct dns_reply reply;
	uint8_t self[2] = {(uint8_t)(0xc0 | p.n >> 8), (uint8_t)p.n};

	add_record(&p, self, 2, 1, "\300\0\2\5", 4);
	cr_expect(dns_parse(p.b, p.n, &a, &none, &reply));
	cr_expect_eq(reply.records, 1);
}

Test(dns_packet, lies_about_sizes_and_counts_are_refused)
{
	struct addr none = {0};
	struct dns_reply reply;
	struct bytes p = two_records();

	p.b[6] = 0xff; // 65283 answers
	cr_expect_not(dns_parse(p.b, p.n, &a, &none, &reply));
	p = reply_to(&a, 0);
	add_record(&p, pointer, 2, 1, "\300\0\2\5\0\0", 6);
	cr_expect_not(dns_parse(p.b, p.n, &a, &none, &reply), "an address of 6 bytes");
	p = reply_to(&a, 0);
	add_record(&p, "\200", 1, 1, "\300\0\2\5", 4);
	cr_expect_not(dns_parse(p.b, p.n, &a, &none, &reply), "a label of a kind that doesn't exist");
}
