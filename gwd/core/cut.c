// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/cut.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/core/plan.h"

#define CUT_COPIES 4 // times as many rules may stand in the lists as there are

// One rule's values of the field.
struct cut_range {
	uint8_t first[16], last[16];
	size_t rule; // index into cut_work.rules
};

struct cut_edge {
	uint8_t at[16];
	size_t rule;
	int change; // +1: from here on, -1: no more from here on
};

struct cut_work {
	const struct plan *plan;
	enum fam fam;
	enum cut_field field;
	unsigned size;     // bytes of a value
	VEC(size_t) rules; // of this family and side: indices into plan.rules
	VEC(struct cut_edge) edges;
	bool *anywhere;  // by index into `rules`: it does not care about the field
	unsigned *cover; // how many of its ranges cover the place that is looked at
};

// ---- what each rule wants ----------------------------------------------------------------------

static bool cut_has_family(const struct prefix *prefixes, size_t n, enum fam fam)
{
	for (size_t i = 0; i < n; i++)
		if (addr_fam(&prefixes[i].addr) == fam)
			return true;
	return !n;
}

static bool cut_is_possible(const struct plan_rule *rule, enum fam fam)
{
	return cut_has_family(rule->from.v, rule->from.n, fam) &&
	       (rule->by_name || cut_has_family(rule->to.v, rule->to.n, fam));
}

static void cut_range(struct cut_work *work, size_t rule, const void *first, const void *last)
{
	struct cut_edge edge = {.rule = rule, .change = 1};
	memcpy(edge.at, first, work->size);
	vec_push(&work->edges, edge);
	memcpy(edge.at, last, work->size);
	edge.change = -1;
	if (addr_bytes_next(edge.at, work->size)) // else up to the very last value
		vec_push(&work->edges, edge);
}

static void cut_prefixes(struct cut_work *work, size_t rule, const struct prefix *prefixes, size_t n)
{
	work->anywhere[rule] = !n;
	for (size_t i = 0; i < n; i++) {
		struct addr last = prefix_last(&prefixes[i]);
		if (addr_fam(&last) == work->fam)
			cut_range(work, rule, prefixes[i].addr.b, last.b);
	}
}

static void cut_ports(struct cut_work *work, size_t rule, const struct plan_rule *from)
{
	work->anywhere[rule] = !from->ports.n;
	vec_each(&from->ports, ports) {
		uint16_t first = htons(ports->first), last = htons(ports->last);
		cut_range(work, rule, &first, &last);
	}
}

static void cut_wants(struct cut_work *work, size_t i)
{
	const struct plan_rule *rule = &work->plan->rules.v[work->rules.v[i]];
	switch (work->field) {
	case CUT_TO: // addresses of names come and go: they are asked for everywhere
		cut_prefixes(work, i, rule->to.v, rule->by_name ? 0 : rule->to.n);
		return;
	case CUT_FROM:
		cut_prefixes(work, i, rule->from.v, rule->from.n);
		return;
	case CUT_PORT:
		cut_ports(work, i, rule);
		return;
	case CUT_NONE:
		return;
	}
}

// ---- the parts, in order -----------------------------------------------------------------------

static int cut_order(const void *a, const void *b)
{
	return memcmp(((const struct cut_edge *)a)->at, ((const struct cut_edge *)b)->at, 16);
}

static bool cut_same(const struct cut_list *a, const struct cut_list *b)
{
	return a->rules.n == b->rules.n && !memcmp(a->rules.v, b->rules.v, a->rules.n * sizeof(*a->rules.v));
}

// Index of the list of all rules that are possible here; one that is there already is taken again.
static size_t cut_list_here(struct cut *cut, const struct cut_work *work)
{
	struct cut_list list = {0};
	for (size_t i = 0; i < work->rules.n; i++)
		if (work->anywhere[i] || work->cover[i])
			vec_push(&list.rules, work->rules.v[i]);
	for (size_t i = cut->lists.n; i-- > 0;)
		if (cut_same(&cut->lists.v[i], &list)) {
			vec_free(&list.rules);
			return i;
		}
	vec_push(&cut->lists, list);
	return cut->lists.n - 1;
}

static bool cut_any_cover(const struct cut_work *work)
{
	for (size_t i = 0; i < work->rules.n; i++)
		if (work->cover[i])
			return true;
	return false;
}

// From `first` up to the value before `next`; NULL: to the end.
static void cut_add_part(struct cut *cut, const struct cut_work *work, const uint8_t *first,
			 const uint8_t *next)
{
	if (!cut_any_cover(work))
		return;
	struct cut_part part = {.list = cut_list_here(cut, work)};
	memcpy(part.first, first, work->size);
	memset(part.last, 0xff, work->size);
	if (next) {
		memcpy(part.last, next, work->size);
		addr_bytes_before(part.last, work->size);
	}
	struct cut_part *before = cut->parts.n ? &cut->parts.v[cut->parts.n - 1] : NULL;
	uint8_t behind[16];
	if (before && before->list == part.list) {
		memcpy(behind, before->last, sizeof(behind));
		if (addr_bytes_next(behind, work->size) && !memcmp(behind, part.first, work->size)) {
			memcpy(before->last, part.last, sizeof(part.last));
			return;
		}
	}
	vec_push(&cut->parts, part);
}

static void cut_sweep(struct cut *cut, struct cut_work *work)
{
	const struct cut_edge *edges = work->edges.v;
	if (work->edges.n)
		qsort(work->edges.v, work->edges.n, sizeof(*work->edges.v), cut_order);
	for (size_t i = 0; i < work->edges.n;) {
		size_t k = i;
		for (; k < work->edges.n && !memcmp(edges[k].at, edges[i].at, work->size); k++)
			work->cover[edges[k].rule] += (unsigned)edges[k].change;
		cut_add_part(cut, work, edges[i].at, k < work->edges.n ? edges[k].at : NULL);
		i = k;
	}
}

static void cut_by(struct cut *cut, struct cut_work *work, enum cut_field field)
{
	size_t n = work->rules.n;
	cut->field = work->field = field;
	work->size = field == CUT_PORT ? 2 : work->fam == FAM_4 ? 4 : 16;
	work->anywhere = xcalloc(n, sizeof(*work->anywhere));
	work->cover = xcalloc(n, sizeof(*work->cover));
	for (size_t i = 0; i < n; i++)
		cut_wants(work, i);
	cut_sweep(cut, work);
	for (size_t i = 0; i < n; i++)
		if (work->anywhere[i])
			vec_push(&cut->rest, work->rules.v[i]);
	free(work->anywhere);
	free(work->cover);
	vec_free(&work->edges);
}

// ---- which field -------------------------------------------------------------------------------

// Rules to ask at worst; SIZE_MAX where the lists would be out of proportion.
static size_t cut_worst(const struct cut *cut, size_t n_rules)
{
	size_t worst = cut->rest.n, copies = 0;
	vec_each(&cut->lists, list) {
		worst = list->rules.n > worst ? list->rules.n : worst;
		copies += list->rules.n;
	}
	return copies > CUT_COPIES * n_rules ? SIZE_MAX : worst;
}

void cut_make(struct cut *cut, const struct plan *plan, bool own, enum fam fam)
{
	struct cut_work work = {.plan = plan, .fam = fam};
	for (size_t i = 0; i < plan->rules.n; i++)
		if (plan->rules.v[i].own == own && cut_is_possible(&plan->rules.v[i], fam))
			vec_push(&work.rules, i);
	size_t best = work.rules.n / 2 + 1; // at least half must be saved
	for (enum cut_field field = CUT_TO; work.rules.n >= CUT_LEAST && field <= CUT_PORT; field++) {
		struct cut other = {0};
		cut_by(&other, &work, field);
		size_t worst = cut_worst(&other, work.rules.n);
		if (worst < best) {
			struct cut old = *cut;
			*cut = other;
			other = old;
			best = worst;
		}
		cut_free(&other);
	}
	vec_free(&work.rules);
}

void cut_free(struct cut *cut)
{
	vec_each(&cut->lists, list)
		vec_free(&list->rules);
	vec_free(&cut->lists);
	vec_free(&cut->parts);
	vec_free(&cut->rest);
	*cut = (struct cut){0};
}
