// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/apply.h"

#include "gwd/base/err.h"
#include "gwd/core/diff.h"

static bool apply_is_transaction(enum op_kind kind)
{
	switch (kind) {
	case OP_CHAINS:
	case OP_SERVICE:
	case OP_SET_ADD:
	case OP_ELEM_DEL:
	case OP_ELEM_ADD:
	case OP_SET_DEL:
	case OP_SWEEP:
	case OP_TABLE_DEL:
		return true;
	case OP_ROUTE_CLOSE:
	case OP_ROUTE_OPEN:
	case OP_FLUSH_FIRST:
	case OP_SYSCTL:
	case OP_TUNNEL_SET:
	case OP_TUNNEL_DEL:
	case OP_ROUTE_SET:
	case OP_IPRULE_ADD:
	case OP_VIP_ADD:
	case OP_VIP_DEL:
	case OP_PINS_CLEAR:
	case OP_FLUSH:
	case OP_END:
	case OP_IPRULE_DEL:
	case OP_ROUTE_DEL:
		break;
	}
	return false;
}

// How many operations from the first on belong together; 0: it is a single one.
static size_t apply_length(const struct op *ops, size_t n)
{
	size_t length = 0;
	while (length < n && apply_is_transaction(ops[length].kind))
		length++;
	return length;
}

static size_t apply_ends(const struct op *ops, size_t n)
{
	size_t length = 0;
	while (length < n && ops[length].kind == OP_END)
		length++;
	return length;
}

static void apply_single(const struct apply_backend *backend, struct plan *to, const struct op *op,
			 struct err *minor)
{
	struct err why;
	if (!backend->single(backend->arg, op, &why))
		return;
	*minor = why;
	if (op->kind == OP_SYSCTL) // so that the next diff has it again
		to->sysctls.v[op->sysctl - to->sysctls.v].value[0] = 0;
}

int apply_ops(const struct apply_backend *backend, struct plan *to, const struct ops *ops, struct err *minor,
	      struct err *err)
{
	const struct op *op = ops->op.v, *end = vec_end(&ops->op);
	minor->text[0] = 0;
	while (op != end) {
		struct err why;
		size_t n = apply_ends(op, (size_t)(end - op));
		if (n) {
			if (backend->ends(backend->arg, op, n, &why))
				*minor = why;
			op += n;
			continue;
		}
		n = apply_length(op, (size_t)(end - op));
		if (!n) {
			apply_single(backend, to, op++, minor);
			continue;
		}
		int r = backend->transaction(backend->arg, to, op, n, err);
		if (r)
			return r;
		op += n;
	}
	return 0;
}
