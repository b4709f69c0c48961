// SPDX-License-Identifier: GPL-2.0-or-later
// trace_ask: what `gwctl trace` is asked, word by word: FROM TO [PROTO [DPORT]] [from-port N] [dscp N] …
#ifndef GWD_TRACE_ASK_H
#define GWD_TRACE_ASK_H

#include <stddef.h>

#include "gwd/core/trace.h"

struct err;

struct trace_question {
	struct trace_flow flow;
	char iif[16]; // "": not said
};

// 0, or -EINVAL and the sentence.
int trace_ask(struct trace_question *question, const char *const *words, size_t n, struct err *err);

#endif
