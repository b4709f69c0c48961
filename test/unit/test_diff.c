// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/core/diff.h"
#include "test/unit/fixture.h"

static unsigned count(const struct ops *ops, enum op_kind kind)
{
	unsigned n = 0;
	vec_each(&ops->op, op)
		n += op->kind == kind;
	return n;
}

static void assert_in_order(const struct ops *ops)
{
	for (size_t i = 1; i < ops->op.n; i++)
		cr_assert_leq(ops->op.v[i - 1].kind, ops->op.v[i].kind);
}

// ---- a backend that only remembers: applies operations to a plan -----------------------------

static void drop(void *array, size_t *n, size_t size, size_t i)
{
	memmove((char *)array + i * size, (char *)array + (i + 1) * size, (*n - i - 1) * size);
	--*n;
}

static int compare_elems(const void *a, const void *b)
{
	return plan_elem_compare(a, b);
}

static int compare_sets(const void *a, const void *b)
{
	return strcmp(((const struct plan_set *)a)->name, ((const struct plan_set *)b)->name);
}

static int compare_routes(const void *a, const void *b)
{
	return plan_route_compare(a, b);
}

static int compare_iprules(const void *a, const void *b)
{
	return plan_iprule_compare(a, b);
}

static struct plan_set *set_of(struct plan *plan, const char *name)
{
	vec_each(&plan->sets, set)
		if (!strcmp(set->name, name))
			return set;
	cr_assert(false, "an operation on the set %s, which is not there", name);
	return NULL;
}

static void apply_route(struct plan *plan, const struct op *op)
{
	for (size_t i = 0; i < plan->routes.n; i++) {
		if (plan_route_compare(&plan->routes.v[i], op->route) != 0)
			continue;
		if (op->kind == OP_ROUTE_DEL || op->kind == OP_ROUTE_CLOSE)
			drop(plan->routes.v, &plan->routes.n, sizeof(*plan->routes.v), i);
		else
			plan->routes.v[i] = *op->route;
		return;
	}
	cr_assert(op->kind == OP_ROUTE_SET || op->kind == OP_ROUTE_OPEN,
		  "a route is deleted that is not there");
	vec_push(&plan->routes, *op->route);
}

static void apply_iprule(struct plan *plan, const struct op *op)
{
	if (op->kind == OP_IPRULE_ADD) {
		vec_push(&plan->iprules, *op->iprule);
		return;
	}
	for (size_t i = 0; i < plan->iprules.n; i++)
		if (!plan_iprule_compare(&plan->iprules.v[i], op->iprule)) {
			drop(plan->iprules.v, &plan->iprules.n, sizeof(*plan->iprules.v), i);
			return;
		}
	cr_assert(false, "an ip rule is deleted that is not there");
}

static void apply_elem(struct plan *plan, const struct op *op)
{
	struct plan_set *set = set_of(plan, op->set->name);
	for (size_t i = 0; i < set->elems.n; i++) {
		if (plan_elem_compare(&set->elems.v[i], op->elem) != 0)
			continue;
		cr_assert_eq(op->kind, OP_ELEM_DEL, "an element is added twice to %s", set->name);
		drop(set->elems.v, &set->elems.n, sizeof(*set->elems.v), i);
		return;
	}
	cr_assert_eq(op->kind, OP_ELEM_ADD, "an element of %s is deleted that is not there", set->name);
	vec_push(&set->elems, *op->elem);
}

static void apply_set(struct plan *plan, const struct plan_set *set)
{
	struct plan_set copy = *set;
	memset(&copy.elems, 0, sizeof(copy.elems));
	vec_each(&set->elems, elem)
		vec_push(&copy.elems, *elem);
	vec_push(&plan->sets, copy);
}

static void sweep(struct plan *plan, const struct plan *to)
{
	for (size_t i = plan->sets.n; i-- > 0;) {
		if (plan_find_set(to, plan->sets.v[i].name))
			continue;
		vec_free(&plan->sets.v[i].elems);
		drop(plan->sets.v, &plan->sets.n, sizeof(*plan->sets.v), i);
	}
}

static void apply_op(struct plan *plan, const struct op *op, const struct plan *to)
{
	switch (op->kind) {
	case OP_ROUTE_CLOSE:
	case OP_ROUTE_OPEN:
	case OP_ROUTE_SET:
	case OP_ROUTE_DEL:
		apply_route(plan, op);
		return;
	case OP_IPRULE_ADD:
	case OP_IPRULE_DEL:
		apply_iprule(plan, op);
		return;
	case OP_CHAINS:
		plan->shape = to->shape;
		return;
	case OP_SERVICE:
		plan->shape = op->shape;
		return;
	case OP_SET_ADD:
		apply_set(plan, op->set);
		return;
	case OP_SET_DEL:
		sweep(plan, to);
		return;
	case OP_ELEM_DEL:
	case OP_ELEM_ADD:
		apply_elem(plan, op);
		return;
	case OP_SWEEP:
		sweep(plan, to);
		return;
	case OP_TUNNEL_SET:
	case OP_TUNNEL_DEL:
	case OP_VIP_ADD:
	case OP_VIP_DEL:
	case OP_SYSCTL:
	case OP_TABLE_DEL:
	case OP_PINS_CLEAR:
	case OP_FLUSH_FIRST:
	case OP_FLUSH:
	case OP_END:
		return;
	}
}

static void assert_same_kernel(struct plan *a, const struct plan *b)
{
	struct ops rest = {0};
	qsort(a->routes.v, a->routes.n, sizeof(*a->routes.v), compare_routes);
	qsort(a->iprules.v, a->iprules.n, sizeof(*a->iprules.v), compare_iprules);
	qsort(a->sets.v, a->sets.n, sizeof(*a->sets.v), compare_sets);
	vec_each(&a->sets, set)
		if (set->elems.n)
			qsort(set->elems.v, set->elems.n, sizeof(*set->elems.v), compare_elems);
	plan_diff(&rest, a, b);
	vec_each(&rest.op, op) {
		char text[256];
		op_text(op, text, sizeof(text));
		cr_assert(op->kind == OP_SYSCTL || op->kind == OP_FLUSH || op->kind == OP_PINS_CLEAR,
			  "left over: %s", text);
	}
	ops_free(&rest);
}

// ---- one plan after the other ----------------------------------------------------------------

struct course {
	struct fixture *f;
	struct plan before, now;
	struct ops ops; // from the one to the other
};

// What the fixture is now is the next plan.
static void course_step(struct course *course)
{
	ops_free(&course->ops);
	plan_free(&course->before);
	course->before = course->now;
	course->now = (struct plan){0};
	fixture_build(course->f, &course->now);
	plan_diff(&course->ops, &course->before, &course->now);
	assert_in_order(&course->ops);
}

static struct course course_begin(struct fixture *f)
{
	struct course course = {.f = f};
	course_step(&course);
	return course;
}

static void course_end(struct course *course)
{
	ops_free(&course->ops);
	plan_free(&course->before);
	plan_free(&course->now);
	fixture_free(course->f);
}

// ---- tests ---------------------------------------------------------------------------------

Test(diff, a_plan_and_itself_differ_in_nothing)
{
	struct fixture *f = fixture_new(3);
	f->balances[0].persistence_ms = 1000;
	struct course course = course_begin(f);
	course_step(&course);
	cr_assert_eq(course.ops.op.n, 0);
	course_end(&course);
}

Test(diff, a_death_is_elements_and_one_flush_per_family)
{
	struct fixture *f = fixture_new(3);
	struct course course = course_begin(f);
	fixture_verdict(f, 2, STATE_DOWN);
	course_step(&course);
	cr_assert_eq(count(&course.ops, OP_FLUSH), 2);
	cr_assert_eq(count(&course.ops, OP_ELEM_DEL),
		     4 * 10); // its slots in default and default.own, both families
	cr_assert_eq(count(&course.ops, OP_ELEM_ADD), 4 * 10);
	cr_assert_eq(course.ops.op.n, 2 + 8 * 10);
	course_end(&course);
}

Test(diff, the_first_load_and_the_removal)
{
	struct fixture *f = fixture_new(2);
	struct plan nothing = {0}, plan = {0};
	struct ops ops = {0};
	fixture_build(f, &plan);
	plan_diff(&ops, &nothing, &plan);
	assert_in_order(&ops);
	cr_assert_eq(count(&ops, OP_CHAINS), 1);
	cr_assert_eq(count(&ops, OP_SET_ADD), plan.sets.n);
	cr_assert_eq(count(&ops, OP_FLUSH), 0);
	cr_assert_eq(count(&ops, OP_SWEEP), 0);
	ops_free(&ops);
	plan_diff(&ops, &plan, &nothing);
	assert_in_order(&ops);
	cr_assert_eq(count(&ops, OP_TABLE_DEL), 1);
	cr_assert_eq(count(&ops, OP_FLUSH), 4);
	cr_assert_eq(count(&ops, OP_IPRULE_DEL), plan.iprules.n);
	cr_assert_eq(count(&ops, OP_ROUTE_DEL), plan.routes.n);
	ops_free(&ops);
	plan_free(&plan);
	fixture_free(f);
}

Test(diff, flows_with_a_lost_address_end_also_without_another_gateway)
{
	struct fixture *f = fixture_new(1);
	struct course course = course_begin(f);
	addr_parse("100.64.9.9", &fixture_iface(f, "wan1")->addrs.v[0].addr);
	course_step(&course);
	cr_assert_eq(count(&course.ops, OP_FLUSH), 1);
	vec_each(&course.ops.op, op)
		if (op->kind == OP_FLUSH)
			cr_assert(op->flush.why == FLUSH_ADDRESS && op->flush.fam == FAM_4);
	course_end(&course);
}

// As long as `change` has not been made nothing is flushed, and then the IPv6 flows of g1.
static void flushes_six(struct fixture *f, void (*change)(struct fixture *f))
{
	struct course course = course_begin(f);
	course_step(&course);
	cr_assert_eq(count(&course.ops, OP_FLUSH), 0);
	change(f);
	course_step(&course);
	cr_assert_eq(count(&course.ops, OP_FLUSH), 1);
	vec_each(&course.ops.op, op)
		if (op->kind == OP_FLUSH)
			cr_assert(op->flush.why == FLUSH_ADDRESS && op->flush.fam == FAM_6);
	course_end(&course);
}

static void another_prefix(struct fixture *f)
{
	cr_assert(prefix_parse("2001:db8:1:9000::/56", &f->facts.prefixes.v[0].prefix));
}

Test(diff, flows_of_another_prefix_end)
{
	struct fixture *f = fixture_new(1);
	struct fact_prefix fact = {.oif = fixture_iface(f, "wan1")->index};
	cr_assert(prefix_parse("2001:db8:1:8000::/56", &fact.prefix));
	vec_push(&f->facts.prefixes, fact);
	f->gateways[0].snat[FAM_6].mode = SNAT_PREFIX;
	flushes_six(f, another_prefix);
}

static void loses_address(struct fixture *f)
{
	fixture_iface(f, "wan1")->addrs.n--;
}

Test(diff, flows_with_a_fixed_address_that_is_gone_end)
{
	struct fixture *f = fixture_new(1);
	struct model_snat *snat = &f->gateways[0].snat[FAM_6];
	snat->mode = SNAT_ADDRESS;
	snat->first = snat->last = fixture_iface(f, "wan1")->addrs.v[1].addr;
	flushes_six(f, loses_address);
}

static void is_translated(struct fixture *f)
{
	f->gateways[0].snat[FAM_6].mode = SNAT_MASQUERADE;
}

Test(diff, flows_that_were_not_translated_end_when_they_should_be)
{
	struct fixture *f = fixture_new(1);
	f->gateways[0].snat[FAM_6].mode = SNAT_NONE;
	flushes_six(f, is_translated);
}

Test(diff, failback_reset_ends_the_others_flows_and_pins_stay_does_not)
{
	for (int reset = 0; reset < 2; reset++) {
		struct fixture *f = fixture_new(3);
		f->balances[0].persistence_ms = 1000;
		f->gateways[0].failback = reset ? FAILBACK_RESET : FAILBACK_STAY;
		fixture_verdict(f, 0, STATE_DOWN);
		struct course course = course_begin(f);
		fixture_verdict(f, 0, STATE_UP);
		course_step(&course);
		cr_assert_eq(count(&course.ops, OP_FLUSH), reset ? 4 : 0); // g2 and g3, two families
		cr_assert_eq(count(&course.ops, OP_PINS_CLEAR), reset ? 2 : 0);
		vec_each(&course.ops.op, op)
			cr_assert(op->kind != OP_FLUSH || strcmp(op->flush.gateway, "g1") != 0);
		course_end(&course);
	}
}

static void disturb(struct fixture *f)
{
	static const enum state states[] = {STATE_UP, STATE_DOWN, STATE_DEGRADED, STATE_UNKNOWN};
	static const enum scheduler kinds[] = {SCHED_RR, SCHED_WRR, SCHED_RANDOM,
					       SCHED_SH, SCHED_DH,  SCHED_FO};
	size_t n = 1 + (size_t)rand() % 6;
	f->model.n_gateways = f->balances[0].n_uses = n;
	for (size_t i = 0; i < n; i++) {
		fixture_verdict(f, i, states[rand() % 4]);
		f->gateways[i].weight = f->uses[i].weight = (unsigned)rand() % 5;
		f->uses[i].tier = 1 + (unsigned)rand() % 2;
		fixture_iface(f, f->ifnames[i])->up = rand() % 4 != 0;
	}
	f->balances[0].persistence_ms = rand() % 2 ? 60000 : 0;
	f->balances[0].scheduler = kinds[rand() % 6];
	f->model.n_rules = (size_t)rand() % 3;
	for (size_t i = 0; i < f->model.n_rules; i++)
		f->rules[i] = (struct model_rule){.name = i ? "ra" : "rb",
						  .target = RULE_GATEWAY,
						  .gateway = (size_t)rand() % n,
						  .own = rand() % 2};
}

Test(diff, property_applied_to_a_it_gives_b)
{
	srand(7);
	for (int round = 0; round < 2000; round++) {
		struct fixture *f = fixture_new(6);
		struct plan a = {0}, b = {0}, kernel = {0};
		struct ops ops = {0};
		disturb(f);
		fixture_build(f, &a);
		fixture_build(f, &kernel); // operations point into a
		disturb(f);
		fixture_build(f, &b);
		plan_diff(&ops, &a, &b);
		assert_in_order(&ops);
		vec_each(&ops.op, op)
			apply_op(&kernel, op, &b);
		assert_same_kernel(&kernel, &b);
		ops_free(&ops);
		plan_free(&a);
		plan_free(&kernel);
		plan_free(&b);
		fixture_free(f);
	}
}

// So many ways are closed, their flows end, and they are opened again.
static void assert_cut_off(const struct ops *ops, size_t ways)
{
	cr_assert_eq(count(ops, OP_ROUTE_CLOSE), ways);
	cr_assert_eq(count(ops, OP_FLUSH_FIRST), ways);
	cr_assert_eq(count(ops, OP_ROUTE_OPEN), ways);
	cr_assert_eq(count(ops, OP_FLUSH), 0);
}

// The old way is closed and its flows end before the new one is there; renaming an interface is no new way.
Test(diff, a_mark_that_leads_elsewhere_is_cut_off_first)
{
	struct fixture *f = fixture_new(3);
	struct course course = course_begin(f);
	const char *first = f->gateways[0].interface;
	f->gateways[0].interface = f->gateways[1].interface;
	f->gateways[1].interface = first;
	course_step(&course);
	assert_cut_off(&course.ops, 4);
	vec_each(&course.ops.op, op)
		cr_assert(op->kind != OP_ROUTE_SET || op->route->table == PLAN_TABLE_MAIN ||
			  op->route->to.len);
	snprintf(fixture_iface(f, first)->name, sizeof(course.now.gateways.v[0].ifname), "renamed");
	f->gateways[1].interface = "renamed";
	course_step(&course);
	assert_cut_off(&course.ops, 0);
	course_end(&course);
}

// Nobody knows the old marks any more, and the ip rules of both must not be there together with a way out.
Test(diff, other_bits_of_marks_cut_off_all_first)
{
	struct fixture *f = fixture_new(2);
	struct course course = course_begin(f);
	f->model.globals.mark_mask >>= 4;
	course_step(&course);
	assert_cut_off(&course.ops, 4);
	course_end(&course);
}
