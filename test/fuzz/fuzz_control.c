// SPDX-License-Identifier: GPL-2.0-or-later
// What may come over the control socket: any bytes as a request. What is taken is written and read
// again, and must be the same.
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/command_list.h"
#include "gwd/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct request *request)
{
	struct request again;
	struct buf line = {0};
	struct err err;
	if (request_write(request, &line, &err) == 0) {
		int rc = request_parse(&again, line.text, line.n - 1, &err);
		assert(rc == 0 && again.n_args == request->n_args && again.json == request->json);
		assert(!strcmp(again.command, request->command));
		for (size_t i = 0; i < again.n_args; i++)
			assert(!strcmp(again.args[i], request->args[i]));
		request_free(&again);
	}
	buf_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request request;
	struct err err = {0};
	int rc = request_parse(&request, (const char *)data, size, &err);
	if (rc == 0) {
		round_trip(&request);
		rc = command_check(&request, &err);
		assert(rc < 0 || command_find(request.command));
	}
	assert(rc == 0 || *err.text);
	request_free(&request);
	return 0;
}
