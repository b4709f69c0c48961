// SPDX-License-Identifier: GPL-2.0-or-later
// Whose is a connection? No two listeners may claim the same one, except that a single port of one service may
// be taken out of a range of another.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/check.h"
#include "conf/load.h"
#include "conf/text.h"
#include "conf/values.h"
#include "gwd/base/alloc.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"

struct check_claim { // of one listener, for one protocol
	const struct model_listen *listen;
	size_t service, index; // in the order of the file
	uint8_t protocol;
	bool *told; // of the listener: it was refused already
};

struct check_claims {
	VEC(struct check_claim) all;
};

static bool check_single(const struct model_listen *listen)
{
	return listen->first == listen->last;
}

static int check_order(const struct check_claim *a, const struct check_claim *b)
{
	if (a->service != b->service)
		return a->service < b->service ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

// Those of one address and protocol stand together, by their first port, ranges before what they may hold.
static int check_compare(const void *va, const void *vb)
{
	const struct check_claim *a = va, *b = vb;
	int order = addr_compare(&a->listen->addr, &b->listen->addr);
	if (!order)
		order = (int)a->protocol - (int)b->protocol;
	if (!order)
		order = (int)a->listen->first - (int)b->listen->first;
	if (!order)
		order = (int)b->listen->last - (int)a->listen->last;
	return order ? order : check_order(a, b);
}

static const char *listen_text(const struct model_listen *listen, char text[ADDR_TEXT + 16])
{
	char addr[ADDR_TEXT];
	bool six = addr_fam(&listen->addr) == FAM_6;
	int n = snprintf(text, ADDR_TEXT + 4, "%s%s%s:", six ? "[" : "", addr_text(&listen->addr, addr),
			 six ? "]" : "");
	if (!listen->first)
		strcpy(text + n, "*");
	else if (check_single(listen))
		snprintf(text + n, 8, "%u", listen->first);
	else
		snprintf(text + n, 12, "%u-%u", listen->first, listen->last);
	return text;
}

static void check_refuse(const struct loader *ld, const struct check_claim *first,
			 const struct check_claim *second)
{
	struct reader r = load_section(ld, "service", second->service);
	char one[ADDR_TEXT + 16], two[ADDR_TEXT + 16];
	bool same =
		first->listen->first == second->listen->first && first->listen->last == second->listen->last;
	if (*second->told)
		return;
	*second->told = true;
	listen_text(first->listen, one);
	listen_text(second->listen, two);
	struct place at = load_listen_place(&r, second->index);
	if (first->service == second->service && same)
		report_error(ld->report, at, tree_label(r.tree, &r.section),
			     "listen: %s is listed twice: once is enough", two);
	else if (first->service == second->service)
		report_error(ld->report, at, tree_label(r.tree, &r.section),
			     "listen: %s and %s overlap: write one range", two, one);
	else if (same)
		report_error(ld->report, at, tree_label(r.tree, &r.section),
			     "listen: %s is service %s's already: use another port or address", two,
			     ld->model->services[first->service].name);
	else
		report_error(ld->report, at, tree_label(r.tree, &r.section),
			     "listen: %s overlaps %s of service %s: only a single port may be taken out of "
			     "another service's range",
			     two, one, ld->model->services[first->service].name);
}

// A single port of another service is an exception from the range; anything else is not decided.
static bool check_collide(const struct check_claim *a, const struct check_claim *b)
{
	return a->service == b->service || check_single(a->listen) == check_single(b->listen);
}

static bool check_together(const struct check_claim *a, const struct check_claim *b)
{
	return addr_equal(&a->listen->addr, &b->listen->addr) && a->protocol == b->protocol;
}

static void check_collect(const struct model *m, struct check_claims *claims)
{
	for (size_t i = 0; i < m->n_services; i++) {
		const struct model_service *service = &m->services[i];
		bool *told = arena_alloc(m->arena, service->n_listens * sizeof(*told));
		for (size_t j = 0; j < service->n_listens; j++)
			for (size_t k = 0; k < service->n_protocols; k++)
				vec_push(&claims->all, (struct check_claim){&service->listens[j], i, j,
									    service->protocols[k], &told[j]});
	}
}

// Another one before `c` that claims the same. `range` is the one of those before that reaches furthest.
static const struct check_claim *check_rival(const struct check_claim *before,
					     const struct check_claim *range, const struct check_claim *c)
{
	if (range && c->listen->first <= range->listen->last && check_collide(range, c))
		return range;
	bool same = check_single(before->listen) && check_single(c->listen) &&
		    before->listen->first == c->listen->first;
	return same ? before : NULL;
}

void check_listens(const struct loader *ld)
{
	struct check_claims claims = {0};
	const struct check_claim *range = NULL, *before = NULL;
	check_collect(ld->model, &claims);
	if (claims.all.n)
		qsort(claims.all.v, claims.all.n, sizeof(*claims.all.v), check_compare);
	vec_each(&claims.all, c) {
		bool together = before && check_together(before, c);
		if (!together)
			range = NULL;
		const struct check_claim *rival = together ? check_rival(before, range, c) : NULL;
		if (rival && check_order(rival, c) < 0)
			check_refuse(ld, rival, c);
		else if (rival)
			check_refuse(ld, c, rival);
		if (!check_single(c->listen) && (!range || c->listen->last > range->listen->last))
			range = c;
		before = c;
	}
	vec_free(&claims.all);
}
