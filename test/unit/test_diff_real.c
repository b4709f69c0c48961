// SPDX-License-Identifier: GPL-2.0-or-later
// Whose connections end: a dead real's always, a removed one's where the service says so.
#include "gwd/core/diff_real.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "gwd/core/diff.h"
#include "test/unit/fixture.h"

struct step {
	struct fixture *f;
	struct plan before;
	char ends[256]; // "web/r1 web/r2"
};

static struct step step_begin(void)
{
	struct step step = {.f = fixture_new(1)};
	struct model_service *web = fixture_service(step.f, "web");
	fixture_listen(web, "198.51.100.10", 80, 80);
	fixture_real(web, ROLE_REAL, "r1", "10.1.1.1", 8080, 1);
	fixture_real(web, ROLE_REAL, "r2", "10.1.1.2", 8080, 1);
	return step;
}

static void step_build(struct step *step)
{
	fixture_build(step->f, &step->before);
}

// What ends between the plan of step_build() and the one that the fixture makes now.
static const char *step_end(struct step *step)
{
	struct plan after = {0};
	struct ops ops = {0};
	fixture_build(step->f, &after);
	plan_diff(&ops, &step->before, &after);
	bool switched = false, changes = false;
	vec_each(&ops.op, op) {
		changes |= op->kind == OP_ELEM_DEL;
		switched |= op->kind == OP_END;
		cr_expect(op->kind != OP_ELEM_DEL || !switched, "ended before the slots lead elsewhere");
		if (op->kind == OP_END)
			snprintf(step->ends + strlen(step->ends), sizeof(step->ends) - strlen(step->ends),
				 "%s%s/%s", *step->ends ? " " : "", op->service->name, op->real->name);
	}
	cr_expect(changes, "nothing changed");
	plan_free(&step->before);
	plan_free(&after);
	ops_free(&ops);
	fixture_free(step->f);
	return step->ends;
}

Test(diff_real, a_dead_one_ends_them)
{
	struct step step = step_begin();
	step_build(&step);
	fixture_real_verdict(step.f, 0, 0, STATE_DOWN);
	cr_expect_str_eq(step_end(&step), "web/r1");
}

Test(diff_real, so_does_one_that_is_disabled_but_not_one_that_drains)
{
	struct step step = step_begin();
	step_build(&step);
	manual_set(&step.f->manual, "web/r1", MANUAL_DRAIN, 0, "now");
	manual_set(&step.f->manual, "web/r2", MANUAL_DISABLE, 0, "now");
	cr_expect_str_eq(step_end(&step), "web/r2");
}

Test(diff_real, one_that_was_dead_already_or_comes_back_ends_nothing)
{
	struct step step = step_begin();
	fixture_real_verdict(step.f, 0, 0, STATE_DOWN);
	fixture_real_verdict(step.f, 0, 1, STATE_DOWN);
	step_build(&step);
	fixture_real_verdict(step.f, 0, 1, STATE_UP);
	fixture_service(step.f, "other"); // any change
	fixture_listen(&step.f->services[1], "198.51.100.11", 80, 80);
	fixture_real(&step.f->services[1], ROLE_REAL, "r1", "10.1.1.1", 8080, 1);
	step.f->services[0].listens[0].first = step.f->services[0].listens[0].last = 81;
	cr_expect_str_empty(step_end(&step));
}

static void removed(bool cut, const char *expected)
{
	struct step step = step_begin();
	step.f->services[0].cut = cut;
	step_build(&step);
	step.f->services[0].n_reals = 1;
	cr_expect_str_eq(step_end(&step), expected);
}

Test(diff_real, a_removed_one_ends_them_if_the_service_says_so)
{
	removed(true, "web/r2");
	removed(false, "");
}

static void moved(bool cut, const char *expected)
{
	struct step step = step_begin();
	step.f->services[0].cut = cut;
	step_build(&step);
	cr_assert(addr_parse("10.1.1.9", &step.f->reals[0][0].address));
	step.f->reals[0][1].port = 8081;
	cr_expect_str_eq(step_end(&step), expected);
}

Test(diff_real, one_that_has_moved_is_a_removed_one)
{
	moved(true, "web/r1 web/r2");
	moved(false, "");
}

Test(diff_real, a_removed_service_is_all_of_its_reals)
{
	struct step step = step_begin();
	step.f->services[0].cut = true;
	step_build(&step);
	step.f->model.n_services = 0;
	struct plan none = {0};
	struct ops ops = {0};
	diff_ends(&ops, &step.before, &none);
	cr_expect_eq(ops.op.n, 2);
	ops_free(&ops);
	plan_free(&step.before);
	fixture_free(step.f);
}
