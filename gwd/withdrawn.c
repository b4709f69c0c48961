// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/withdrawn.h"

#include <sys/socket.h>

#include "gwd/base/log.h"
#include "gwd/base/vec.h"
#include "gwd/core/diff.h"
#include "gwd/core/facts.h"
#include "gwd/core/plan.h"
#include "nft/conntrack.h"
#include "nft/conntrack_end.h"

struct withdrawn {
	VEC(struct prefix) nets;
	size_t n; // flows
};

static bool withdrawn_has(const struct withdrawn *withdrawn, const struct addr *addr)
{
	vec_each(&withdrawn->nets, net)
		if (prefix_contains(net, addr))
			return true;
	return false;
}

// Both ends as they are, not as the other one sees them.
static enum ct_end withdrawn_ends(void *arg, const struct ct_flow *flow)
{
	struct withdrawn *withdrawn = arg;
	bool ends = withdrawn_has(withdrawn, &flow->orig.src) || withdrawn_has(withdrawn, &flow->reply.src);
	withdrawn->n += ends;
	return ends ? CT_ENDS : CT_STAYS;
}

// Inside by another route, which is longer or shorter.
static bool withdrawn_is_guarded(const struct plan *to, const struct prefix *net)
{
	vec_each(&to->routes, route)
		if (plan_route_is_guard(route) && route->fam == addr_fam(&net->addr) &&
		    route->to.len < net->len && prefix_contains(&route->to, &net->addr))
			return true;
	return false;
}

// A guard may be taken away for other reasons.
static bool withdrawn_is_there(const struct facts *facts, const struct prefix *net)
{
	vec_each(&facts->nets, fact)
		if (!fact->local && fact->to.len == net->len && addr_equal(&fact->to.addr, &net->addr))
			return true;
	return false;
}

int withdrawn_end(struct conntrack *ct, const struct ops *ops, const struct plan *to,
		  const struct facts *facts, struct err *err)
{
	struct withdrawn withdrawn = {0};
	struct ct_which which = {.family = AF_UNSPEC};
	int r = 0;
	if (!to->active || facts->nets_many)
		return 0;
	vec_each(&ops->op, op) {
		if (op->kind != OP_ROUTE_DEL || !plan_route_is_guard(op->route) ||
		    withdrawn_is_guarded(to, &op->route->to) || withdrawn_is_there(facts, &op->route->to))
			continue;
		vec_push(&withdrawn.nets, op->route->to);
	}
	if (withdrawn.nets.n)
		r = conntrack_end(ct, &which, withdrawn_ends, NULL, &withdrawn, err);
	if (withdrawn.n)
		log_info("engine", "%zu flows ended from or to networks that are gone", withdrawn.n);
	vec_free(&withdrawn.nets);
	return r;
}
