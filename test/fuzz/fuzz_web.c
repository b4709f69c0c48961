// SPDX-License-Identifier: GPL-2.0-or-later
// What may come to the web page: any bytes as the head of a request.
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "gwd/web_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct web_request request;
	bool whole = web_request_whole((const char *)data, size);
	int status = web_request_parse(&request, (const char *)data, size);
	assert(status == 200 || status == 400 || status == 405 || status == 505);
	assert(strlen(request.path) < sizeof(request.path));
	assert(!*request.path || *request.path == '/');
	assert(!whole || memchr(data, '\n', size));
	return 0;
}
