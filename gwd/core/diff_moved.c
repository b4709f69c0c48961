// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/diff_moved.h"

#include <string.h>

#include "gwd/core/diff.h"
#include "gwd/core/plan.h"

// Where flows with that mark go out; NULL: nowhere.
static const struct plan_route *moved_route(const struct plan *plan, enum fam fam, uint32_t mark)
{
	uint32_t table = 0;
	vec_each(&plan->iprules, rule)
		if (rule->fam == fam && rule->mark == mark && rule->mask && rule->table)
			table = rule->table;
	vec_each(&plan->routes, route)
		if (table && route->fam == fam && route->table == table && !route->to.len &&
		    route->type == PLAN_ROUTE_LEADS)
			return route;
	return NULL;
}

static const struct plan_gateway *moved_owner(const struct plan *plan, uint32_t mark)
{
	vec_each(&plan->gateways, gw)
		if (gw->mark == mark)
			return gw;
	return NULL;
}

static bool moved_source(const struct plan_gateway *old, const struct plan_gateway *gw, enum fam fam)
{
	return !addr_is_none(&old->source[fam]) && !addr_equal(&old->source[fam], &gw->source[fam]);
}

// What was read back (an adoption) has routes, but no names of interfaces; and an interface may be renamed.
static bool moved_is(const struct plan_gateway *old, const struct plan_gateway *gw,
		     const struct plan_route *left, const struct plan_route *right, enum fam fam)
{
	if (!left || !right)
		return *old->ifname && strcmp(old->ifname, gw->ifname) != 0;
	// on the same wire, too, another router may want another source
	return left->oif != right->oif ||
	       (!addr_equal(&left->via, &right->via) && moved_source(old, gw, fam));
}

static void moved_cut(struct ops *ops, const struct plan *from, const struct plan_gateway *gw, enum fam fam)
{
	struct op op = {
		.kind = OP_FLUSH_FIRST,
		.flush = {.fam = fam, .mark = gw->mark, .mask = from->mark_mask, .why = FLUSH_GONE},
	};
	memcpy(op.flush.gateway, gw->name, sizeof(op.flush.gateway));
	vec_push(&ops->op, op);
}

void diff_moved(struct ops *ops, const struct plan *from, const struct plan *to)
{
	struct ops flushes = {0};
	bool all = to->active && from->mark_mask != to->mark_mask;
	vec_each(&from->gateways, old) {
		const struct plan_gateway *gw = moved_owner(to, old->mark);
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
			const struct plan_route *left = moved_route(from, fam, old->mark);
			const struct plan_route *right = moved_route(to, fam, old->mark);
			if (!all && !(gw && moved_is(old, gw, left, right, fam)))
				continue;
			if (left)
				vec_push(&ops->op, (struct op){.kind = OP_ROUTE_CLOSE, .route = left});
			moved_cut(&flushes, from, old, fam);
		}
	}
	vec_each(&flushes.op, op)
		vec_push(&ops->op, *op);
	ops_free(&flushes);
}

bool diff_moved_waits(const struct ops *ops, const struct plan *to, const struct plan_route *route)
{
	if (route->to.len || route->type != PLAN_ROUTE_LEADS)
		return false;
	vec_each(&ops->op, op) {
		if (op->kind > OP_FLUSH_FIRST)
			break;
		if (op->kind == OP_ROUTE_CLOSE ? !plan_route_compare(op->route, route)
					       : moved_route(to, op->flush.fam, op->flush.mark) == route)
			return true;
	}
	return false;
}

void diff_moved_open(struct ops *ops, const struct plan *to)
{
	vec_each(&to->routes, route)
		if (diff_moved_waits(ops, to, route))
			vec_push(&ops->op, (struct op){.kind = OP_ROUTE_OPEN, .route = route});
}
