// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/diff.h"

#include <stdio.h>
#include <string.h>

#include "gwd/core/diff_moved.h"
#include "gwd/core/diff_real.h"
#include "gwd/core/diff_service.h"
#include "gwd/core/names.h"
#include "gwd/core/tunnel.h"
#include "gwd/core/vip.h"

// Sorted arrays are walked side by side: who is only on the left is gone, who is only on the right is
// new. `left` and `right` are loop cursors; `order` says which side is behind.
#define DIFF_ORDER(left, left_end, right, right_end, compare) \
	((left) == (left_end) ? 1 : (right) == (right_end) ? -1 : compare(left, right))

static void diff_sysctls(struct ops *ops, const struct plan *from, const struct plan *to)
{
	vec_each(&to->sysctls, want) {
		bool known = false;
		vec_each(&from->sysctls, have)
			known |= !strcmp(have->path, want->path) && !strcmp(have->value, want->value);
		if (!known)
			vec_push(&ops->op, (struct op){.kind = OP_SYSCTL, .sysctl = want});
	}
}

static void diff_routes(struct ops *ops, const struct plan *from, const struct plan *to, bool gone)
{
	const struct plan_route *left = from->routes.v, *left_end = vec_end(&from->routes);
	const struct plan_route *right = to->routes.v, *right_end = vec_end(&to->routes);
	while (left != left_end || right != right_end) {
		int order = DIFF_ORDER(left, left_end, right, right_end, plan_route_compare);
		if (order < 0 && gone)
			vec_push(&ops->op, (struct op){.kind = OP_ROUTE_DEL, .route = left});
		bool differs = order > 0 || (!order && !plan_route_equal(left, right));
		if (!gone && differs && !diff_moved_waits(ops, to, right))
			vec_push(&ops->op, (struct op){.kind = OP_ROUTE_SET, .route = right});
		if (order <= 0)
			left++;
		if (order >= 0)
			right++;
	}
}

static void diff_iprules(struct ops *ops, const struct plan *from, const struct plan *to, bool gone)
{
	const struct plan_iprule *left = from->iprules.v, *left_end = vec_end(&from->iprules);
	const struct plan_iprule *right = to->iprules.v, *right_end = vec_end(&to->iprules);
	while (left != left_end || right != right_end) {
		int order = DIFF_ORDER(left, left_end, right, right_end, plan_iprule_compare);
		if (order < 0 && gone)
			vec_push(&ops->op, (struct op){.kind = OP_IPRULE_DEL, .iprule = left});
		if (order > 0 && !gone)
			vec_push(&ops->op, (struct op){.kind = OP_IPRULE_ADD, .iprule = right});
		if (order <= 0)
			left++;
		if (order >= 0)
			right++;
	}
}

static void diff_vips(struct ops *ops, const struct plan *from, const struct plan *to, bool gone)
{
	const struct plan_vip *left = from->vips.v, *left_end = vec_end(&from->vips);
	const struct plan_vip *right = to->vips.v, *right_end = vec_end(&to->vips);
	while (left != left_end || right != right_end) {
		int order = DIFF_ORDER(left, left_end, right, right_end, vip_compare);
		if (order < 0 && gone)
			vec_push(&ops->op, (struct op){.kind = OP_VIP_DEL, .vip = left});
		if (order > 0 && !gone)
			vec_push(&ops->op, (struct op){.kind = OP_VIP_ADD, .vip = right});
		if (order <= 0)
			left++;
		if (order >= 0)
			right++;
	}
}

static void diff_tunnels(struct ops *ops, const struct plan *from, const struct plan *to, bool gone)
{
	const struct plan_tunnel *left = from->tunnels.v, *left_end = vec_end(&from->tunnels);
	const struct plan_tunnel *right = to->tunnels.v, *right_end = vec_end(&to->tunnels);
	while (left != left_end || right != right_end) {
		int order = DIFF_ORDER(left, left_end, right, right_end, tunnel_compare);
		if (order < 0 && gone)
			vec_push(&ops->op, (struct op){.kind = OP_TUNNEL_DEL, .tunnel = left});
		if (!gone && (order > 0 || (!order && !tunnel_equal(left, right))))
			vec_push(&ops->op, (struct op){.kind = OP_TUNNEL_SET, .tunnel = right});
		if (order <= 0)
			left++;
		if (order >= 0)
			right++;
	}
}

static bool diff_same_data(const struct plan_set *set, const struct plan_elem *a, const struct plan_elem *b)
{
	bool same_last =
		set->flowtable || !memcmp(a->last, b->last, sizeof(a->last)); // names of devices there
	return a->mark == b->mark && !strcmp(a->chain, b->chain) && same_last;
}

static void diff_elems(struct ops *ops, const struct plan_set *from, const struct plan_set *to,
		       enum op_kind kind)
{
	const struct plan_elem *left = from->elems.v, *left_end = vec_end(&from->elems);
	const struct plan_elem *right = to->elems.v, *right_end = vec_end(&to->elems);
	while (left != left_end || right != right_end) {
		int order = DIFF_ORDER(left, left_end, right, right_end, plan_elem_compare);
		bool changed = !order && !diff_same_data(to, left, right);
		if (kind == OP_ELEM_DEL && (order < 0 || changed))
			vec_push(&ops->op, (struct op){.kind = kind, .set = to, .elem = left});
		if (kind == OP_ELEM_ADD && (order > 0 || changed))
			vec_push(&ops->op, (struct op){.kind = kind, .set = to, .elem = right});
		if (order <= 0)
			left++;
		if (order >= 0)
			right++;
	}
}

void plan_diff_set(struct ops *ops, const struct plan_set *from, const struct plan_set *to)
{
	diff_elems(ops, from, to, OP_ELEM_DEL);
	diff_elems(ops, from, to, OP_ELEM_ADD);
}

// `anew`: no rule stands in the way of a set that is to have other room, or another key.
static void diff_sets(struct ops *ops, const struct plan *from, const struct plan *to, bool anew)
{
	vec_each(&to->sets, set) {
		const struct plan_set *old = plan_find_set(from, set->name);
		bool renewed = old && anew && diff_is_renewed(old, set);
		if (!old || renewed)
			vec_push(&ops->op, (struct op){.kind = OP_SET_ADD, .set = set, .renewed = renewed});
	}
	for (enum op_kind kind = OP_ELEM_DEL; kind <= OP_ELEM_ADD; kind++) {
		vec_each(&to->sets, set) {
			const struct plan_set *old = plan_find_set(from, set->name);
			if (old && old->elems.v != set->elems.v && !set->dynamic &&
			    !(anew && diff_is_renewed(old, set)))
				diff_elems(ops, old, set, kind);
		}
	}
}

static bool diff_leaves_rest(const struct plan *from, const struct plan *to)
{
	vec_each(&from->sets, set)
		if (!plan_find_set(to, set->name))
			return true;
	return from->shape != to->shape && from->shape;
}

static const struct plan_gateway *diff_gateway(const struct plan *plan, const char *name)
{
	vec_each(&plan->gateways, gw)
		if (!strcmp(gw->name, name))
			return gw;
	return NULL;
}

static bool diff_flush_known(const struct ops *ops, const struct plan_gateway *gw, enum fam fam)
{
	vec_each(&ops->op, op)
		if ((op->kind == OP_FLUSH || op->kind == OP_FLUSH_FIRST) && op->flush.mark == gw->mark &&
		    op->flush.fam == fam)
			return true;
	return false;
}

static void diff_flush(struct ops *ops, const struct plan *plan, const struct plan_gateway *gw, enum fam fam,
		       enum op_flush_why why)
{
	struct op op = {
		.kind = OP_FLUSH,
		.flush = {.fam = fam, .mark = gw->mark, .mask = plan->mark_mask, .why = why},
	};
	memcpy(op.flush.gateway, gw->name, sizeof(op.flush.gateway));
	if (!diff_flush_known(ops, gw, fam))
		vec_push(&ops->op, op);
}

static bool diff_lost_address(const struct plan_gateway *old, const struct plan_gateway *gw, enum fam fam)
{
	// what was begun untranslated would stay so, with an inside address
	if (old->snat[fam].mode == SNAT_NONE)
		return gw->snat[fam].mode != SNAT_NONE;
	switch (gw->snat[fam].mode) {
	case SNAT_MASQUERADE:
		return !addr_is_none(&old->source[fam]) && !addr_equal(&old->source[fam], &gw->source[fam]);
	case SNAT_PREFIX:
		return old->snat[fam].prefix.len &&
		       (old->snat[fam].prefix.len != gw->snat[fam].prefix.len ||
			!addr_equal(&old->snat[fam].prefix.addr, &gw->snat[fam].prefix.addr));
	case SNAT_ADDRESS:
		return old->snat_here[fam] && !gw->snat_here[fam];
	case SNAT_NONE:
		return false;
	}
	return false;
}

// Flows that can't go on where they are.
static void diff_flushes(struct ops *ops, const struct plan *from, const struct plan *to)
{
	vec_each(&from->gateways, old) {
		const struct plan_gateway *gw = diff_gateway(to, old->name);
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++) {
			if (!gw || gw->mark != old->mark)
				diff_flush(ops, from, old, fam, FLUSH_GONE);
			else if (gw->move_flows[fam] && !old->move_flows[fam])
				diff_flush(ops, to, gw, fam, FLUSH_MOVE);
			else if (diff_lost_address(old, gw, fam))
				diff_flush(ops, to, gw, fam, FLUSH_ADDRESS);
		}
	}
}

static bool diff_came_back(const struct plan *from, const struct plan_gateway *gw, enum fam fam)
{
	const struct plan_gateway *old = diff_gateway(from, gw->name);
	return gw->reset_others && old && !old->usable[fam] && gw->usable[fam];
}

// failback = reset: the other members of the groups where it serves again lose their flows and pins.
static void diff_resets(struct ops *ops, const struct plan *from, const struct plan *to, enum fam fam,
			bool pins)
{
	vec_each(&to->groups, group) {
		bool reset = false;
		vec_each(&group->members, member)
			reset |= member->active[fam] &&
				 diff_came_back(from, &to->gateways.v[member->gateway], fam);
		if (!reset)
			continue;
		char name[PLAN_NAME_SIZE];
		const struct plan_set *set = plan_find_set(to, name_pins(name, fam, group));
		if (pins && set)
			vec_push(&ops->op, (struct op){.kind = OP_PINS_CLEAR, .set = set});
		vec_each(&group->members, member)
			if (!pins && !diff_came_back(from, &to->gateways.v[member->gateway], fam))
				diff_flush(ops, to, &to->gateways.v[member->gateway], fam, FLUSH_RESET);
	}
}

static void diff_tables(struct ops *ops, const struct plan *from, const struct plan *to)
{
	bool services = diff_is_services(from, to), anew = !services && from->shape != to->shape;
	if (anew)
		vec_push(&ops->op, (struct op){.kind = OP_CHAINS});
	else if (from->shape != to->shape)
		diff_services(ops, from, to);
	diff_sets(ops, from, to, anew);
	if (services)
		diff_gone_sets(ops, from, to);
	else if (diff_leaves_rest(from, to))
		vec_push(&ops->op, (struct op){.kind = OP_SWEEP});
}

void plan_diff(struct ops *ops, const struct plan *from, const struct plan *to)
{
	diff_moved(ops, from, to);
	diff_sysctls(ops, from, to);
	diff_tunnels(ops, from, to, false);
	diff_routes(ops, from, to, false);
	diff_iprules(ops, from, to, false);
	if (to->active)
		diff_tables(ops, from, to);
	else if (from->active)
		vec_push(&ops->op, (struct op){.kind = OP_TABLE_DEL});
	diff_vips(ops, from, to, false);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		diff_resets(ops, from, to, fam, true);
	diff_flushes(ops, from, to);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		diff_resets(ops, from, to, fam, false);
	diff_ends(ops, from, to);
	diff_vips(ops, from, to, true);
	diff_iprules(ops, from, to, true);
	diff_moved_open(ops, to);
	diff_routes(ops, from, to, true);
	diff_tunnels(ops, from, to, true);
}

void ops_free(struct ops *ops)
{
	vec_free(&ops->op);
}

// ---- as text -------------------------------------------------------------------------------

static void op_route_text(const char *verb, const struct plan_route *route, char *text, size_t size)
{
	char via[ADDR_TEXT];
	if (route->to.len)
		snprintf(text, size, "route %s %s %s/%u table %u", verb, plan_route_type_text(route->type),
			 addr_text(&route->to.addr, via), route->to.len, route->table);
	else if (route->type == PLAN_ROUTE_UNREACHABLE)
		snprintf(text, size, "route %s unreachable %s default table %u", verb,
			 route->fam == FAM_4 ? "IPv4" : "IPv6", route->table);
	else
		snprintf(text, size, "route %s default via %s dev %s table %u", verb,
			 addr_text(&route->via, via), route->ifname, route->table);
}

static void op_iprule_text(const char *verb, const struct plan_iprule *rule, char *text, size_t size)
{
	snprintf(text, size, "rule %s %s priority %u fwmark 0x%08x/0x%08x table %u", verb,
		 rule->fam == FAM_4 ? "IPv4" : "IPv6", rule->priority, rule->mark, rule->mask, rule->table);
}

static void op_elem_text(const char *verb, const struct op *op, char *text, size_t size)
{
	char key[2 * PLAN_KEY_SIZE + 1] = "";
	unsigned n = plan_set_key_size(op->set);
	for (unsigned i = 0; i < n; i++)
		snprintf(key + 2 * i, 3, "%02x", op->elem->key[i]);
	snprintf(text, size, "element %s %s %s %s", verb, op->set->name, key, op->elem->chain);
}

void op_text(const struct op *op, char *text, size_t size)
{
	char address[ADDR_TEXT];
	switch (op->kind) {
	case OP_SYSCTL:
		snprintf(text, size, "sysctl %s = %s", op->sysctl->path, op->sysctl->value);
		return;
	case OP_ROUTE_OPEN:
	case OP_ROUTE_SET:
		op_route_text("set", op->route, text, size);
		return;
	case OP_ROUTE_CLOSE:
	case OP_ROUTE_DEL:
		op_route_text("del", op->route, text, size);
		return;
	case OP_IPRULE_ADD:
		op_iprule_text("add", op->iprule, text, size);
		return;
	case OP_IPRULE_DEL:
		op_iprule_text("del", op->iprule, text, size);
		return;
	case OP_CHAINS:
		snprintf(text, size, "chains");
		return;
	case OP_SERVICE:
		snprintf(text, size, "chains of %s", op->service ? op->service->name : op->was->name);
		return;
	case OP_SET_ADD:
	case OP_SET_DEL:
		snprintf(text, size, "set %s %s", op->kind == OP_SET_ADD ? "add" : "del", op->set->name);
		return;
	case OP_ELEM_DEL:
		op_elem_text("del", op, text, size);
		return;
	case OP_ELEM_ADD:
		op_elem_text("add", op, text, size);
		return;
	case OP_SWEEP:
		snprintf(text, size, "sweep");
		return;
	case OP_TABLE_DEL:
		snprintf(text, size, "table del");
		return;
	case OP_VIP_ADD:
	case OP_VIP_DEL:
		snprintf(text, size, "address %s %s on %s", op->kind == OP_VIP_ADD ? "add" : "del",
			 addr_text(&op->vip->addr, address), op->vip->ifname);
		return;
	case OP_TUNNEL_SET:
	case OP_TUNNEL_DEL:
		snprintf(text, size, "tunnel %s %s to %s", op->kind == OP_TUNNEL_SET ? "set" : "del",
			 op->tunnel->ifname, addr_text(&op->tunnel->remote, address));
		return;
	case OP_PINS_CLEAR:
		snprintf(text, size, "pins clear %s", op->set->name);
		return;
	case OP_END:
		snprintf(text, size, "end %s/%s", op->service->name, op->real->name);
		return;
	case OP_FLUSH_FIRST:
	case OP_FLUSH:
		snprintf(text, size, "flush %s %s", op->flush.gateway,
			 op->flush.fam == FAM_4 ? "IPv4" : "IPv6");
		return;
	}
}
