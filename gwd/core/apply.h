// SPDX-License-Identifier: GPL-2.0-or-later
// apply: carries out the operations of a diff, in their order, and knows which of them may fail.
//
// Called by settle.c with the kernel behind the backend, and by tests with one that records and refuses.
// Guarantees: operations on the table that follow each other are one transaction. A transaction that is
// refused ends it, since all that follows relies on it: nobody's flows are ended before another gateway
// takes them. Anything else that is refused (a route, a sysctl, a flush) must not keep the rest from being
// done, a failover least of all: it is remembered, the rest goes on, and it is for the caller to try again.
#ifndef GWD_CORE_APPLY_H
#define GWD_CORE_APPLY_H

#include <stddef.h>

struct err;
struct op;
struct ops;
struct plan;

// 0 or -errno and the sentence, each.
struct apply_backend {
	int (*transaction)(void *arg, const struct plan *to, const struct op *ops, size_t n, struct err *err);
	int (*single)(void *arg, const struct op *op, struct err *err); // what is not part of a transaction
	int (*ends)(void *arg, const struct op *ops, size_t n, struct err *err); // all of OP_END in a row
	void *arg;
};

// `ops` leads to `to`. A sysctl that was refused is taken out of `to`, which then says what is in force. 0, and
// in `minor` the last sentence about what was refused all the same, "" if nothing was; or the -errno and the
// sentence of the transaction that ended it.
int apply_ops(const struct apply_backend *backend, struct plan *to, const struct ops *ops, struct err *minor,
	      struct err *err);

#endif
