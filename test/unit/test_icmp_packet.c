// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/icmp_packet.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gwd/base/vec.h"

static const struct icmp_echo echo = {.id = 0x1234, .seq = 0xfffe, .nonce = 0x0102030405060708};

#define ROOM 256

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

static void fix_checksum(uint8_t *data, size_t size)
{
	uint32_t sum = 0;

	data[2] = data[3] = 0;
	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	data[2] = (uint8_t)(~sum >> 8);
	data[3] = (uint8_t)~sum;
}

static void add_header4(struct bytes *out, size_t payload, uint8_t options, const char *from, const char *to)
{
	uint8_t h[60] = {0};
	struct addr a;
	size_t header = 20 + options;

	h[0] = (uint8_t)(0x40 | header / 4);
	h[2] = (uint8_t)((header + payload) >> 8);
	h[3] = (uint8_t)(header + payload);
	h[8] = 64;
	h[9] = IPPROTO_ICMP;
	addr_parse(from, &a);
	memcpy(h + 12, a.b, 4);
	addr_parse(to, &a);
	memcpy(h + 16, a.b, 4);
	add(out, h, header);
}

static struct bytes reply4(uint8_t options)
{
	struct bytes out = {0};
	uint8_t message[ICMP_PACKET_SIZE];

	icmp_build(FAM_4, &echo, message);
	message[0] = 0;
	fix_checksum(message, sizeof(message));
	add_header4(&out, sizeof(message), options, "192.0.2.1", "10.0.0.2");
	add(&out, message, sizeof(message));
	return out;
}

// An error of a router that quotes `quoted` bytes of our request.
static struct bytes error4(uint8_t type, uint8_t code, size_t quoted, uint8_t options)
{
	struct bytes inner = {0}, out = {0};
	uint8_t message[ICMP_PACKET_SIZE], head[8] = {type, code};

	icmp_build(FAM_4, &echo, message);
	add_header4(&inner, sizeof(message), options, "10.0.0.2", "192.0.2.1");
	add(&inner, message, sizeof(message));
	if (quoted < inner.n)
		inner.n = quoted;
	add_header4(&out, sizeof(head) + inner.n, 0, "203.0.113.9", "10.0.0.2");
	add(&out, head, sizeof(head));
	add(&out, inner.b, inner.n);
	fix_checksum(out.b + 20, out.n - 20);
	return out;
}

static struct bytes error6(uint8_t type, uint8_t code, size_t quoted)
{
	struct bytes out = {0};
	uint8_t head[8] = {type, code}, ip[40] = {0x60, [6] = IPPROTO_ICMPV6}, message[ICMP_PACKET_SIZE];
	struct addr to;

	addr_parse("2001:db8::1", &to);
	memcpy(ip + 24, to.b, 16);
	icmp_build(FAM_6, &echo, message);
	add(&out, head, sizeof(head));
	add(&out, ip, sizeof(ip));
	add(&out, message, sizeof(message));
	if (8 + quoted < out.n)
		out.n = 8 + quoted;
	return out;
}

static bool same_echo(const struct icmp_echo *a, const struct icmp_echo *b)
{
	return a->id == b->id && a->seq == b->seq && a->nonce == b->nonce;
}

static bool is_addr(const struct addr *a, const char *want)
{
	char text[ADDR_TEXT];

	return !strcmp(addr_text(a, text), want);
}

Test(icmp_packet, requests_are_well_formed)
{
	uint8_t p[ICMP_PACKET_SIZE], again[ICMP_PACKET_SIZE];

	icmp_build(FAM_4, &echo, p);
	cr_expect_eq(p[0], 8);
	cr_expect_eq(p[4] << 8 | p[5], echo.id);
	cr_expect_eq(p[6] << 8 | p[7], echo.seq);
	memcpy(again, p, sizeof(p));
	fix_checksum(again, sizeof(again));
	cr_expect_arr_eq(p, again, sizeof(p), "the checksum");
	icmp_build(FAM_6, &echo, p);
	cr_expect_eq(p[0], 128);
}

Test(icmp_packet, replies_are_read)
{
	struct icmp_packet packet;
	struct bytes plain = reply4(0), options = reply4(8);
	uint8_t six[ICMP_PACKET_SIZE];

	cr_expect_eq(icmp_parse(FAM_4, plain.b, plain.n, &packet), ICMP_KIND_REPLY);
	cr_expect(same_echo(&packet.echo, &echo));
	cr_expect(is_addr(&packet.from, "192.0.2.1"));
	cr_expect_eq(icmp_parse(FAM_4, options.b, options.n, &packet), ICMP_KIND_REPLY);
	cr_expect(same_echo(&packet.echo, &echo));
	icmp_build(FAM_6, &echo, six);
	six[0] = 129;
	cr_expect_eq(icmp_parse(FAM_6, six, sizeof(six), &packet), ICMP_KIND_REPLY);
	cr_expect(same_echo(&packet.echo, &echo));
}

Test(icmp_packet, our_own_requests_are_no_replies)
{
	struct icmp_packet packet;
	struct bytes p = reply4(0);
	uint8_t six[ICMP_PACKET_SIZE];

	p.b[20] = 8;
	fix_checksum(p.b + 20, p.n - 20);
	cr_expect_eq(icmp_parse(FAM_4, p.b, p.n, &packet), ICMP_KIND_OTHER);
	icmp_build(FAM_6, &echo, six);
	cr_expect_eq(icmp_parse(FAM_6, six, sizeof(six), &packet), ICMP_KIND_OTHER);
}

Test(icmp_packet, errors_are_read_with_what_they_quote)
{
	static const uint8_t types4[][2] = {{3, 0}, {3, 1}, {3, 13}, {3, 200}, {11, 0}};
	static const uint8_t types6[][2] = {{1, 0}, {1, 3}, {1, 200}, {3, 0}};
	struct icmp_packet packet;

	for (size_t i = 0; i < ARRAY_SIZE(types4); i++) {
		struct bytes p = error4(types4[i][0], types4[i][1], ROOM, i % 2 ? 12 : 0);

		cr_expect_eq(icmp_parse(FAM_4, p.b, p.n, &packet), ICMP_KIND_ERROR, "row %zu", i);
		cr_expect(same_echo(&packet.echo, &echo));
		cr_expect(is_addr(&packet.target, "192.0.2.1"));
		cr_expect(is_addr(&packet.from, "203.0.113.9"));
		cr_expect_eq(packet.code, types4[i][1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(types6); i++) {
		struct bytes p = error6(types6[i][0], types6[i][1], ROOM);

		cr_expect_eq(icmp_parse(FAM_6, p.b, p.n, &packet), ICMP_KIND_ERROR, "row %zu", i);
		cr_expect(same_echo(&packet.echo, &echo));
		cr_expect(is_addr(&packet.target, "2001:db8::1"));
	}
}

Test(icmp_packet, errors_that_say_nothing_about_the_target_are_ignored)
{
	static const uint8_t types4[][2] = {{3, 4}, {4, 0}, {5, 1}, {12, 0}, {42, 0}};
	static const uint8_t types6[][2] = {{2, 0}, {4, 0}, {137, 0}};
	struct icmp_packet packet;

	for (size_t i = 0; i < ARRAY_SIZE(types4); i++) {
		struct bytes p = error4(types4[i][0], types4[i][1], ROOM, 0);

		cr_expect_eq(icmp_parse(FAM_4, p.b, p.n, &packet), ICMP_KIND_OTHER, "row %zu", i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(types6); i++) {
		struct bytes p = error6(types6[i][0], types6[i][1], ROOM);

		cr_expect_eq(icmp_parse(FAM_6, p.b, p.n, &packet), ICMP_KIND_OTHER, "row %zu", i);
	}
}

Test(icmp_packet, an_error_that_does_not_quote_the_nonce_is_ignored)
{
	struct icmp_packet packet;

	for (size_t quoted = 0; quoted < 20 + 16; quoted++) {
		struct bytes p = error4(3, 1, quoted, 0);

		cr_expect_eq(icmp_parse(FAM_4, p.b, p.n, &packet), ICMP_KIND_OTHER, "%zu bytes", quoted);
	}
	for (size_t quoted = 0; quoted < 40 + 16; quoted++) {
		struct bytes p = error6(1, 0, quoted);

		cr_expect_eq(icmp_parse(FAM_6, p.b, p.n, &packet), ICMP_KIND_OTHER, "%zu bytes", quoted);
	}
}

Test(icmp_packet, every_cut_of_a_packet_is_refused)
{
	struct icmp_packet packet;
	struct bytes p = reply4(0);
	uint8_t six[ICMP_PACKET_SIZE];

	for (size_t n = 0; n < p.n; n++)
		cr_expect_eq(icmp_parse(FAM_4, p.b, n, &packet), ICMP_KIND_OTHER, "%zu bytes", n);
	icmp_build(FAM_6, &echo, six);
	six[0] = 129;
	for (size_t n = 0; n < 16; n++)
		cr_expect_eq(icmp_parse(FAM_6, six, n, &packet), ICMP_KIND_OTHER, "%zu bytes", n);
}

Test(icmp_packet, damaged_headers_are_refused)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *what;
	} rows[] = {
		{0, 0x65, "version 6"},
		{0, 0x44, "header of 16 bytes"},
		{0, 0x4f, "header beyond its checksum"},
		{9, IPPROTO_UDP, "UDP"},
		{7, 1, "a later fragment"},
		{2, 0xff, "length beyond the packet"},
		{3, 19, "shorter than its header"},
		{22, 0xff, "checksum"},
		{21, 1, "a code"},
	};
	struct icmp_packet packet;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bytes p = reply4(0);

		p.b[rows[i].at] = rows[i].value;
		cr_expect_eq(icmp_parse(FAM_4, p.b, p.n, &packet), ICMP_KIND_OTHER, "%s", rows[i].what);
	}
}

Test(icmp_packet, errors_in_words)
{
	cr_expect_str_eq(icmp_error_text(FAM_4, 3, 1), "host unreachable");
	cr_expect_str_eq(icmp_error_text(FAM_4, 3, 13), "administratively prohibited");
	cr_expect_str_eq(icmp_error_text(FAM_4, 3, 4), "unreachable");
	cr_expect_str_eq(icmp_error_text(FAM_4, 3, 99), "unreachable");
	cr_expect_str_eq(icmp_error_text(FAM_4, 11, 0), "time exceeded (a routing loop?)");
	cr_expect_str_eq(icmp_error_text(FAM_6, 1, 0), "no route");
	cr_expect_str_eq(icmp_error_text(FAM_6, 1, 99), "unreachable");
	cr_expect_str_eq(icmp_error_text(FAM_6, 3, 0), "time exceeded (a routing loop?)");
}

// ---- the socket filter: the kernel runs it over a datagram socket that carries our bytes ------

static bool passes(enum fam fam, uint16_t id, const struct bytes *p)
{
	struct sock_filter filter[ICMP_PACKET_FILTER];
	struct sock_fprog prog = {icmp_filter(fam, id, filter), filter};
	int pair[2];
	uint8_t got[ROOM];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	cr_assert_eq(setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)), 0);
	(void)!send(pair[0], p->b, p->n, MSG_DONTWAIT);
	ssize_t n = recv(pair[1], got, sizeof(got), MSG_DONTWAIT);
	close(pair[0]);
	close(pair[1]);
	return n == (ssize_t)p->n;
}

Test(icmp_packet, the_filter_lets_pass_what_is_for_this_id)
{
	struct bytes reply = reply4(0), options = reply4(8), six = {0}, five = {0};
	struct bytes error = error4(3, 1, ROOM, 0), error_options = error4(11, 0, ROOM, 20);
	struct bytes frag = error4(5, 0, ROOM, 0), error_6 = error6(1, 0, ROOM), big = error6(2, 0, ROOM);

	cr_expect(passes(FAM_4, echo.id, &reply));
	cr_expect(passes(FAM_4, echo.id, &options));
	cr_expect(passes(FAM_4, echo.id, &error));
	cr_expect(passes(FAM_4, echo.id, &error_options));
	cr_expect_not(passes(FAM_4, 1, &reply));
	cr_expect_not(passes(FAM_4, 1, &error_options));
	cr_expect_not(passes(FAM_4, echo.id, &frag), "a redirect");
	cr_expect_not(passes(FAM_4, echo.id, &five), "nothing");
	six.n = ICMP_PACKET_SIZE;
	icmp_build(FAM_6, &echo, six.b);
	cr_expect_not(passes(FAM_6, echo.id, &six), "a request");
	six.b[0] = 129;
	cr_expect(passes(FAM_6, echo.id, &six));
	cr_expect_not(passes(FAM_6, 1, &six));
	cr_expect(passes(FAM_6, echo.id, &error_6));
	cr_expect_not(passes(FAM_6, 1, &error_6));
	cr_expect_not(passes(FAM_6, echo.id, &big));
}
