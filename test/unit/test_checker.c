// SPDX-License-Identifier: GPL-2.0-or-later
// What a checker says without asking anybody, and when. Its questions are test/net/test_probes.c's.
#include "probes/checker.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/mono.h"
#include "gwd/core/model.h"
#include "gwd/core/verdict.h"
#include "probes/prober.h"

struct scene {
	struct event_base *base;
	struct prober_set *set;
	struct checker *checker;
	struct checker_binding binding;
	size_t calls;
	enum checker_news news; // of the last call
};

static void note(void *arg, struct checker *checker, enum checker_news news)
{
	struct scene *scene = arg;

	cr_expect_eq(scene->checker, checker);
	scene->calls++;
	scene->news = news;
}

static const struct model_probe next_hop = {
	.name = "hop",
	.need = 1,
	.interval_ms = 1000,
	.fast_ms = 100,
	.timeout_ms = 300,
	.fall = 3,
	.rise = 3,
	.hold_ms = 200,
	.window_ms = 30000,
};

static void set_scene(struct scene *scene, const struct model_probe *const *probes, size_t n, unsigned need,
		      const struct verdict *carry_over)
{
	*scene = (struct scene){.base = event_base_new(), .binding = {.fam = FAM_4, .ifname = "ppp0"}};
	scene->set = prober_set_new(scene->base);
	scene->checker = checker_new(scene->base, scene->set, "dsl", probes, n, need, &scene->binding,
				     carry_over, note, scene);
}

static void strike(struct scene *scene)
{
	checker_free(scene->checker);
	prober_set_free(scene->set);
	event_base_free(scene->base);
}

static void turn(struct scene *scene)
{
	event_base_loop(scene->base, EVLOOP_NONBLOCK);
}

static void run_ms(struct scene *scene, int ms)
{
	int64_t until = mono_now_ms() + ms;

	while (mono_now_ms() < until)
		turn(scene);
}

static void break_link(struct scene *scene, const char *why)
{
	snprintf(scene->binding.broken, sizeof(scene->binding.broken), "%s", why);
	checker_rebind(scene->checker, &scene->binding);
}

static enum state state_of(const struct scene *scene)
{
	return checker_verdict(scene->checker)->state;
}

Test(checker, without_a_next_hop_the_carrier_decides)
{
	const struct model_probe *probes[] = {&next_hop};
	struct scene scene;

	set_scene(&scene, probes, 1, 1, NULL);
	turn(&scene);
	turn(&scene);
	cr_expect_eq(state_of(&scene), STATE_UP);
	cr_expect_str_eq(checker_verdict(scene.checker)->reason,
			 "there is no next hop to probe, so its carrier decides");
	cr_expect(checker_has_targets(scene.checker));
	break_link(&scene, "no carrier on ppp0");
	cr_expect_eq(state_of(&scene), STATE_DOWN);
	break_link(&scene, "");
	cr_expect_eq(state_of(&scene), STATE_DOWN, "on hold");
	run_ms(&scene, 100);
	cr_expect_eq(state_of(&scene), STATE_DOWN, "still");
	run_ms(&scene, 200);
	cr_expect_eq(state_of(&scene), STATE_UP);
	strike(&scene);
}

Test(checker, a_change_shows_at_once_and_is_told_from_the_loop)
{
	const struct model_probe *probes[] = {&next_hop};
	struct scene scene;

	set_scene(&scene, probes, 1, 1, NULL);
	run_ms(&scene, 20);
	size_t calls = scene.calls;
	break_link(&scene, "no carrier on ppp0");
	cr_expect_str_eq(checker_verdict(scene.checker)->reason, "no carrier on ppp0");
	cr_expect_eq(scene.calls, calls);
	turn(&scene);
	cr_expect_eq(scene.calls, calls + 1);
	cr_expect_eq(scene.news, CHECKER_NEWS_STATE);
	break_link(&scene, "ppp0 is not there");
	turn(&scene);
	cr_expect_eq(scene.news, CHECKER_NEWS_REASON);
	break_link(&scene, "ppp0 is not there");
	turn(&scene);
	cr_expect_eq(scene.calls, calls + 2, "nothing changed");
	strike(&scene);
}

Test(checker, targets_of_the_other_family_do_not_vote)
{
	struct addr target;
	struct model_probe six = next_hop;
	const struct model_probe *probes[] = {&six, &next_hop};
	struct scene scene;

	addr_parse("2001:db8::1", &target);
	six.name = "six";
	six.targets = &target;
	six.n_targets = 1;
	set_scene(&scene, probes, 1, 1, NULL);
	turn(&scene);
	cr_expect_not(checker_has_targets(scene.checker));
	cr_expect_eq(state_of(&scene), STATE_UNKNOWN);
	cr_expect_str_eq(checker_verdict(scene.checker)->reason, "no probe of it has an IPv4 target");
	checker_configure(scene.checker, probes, 2, 2);
	run_ms(&scene, 20);
	cr_expect(checker_has_targets(scene.checker));
	cr_expect_eq(state_of(&scene), STATE_UP, "need 2 is cut to the one that votes");
	strike(&scene);
}

Test(checker, the_same_probes_again_change_nothing)
{
	struct model_probe copy = next_hop;
	const struct model_probe *before[] = {&next_hop}, *again[] = {&copy};
	struct scene scene;

	set_scene(&scene, before, 1, 1, NULL);
	run_ms(&scene, 20);
	break_link(&scene, "no carrier");
	break_link(&scene, "");
	run_ms(&scene, 20);
	cr_expect_eq(state_of(&scene), STATE_DOWN, "on hold");
	size_t calls = scene.calls;
	checker_configure(scene.checker, again, 1, 1);
	turn(&scene);
	cr_expect_eq(state_of(&scene), STATE_DOWN, "the hold goes on");
	cr_expect_eq(scene.calls, calls);
	run_ms(&scene, 300);
	cr_expect_eq(state_of(&scene), STATE_UP);
	strike(&scene);
}

Test(checker, a_probe_that_changed_starts_from_the_state_that_was)
{
	struct model_probe other = next_hop;
	const struct model_probe *before[] = {&next_hop}, *after[] = {&other};
	struct scene scene;

	other.hold_ms = 100000;
	set_scene(&scene, before, 1, 1, NULL);
	run_ms(&scene, 20);
	break_link(&scene, "no carrier");
	break_link(&scene, "");
	checker_configure(scene.checker, after, 1, 1);
	run_ms(&scene, 400);
	cr_expect_eq(state_of(&scene), STATE_DOWN, "now on the longer hold");
	strike(&scene);
}

Test(checker, a_verdict_is_carried_over)
{
	const struct model_probe *probes[] = {&next_hop};
	struct verdict was = {.state = STATE_DOWN, .reason = "was dead", .since_ms = 42};
	struct scene scene;

	set_scene(&scene, probes, 1, 1, &was);
	cr_expect_eq(state_of(&scene), STATE_DOWN);
	cr_expect_eq(checker_verdict(scene.checker)->since_ms, 42);
	run_ms(&scene, 300);
	cr_expect_eq(state_of(&scene), STATE_UP, "after the hold");
	strike(&scene);
}

Test(checker, urgent_ends_the_hold)
{
	const struct model_probe *probes[] = {&next_hop};
	struct scene scene;

	set_scene(&scene, probes, 1, 1, NULL);
	run_ms(&scene, 20);
	break_link(&scene, "no carrier");
	checker_set_urgent(scene.checker, true);
	cr_expect_eq(state_of(&scene), STATE_DOWN);
	break_link(&scene, "");
	cr_expect_eq(state_of(&scene), STATE_UP);
	strike(&scene);
}

Test(checker, several_probes_are_named_in_the_reason)
{
	struct model_probe second = next_hop;
	const struct model_probe *probes[] = {&next_hop, &second};
	struct scene scene;

	second.name = "second";
	second.hold_ms = 100000;
	set_scene(&scene, probes, 2, 2, NULL);
	run_ms(&scene, 20);
	cr_expect_str_eq(checker_verdict(scene.checker)->reason, "2 of 2 probes are up");
	break_link(&scene, "no carrier");
	break_link(&scene, "");
	run_ms(&scene, 300);
	cr_expect_eq(state_of(&scene), STATE_DOWN);
	cr_expect_str_eq(checker_verdict(scene.checker)->reason,
			 "1 of 2 probes are up; second: answers again, on hold for 100 s");
	checker_configure(scene.checker, probes, 2, 1);
	cr_expect_eq(state_of(&scene), STATE_UP, "one is enough now");
	strike(&scene);
}
