// SPDX-License-Identifier: GPL-2.0-or-later
// request: what gwctl asks of gwd, as it travels: {"command":"status","args":["fiber"],"json":true}
//
// gwctl writes it, the control socket reads it; the reader trusts nothing: whatever is not exactly
// such an object is refused with a sentence.
#ifndef GWD_REQUEST_H
#define GWD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct json_t;

#define REQUEST_MAX 65536 // bytes of the line
#define REQUEST_ARGS 16

struct request {
	const char *command;
	const char *args[REQUEST_ARGS];
	size_t n_args;
	bool json;           // the answer should be JSON
	struct json_t *root; // holds the strings of one that was parsed
};

// Fills `request` from a line (which need not end with a 0). Free it also after a failure.
int request_parse(struct request *request, const char *line, size_t size, struct err *err);
void request_free(struct request *request);

// Appends the line, with its newline. -EILSEQ: a word is not UTF-8; -E2BIG: longer than REQUEST_MAX.
int request_write(const struct request *request, struct buf *out, struct err *err);

#endif
