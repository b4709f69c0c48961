// SPDX-License-Identifier: GPL-2.0-or-later
// Anything that a name server may send. The first byte picks the question; its bit 7 makes the id and
// the question true, which chance alone hardly does.
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "probes/dns_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = {1, 28, 5, 16};
	const uint8_t zero[16] = {0};

	if (size < 1)
		return 0;
	struct dns_question question = {0x1234, "a.example", types[data[0] % 4]};
	struct addr expect = addr_from(data[0] % 4 == 1 ? AF_INET6 : AF_INET, zero);
	struct dns_reply reply;
	uint8_t asked[DNS_QUESTION_MAX], *copy = malloc(size); // of the exact size: reads behind it are seen
	size_t n = dns_build(&question, asked);

	memcpy(copy, data, size);
	if ((data[0] & 0x80) && size > n) {
		asked[2] = 0x80;
		memcpy(asked + 6, copy + 7, 6); // the counts are the fuzzer's
		memcpy(copy + 1, asked, n);
	}
	if (dns_parse(copy + 1, size - 1, &question, &expect, &reply)) {
		assert(reply.rcode < 16);
		assert(reply.records <= size / 11);
		assert(reply.records || !reply.has_expected);
	}
	free(copy);
	return 0;
}
