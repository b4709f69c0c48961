// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/net/watching.h"

#include <event2/event.h>
#include <net/if.h>
#include <stdio.h>

const struct model_probe watching_shipped = {
	.name = "internet",
	.need = 1,
	.interval_ms = 1000,
	.fast_ms = 100,
	.timeout_ms = 300,
	.fall = 3,
	.rise = 3,
	.hold_ms = 5000,
	.window_ms = 30000,
};

struct watching watching_start(const struct lab_spec *spec)
{
	struct watching w = {0};

	if (lab_missing())
		cr_skip("no lab can be built here: %s", lab_missing());
	w.lab = lab_create(spec);
	lab_ns_enter(lab_router(w.lab));
	w.base = event_base_new();
	w.set = prober_set_new(w.base);
	return w;
}

void watching_finish(struct watching *w)
{
	prober_set_free(w->set);
	event_base_free(w->base);
	lab_destroy(w->lab);
}

static void note(void *arg, struct checker *checker, enum checker_news news)
{
	struct watched *s = arg;

	s->verdict = *checker_verdict(checker);
	if (news != CHECKER_NEWS_STATE)
		return;
	s->changed_ms = lab_now_ms();
	s->changes++;
	if (s->waits && s->verdict.state == s->wanted)
		event_base_loopbreak(s->watching->base);
}

void watching_check(struct watched *s, const struct model_probe *probe, const char *target)
{
	struct model_probe aimed = *probe;
	const struct model_probe *probes[] = {&aimed};
	struct addr address[1];
	const char *name[1] = {target};

	if (target && addr_parse(target, address)) {
		aimed.targets = address;
		aimed.n_targets = 1;
	} else if (target) {
		aimed.target_names = name;
		aimed.n_target_names = 1;
	}
	s->binding.ifindex = if_nametoindex(s->binding.ifname);
	s->checker = checker_new(s->watching->base, s->watching->set, s->binding.ifname, probes, 1, 1,
				 &s->binding, NULL, note, s);
}

void watching_isp(struct watched *s, struct watching *w, int isp, int family, const struct model_probe *probe,
		  const char *target)
{
	*s = (struct watched){.watching = w};
	s->binding.fam = family == AF_INET ? FAM_4 : FAM_6;
	snprintf(s->binding.ifname, sizeof(s->binding.ifname), "%s", lab_wan_name(w->lab, isp));
	addr_parse(lab_wan_nexthop(w->lab, isp, family), &s->binding.next_hop);
	addr_parse(lab_wan_address(w->lab, isp, family), &s->binding.source);
	watching_check(s, probe, target);
}

static void time_is_up(evutil_socket_t fd, short what, void *base)
{
	(void)fd, (void)what;
	event_base_loopbreak(base);
}

void watching_run(struct watching *w, int ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	struct event *end = evtimer_new(w->base, time_is_up, w->base);

	event_add(end, &tv);
	event_base_dispatch(w->base);
	event_free(end);
}

void watching_wait(struct watched *s, enum state state, int timeout_ms)
{
	s->wanted = state;
	s->waits = true;
	if (s->verdict.state != state)
		watching_run(s->watching, timeout_ms);
	s->waits = false;
	cr_assert_eq(s->verdict.state, state, "%s is %s, not %s: %s", checker_name(s->checker),
		     state_name(s->verdict.state), state_name(state), s->verdict.reason);
}
