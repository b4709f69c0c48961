// SPDX-License-Identifier: GPL-2.0-or-later
// Any body in any pieces: the text is found exactly if it is there. Input: length of the text, length of
// the pieces, the text, the body.
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probes/http_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_body body;
	char text[17] = {0};

	if (size < 2)
		return 0;
	size_t length = data[0] % 16 + 1, piece = data[1] + 1u;
	if (size < 2 + length || memchr(data + 2, 0, length))
		return 0;
	memcpy(text, data + 2, length);
	const uint8_t *all = data + 2 + length;
	size_t n = size - 2 - length;
	http_body_init(&body, text);
	for (size_t at = 0; at < n; at += piece)
		if (!http_body_add(&body, (const char *)all + at, n - at < piece ? n - at : piece))
			break;
	if (n < HTTP_BODY_MAX)
		assert(http_body_found(&body) == (memmem(all, n, text, length) != NULL));
	http_body_free(&body);
	return 0;
}
