// SPDX-License-Identifier: GPL-2.0-or-later
// err: one sentence about what went wrong, carried beside a -errno.
//
// Every function that can fail for a reason the operator should read takes a `struct err *` and
// returns 0 or -errno. The sentence says what failed and what would be right; the caller decides
// whether to log it or print it. Nothing here allocates.
#ifndef GWD_BASE_ERR_H
#define GWD_BASE_ERR_H

struct err {
	char text[512]; // a sentence without a full stop; empty when nothing failed
};

// Stores the sentence (cut to fit) and returns -code. `code` is a positive errno; `err` may be NULL.
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

// As err_set(), with ": " and the C library's text of `code` behind the sentence.
int err_errno(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
