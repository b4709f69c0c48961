// SPDX-License-Identifier: GPL-2.0-or-later
// client: gwctl's end of the control socket: one request, one reply, with a time limit.
#ifndef GWD_CLIENT_H
#define GWD_CLIENT_H

#include <stddef.h>

struct buf;
struct err;
struct request;

// Asks the gwd on `path`. 0: `*exit` is what it answered (0 done, 1 failed, 2 usage) and `body` its
// text. Otherwise -errno and a sentence that says what to do.
// What follows an answer as it comes (gwctl events -f) is given to `follow`, until gwd ends: then it is
// 0, too.
int client_ask(const char *path, const struct request *request, int *exit, struct buf *body,
	       void (*follow)(const char *text, size_t n), struct err *err);

#endif
