// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/dns_packet.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "gwd/base/vec.h"

enum {
	HEADER = 12,
	NAME_MAX_BYTES = 255,
	LABEL_MAX = 63,
	POINTER = 0xc0,
	CLASS_IN = 1,
	TYPE_A = 1,
	TYPE_AAAA = 28,
};

// What is left to read of a message.
struct cursor {
	const uint8_t *at, *end;
};

static bool take16(struct cursor *c, uint16_t *out)
{
	if (c->end - c->at < 2)
		return false;
	*out = (uint16_t)(c->at[0] << 8 | c->at[1]);
	c->at += 2;
	return true;
}

static bool skip(struct cursor *c, size_t size)
{
	if ((size_t)(c->end - c->at) < size)
		return false;
	c->at += size;
	return true;
}

// A name is labels up to an empty one or a pointer; where that points does not matter here.
static bool skip_name(struct cursor *c)
{
	while (c->at < c->end) {
		uint8_t length = *c->at;

		if ((length & POINTER) == POINTER)
			return skip(c, 2);
		if (length > LABEL_MAX)
			return false;
		if (!skip(c, (size_t)length + 1))
			return false;
		if (!length)
			return true;
	}
	return false;
}

// ---- the question ----------------------------------------------------------------------------

// Returns the size of the encoded name, or 0.
static size_t put_name(const char *name, uint8_t *out)
{
	size_t n = 0;

	if (!strcmp(name, "."))
		name = "";
	while (*name) {
		size_t length = strcspn(name, ".");

		if (!length || length > LABEL_MAX || n + length + 2 > NAME_MAX_BYTES)
			return 0;
		out[n++] = (uint8_t)length;
		memcpy(out + n, name, length);
		n += length;
		name += length + (name[length] == '.');
	}
	out[n++] = 0;
	return n;
}

size_t dns_build(const struct dns_question *question, uint8_t out[DNS_QUESTION_MAX])
{
	size_t name = put_name(question->name, out + HEADER);
	uint8_t *tail = out + HEADER + name;

	if (!name)
		return 0;
	memset(out, 0, HEADER);
	out[0] = (uint8_t)(question->id >> 8);
	out[1] = (uint8_t)question->id;
	out[2] = 1; // recursion desired
	out[5] = 1; // one question
	tail[0] = (uint8_t)(question->type >> 8);
	tail[1] = (uint8_t)question->type;
	tail[2] = 0;
	tail[3] = CLASS_IN;
	return HEADER + name + 4;
}

// ---- the reply -------------------------------------------------------------------------------

// Letters may come back in another case.
static bool same_question(struct cursor *c, const uint8_t *asked, size_t size)
{
	const uint8_t *begin = c->at;

	if (!skip(c, size))
		return false;
	for (size_t i = 0; i < size; i++) {
		uint8_t a = begin[i], b = asked[i];

		if (a != b && !((a ^ b) == 0x20 && (a | 0x20) >= 'a' && (a | 0x20) <= 'z'))
			return false;
	}
	return true;
}

static bool read_record(struct cursor *c, uint16_t type, const struct addr *expect, struct dns_reply *reply)
{
	uint16_t its_type, class, size;

	if (!skip_name(c) || !take16(c, &its_type) || !take16(c, &class) || !skip(c, 4) || !take16(c, &size))
		return false;
	const uint8_t *data = c->at;
	if (!skip(c, size))
		return false;
	if (its_type != type || class != CLASS_IN)
		return true;
	reply->records++;
	if ((type == TYPE_A && size != 4) || (type == TYPE_AAAA && size != 16))
		return false;
	if (type == TYPE_A || type == TYPE_AAAA) {
		struct addr address = addr_from(type == TYPE_A ? AF_INET : AF_INET6, data);

		reply->has_expected |= addr_equal(&address, expect);
	}
	return true;
}

bool dns_parse(const uint8_t *data, size_t size, const struct dns_question *question,
	       const struct addr *expect, struct dns_reply *reply)
{
	uint8_t asked[DNS_QUESTION_MAX];
	size_t asked_size = dns_build(question, asked);
	struct cursor c = {data, data + size};
	uint16_t id, flags, questions, answers;

	*reply = (struct dns_reply){0};
	if (!asked_size || !take16(&c, &id) || !take16(&c, &flags) || !take16(&c, &questions) ||
	    !take16(&c, &answers) || !skip(&c, 4))
		return false;
	if (id != question->id || !(flags & 0x8000) || (flags & 0x7800) || questions != 1)
		return false;
	if (!same_question(&c, asked + HEADER, asked_size - HEADER))
		return false;
	reply->rcode = flags & 15;
	reply->truncated = flags & 0x0200;
	for (unsigned i = 0; i < answers; i++)
		if (!read_record(&c, question->type, expect, reply))
			return reply->truncated; // it may end anywhere then
	return true;
}

const char *dns_rcode_text(unsigned rcode, char text[12])
{
	static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL",
					    "NXDOMAIN", "NOTIMP",  "REFUSED"};

	snprintf(text, 12, "rcode %u", rcode % 1000);
	return rcode < ARRAY_SIZE(names) ? names[rcode] : text;
}
