// SPDX-License-Identifier: GPL-2.0-or-later
// The short way makes the plan that the long way makes, whatever happens to the reals: random services,
// random histories of them.
#include "gwd/core/rebuild.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/words.h"
#include "gwd/core/build.h"
#include "gwd/core/diff.h"
#include "gwd/core/ramp.h"
#include "nft/nft.h"
#include "test/unit/fixture.h"

#define HISTORIES 150
#define STEPS 30

struct world {
	struct fixture *f;
	struct plan applied;
	uint64_t seed;
	char names[FIXTURE_SERVICES][FIXTURE_MAX][8];
	unsigned narrow, whole;
	bool direct;     // one of the services is by dr and tun
	unsigned lent;   // plans that got the services of the one before
	unsigned chains; // a service got others
	unsigned shared; // elements that moved in sets of all services by dr and tun
};

static unsigned dice(struct world *w, unsigned sides)
{
	w->seed = w->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(w->seed >> 33) % sides;
}

// ---- any services ----------------------------------------------------------------------------

static void any_real(struct world *w, struct model_service *service, size_t s, enum real_role role)
{
	size_t k = service->n_reals;
	char address[32];
	bool local = dice(w, 12) == 0 && role != ROLE_SORRY;
	for (size_t i = 0; i < k; i++)
		local &= service->reals[i].forward != FORWARD_LOCAL;
	snprintf(w->names[s][k], sizeof(w->names[s][k]), role == ROLE_SORRY ? "sorry" : "r%zu", k);
	snprintf(address, sizeof(address), dice(w, 4) ? "10.0.0.%zu%zu" : "fd00::%zu%zu", s + 1, k + 1);
	struct model_real *real = fixture_real(service, role, w->names[s][k], local ? NULL : address,
					       dice(w, 3) ? 8080 : 0, dice(w, 5));
	if (!local && s == 3 && w->direct)
		real->forward = dice(w, 3) ? FORWARD_DR : FORWARD_TUN;
	else if (!local && dice(w, 4) == 0)
		real->forward = FORWARD_FULLNAT;
	if (real->forward == FORWARD_DR || real->forward == FORWARD_TUN)
		real->port = 0;
	if (dice(w, 6) == 0) {
		real->max_connections = 10;
		real->min_connections = 7;
	}
	real->n_probes = dice(w, 2);
}

static void any_service(struct world *w, size_t s)
{
	static const char *const names[] = {"web", "mail", "dns", "shop"};
	static const enum scheduler schedulers[] = {SCHED_RR, SCHED_WRR, SCHED_WRR, SCHED_SH,
						    SCHED_MH, SCHED_FO,  SCHED_WLC, SCHED_RANDOM};
	struct model_service *service = fixture_service(w->f, names[s]);
	service->scheduler = schedulers[dice(w, ARRAY_SIZE(schedulers))];
	service->persistence_ms = dice(w, 3) ? 0 : 60000;
	service->syn_proxy = dice(w, 4) == 0;
	service->cut = dice(w, 2);
	fixture_listen(service, "198.51.100.10", (uint16_t)(80 + s), (uint16_t)(80 + s));
	if (dice(w, 2))
		fixture_listen(service, "2001:db8:9::10", (uint16_t)(80 + s), (uint16_t)(80 + s));
	for (unsigned i = 1 + dice(w, 6); i--;)
		any_real(w, service, s, ROLE_REAL);
	for (unsigned i = dice(w, 3); i--;)
		any_real(w, service, s, ROLE_BACKUP);
	if (dice(w, 2))
		any_real(w, service, s, ROLE_SORRY);
}

// ---- anything happens to one -------------------------------------------------------------------

static void happens(struct world *w, size_t s)
{
	char name[MODEL_REAL_NAME_SIZE];
	size_t k = dice(w, (unsigned)w->f->services[s].n_reals);
	struct real_now *now = &w->f->real_now[s][k];
	switch (dice(w, 8)) {
	case 0:
	case 1:
		fixture_real_verdict(w->f, s, k,
				     (enum state[]){STATE_UP, STATE_DEGRADED, STATE_DOWN}[dice(w, 3)]);
		return;
	case 2:
		now->full = !now->full;
		return;
	case 3:
		now->held = dice(w, 2) ? dice(w, RAMP_FULL) : 0;
		return;
	case 4:
		now->connections = dice(w, 50);
		now->closed = dice(w, 50);
		return;
	default:
		snprintf(name, sizeof(name), "%s/%s", w->f->services[s].name, w->names[s][k]);
		manual_set(&w->f->manual, name,
			   dice(w, 2) ? MANUAL_WEIGHT : (enum manual_change)dice(w, MANUAL_WEIGHT_FILE + 1),
			   dice(w, 40), "now");
	}
}

// ---- both ways ---------------------------------------------------------------------------------

static void same_real(const struct plan_service *service, const struct plan_real *a,
		      const struct plan_real *b)
{
	cr_assert_eq(a->state, b->state);
	cr_assert_str_eq(a->reason, b->reason);
	cr_assert_str_eq(a->manual, b->manual);
	cr_assert_eq(a->id, b->id);
	cr_assert_eq(a->weight, b->weight);
	cr_assert_eq(a->undrained, b->undrained);
	cr_assert_eq(a->held, b->held);
	cr_assert_eq(a->usable, b->usable);
	cr_assert_eq(a->full, b->full);
	cr_assert_eq(a->connections, b->connections);
	cr_assert_eq(a->closed, b->closed);
	for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
		cr_assert(a->active[fam] == b->active[fam] && a->live[fam] == b->live[fam], "%s/%s",
			  service->name, a->name);
}

static void same(struct world *w, const struct plan *a, const struct plan *b)
{
	struct buf one = {0}, two = {0};
	struct ops ops = {0};
	cr_assert_eq(a->shape, b->shape);
	cr_assert_eq(a->frame, b->frame);
	for (size_t i = 0; i < a->services.n; i++) {
		for (size_t k = 0; k < a->services.v[i].reals.n; k++)
			same_real(&a->services.v[i], &a->services.v[i].reals.v[k],
				  &b->services.v[i].reals.v[k]);
		for (enum fam fam = FAM_4; fam < FAM_COUNT; fam++)
			cr_assert_eq(a->services.v[i].tier[fam], b->services.v[i].tier[fam]);
	}
	plan_diff(&ops, a, b);
	cr_assert_eq(ops.op.n, 0, "history %u", w->narrow);
	nft_text(a, &one);
	nft_text(b, &two);
	cr_assert_str_eq(buf_text(&one), buf_text(&two));
	buf_free(&one);
	buf_free(&two);
	ops_free(&ops);
}

static size_t count(const struct ops *ops, enum op_kind kind)
{
	size_t n = 0;
	vec_each(&ops->op, op)
		n += op->kind == kind;
	return n;
}

static void same_ops(const struct ops *a, const struct ops *b)
{
	cr_assert_eq(a->op.n, b->op.n, "%zu by the short way, %zu by the long one", a->op.n, b->op.n);
	for (enum op_kind kind = OP_SYSCTL; kind <= OP_ROUTE_DEL; kind++)
		cr_assert_eq(count(a, kind), count(b, kind), "of kind %d", (int)kind);
}

static unsigned count_shared(const struct ops *ops)
{
	unsigned n = 0;
	vec_each(&ops->op, op)
		if (op->kind == OP_ELEM_ADD || op->kind == OP_ELEM_DEL)
			n += !strcmp(op->set->name, "draddr4") || !strcmp(op->set->name, "drdev4") ||
			     !strcmp(op->set->name, "drtun4");
	return n;
}

static bool step(struct world *w, size_t s, const struct plan *whole)
{
	const struct real_now *reals[FIXTURE_SERVICES];
	for (size_t i = 0; i < FIXTURE_SERVICES; i++)
		reals[i] = w->f->real_now[i];
	struct build_input input = {.model = &w->f->model,
				    .facts = &w->f->facts,
				    .manual = &w->f->manual,
				    .reals = reals,
				    .ids = &w->f->ids};
	struct rebuild one = {0};
	struct ops ops = {0}, all = {0};
	bool narrow = rebuild_service(&one, &w->applied, &input, s);
	if (narrow) {
		rebuild_diff(&ops, &w->applied, &one);
		rebuild_ends(&ops, &w->applied, &one);
		plan_diff(&all, &w->applied, whole);
		same_ops(&ops, &all);
		w->shared += count_shared(&ops);
		w->chains += count(&ops, OP_SERVICE) > 0;
		rebuild_take(&w->applied, &one);
	}
	ops_free(&ops);
	ops_free(&all);
	rebuild_free(&one);
	return narrow;
}

// ---- of a gateway ------------------------------------------------------------------------------

static size_t count_elems(const struct plan *plan)
{
	size_t n = 0;
	vec_each(&plan->sets, set)
		n += set->elems.n;
	return n;
}

// What is lent is what would have been built, and goes from hand to hand.
static void gateways_change(struct world *w)
{
	struct plan whole = {0}, lent = {0}, given_up = {0};
	struct ops ops = {0};
	fixture_verdict(w->f, dice(w, 2), dice(w, 2) ? STATE_UP : STATE_DOWN);
	fixture_build(w->f, &whole);
	if (w->applied.netdev) {
		plan_free(&w->applied);
		w->applied = whole;
		return;
	}
	w->f->standing = &w->applied;
	fixture_build(w->f, &given_up);
	fixture_build(w->f, &lent);
	w->f->standing = NULL;
	size_t n = count_elems(&w->applied);
	plan_free(&given_up); // the kernel did not take it
	cr_assert_eq(count_elems(&w->applied), n);
	same(w, &lent, &whole);
	plan_diff(&ops, &w->applied, &lent);
	vec_each(&ops.op, op)
		cr_assert(op->kind != OP_END && (!op->set || !op->set->own));
	ops_free(&ops);
	struct plan old = w->applied;
	w->applied = lent;
	plan_keep(&w->applied, &old);
	plan_free(&old);
	same(w, &w->applied, &whole);
	plan_free(&whole);
	w->lent++;
}

static void history(struct world *w)
{
	w->f = fixture_new(2);
	for (size_t s = 0; s < FIXTURE_SERVICES; s++)
		any_service(w, s);
	fixture_build(w->f, &w->applied);
	for (unsigned i = 0; i < STEPS; i++) {
		struct plan whole = {0};
		size_t s = dice(w, FIXTURE_SERVICES);
		bool further = w->f->services[s].syn_proxy;
		happens(w, s);
		fixture_build(w->f, &whole);
		bool narrow = step(w, s, &whole);
		cr_assert(narrow || further, "the long way for nothing");
		narrow ? w->narrow++ : w->whole++;
		if (narrow) {
			same(w, &w->applied, &whole);
		} else {
			struct plan old = w->applied;
			w->applied = whole;
			whole = old;
		}
		plan_free(&whole);
		if (i % 5 == 0)
			gateways_change(w);
	}
	plan_free(&w->applied);
	fixture_free(w->f);
}

Test(rebuild, makes_what_a_whole_plan_makes)
{
	struct world w = {0};
	for (unsigned i = 0; i < HISTORIES; i++) {
		w.seed = i;
		w.direct = i % 3;
		history(&w);
	}
	cr_expect_gt(w.narrow, HISTORIES * STEPS / 2, "%u short, %u long", w.narrow, w.whole);
	cr_expect_gt(w.whole, 0);
	cr_expect_gt(w.lent, HISTORIES, "%u", w.lent);
	cr_expect_gt(w.chains, HISTORIES / 2, "%u services got other chains", w.chains);
	cr_expect_gt(w.shared, HISTORIES / 2, "%u elements", w.shared);
	cr_expect_eq(words_n(), 0, "nobody's reasons are left");
}
