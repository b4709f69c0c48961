// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/checker.h"

#include <assert.h>
#include <event2/event.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"
#include "gwd/base/hash.h"
#include "gwd/base/mono.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "gwd/core/verdict.h"
#include "probes/check.h"
#include "probes/probe_copy.h"
#include "probes/prober.h"
#include "probes/quorum.h"
#include "probes/reason.h"
#include "probes/turn.h"

#define REFRESH_MS 1000 // least time between two computations of the figures
#define FIGURES_MS 5000 // least time between two news of figures alone

struct checker {
	struct event_base *base;
	struct prober_set *set;
	char *name;
	struct checker_binding binding;
	VEC(struct check *) checks;
	unsigned need;
	bool urgent;
	checker_cb cb;
	void *arg;
	struct verdict verdict;
	struct verdict told; // what the last callback was about
	int64_t told_ms, figures_ms;
	uint64_t signature; // of what the reason was made from
	struct event *news; // tells what changed, from the loop
};

// ---- the verdict -----------------------------------------------------------------------------

static size_t voters(const struct checker *checker)
{
	size_t n = 0;

	vec_each(&checker->checks, c)
		n += (*c)->votes;
	return n;
}

static enum state judge(const struct checker *checker)
{
	VEC(enum state) states = {0};
	enum state state = STATE_UNKNOWN;

	if (checker->binding.broken[0])
		return STATE_DOWN;
	vec_each(&checker->checks, c)
		if ((*c)->votes)
			vec_push(&states, watch_state(&(*c)->watch));
	if (states.n)
		state = quorum_state(states.v, states.n, checker->need);
	vec_free(&states);
	return state;
}

static void say_probes(const struct checker *checker, struct buf *out, int64_t now_ms)
{
	char text[sizeof(checker->verdict.reason)];
	size_t up = 0, n = voters(checker);

	vec_each(&checker->checks, c)
		up += (*c)->votes && watch_state(&(*c)->watch) == STATE_UP;
	if (n > 1)
		buf_printf(out, "%zu of %zu probes are up", up, n);
	vec_each(&checker->checks, c) {
		if (!(*c)->votes || (n > 1 && watch_state(&(*c)->watch) == STATE_UP))
			continue;
		reason_text(&(*c)->watch, now_ms, text, sizeof(text));
		if (n > 1)
			buf_printf(out, "; %s: ", (*c)->spec.probe->name);
		buf_puts(out, text);
	}
}

static void explain(struct checker *checker, int64_t now_ms)
{
	struct buf out = {0};

	if (checker->binding.broken[0])
		buf_puts(&out, checker->binding.broken);
	else if (!voters(checker))
		buf_printf(&out, "no probe of it has an %s target",
			   checker->binding.fam == FAM_4 ? "IPv4" : "IPv6");
	else
		say_probes(checker, &out, now_ms);
	snprintf(checker->verdict.reason, sizeof(checker->verdict.reason), "%s", buf_text(&out));
	buf_free(&out);
}

// Of each figure the need-th best, as with the states.
static void measure(struct checker *checker, int64_t now_ms)
{
	VEC(double) figures[3] = {0};
	struct verdict *v = &checker->verdict;

	vec_each(&checker->checks, c) {
		if (!(*c)->votes)
			continue;
		struct window_figures f = watch_figures(&(*c)->watch, now_ms);
		vec_push(&figures[0], f.latency_ms);
		vec_push(&figures[1], f.jitter_ms);
		vec_push(&figures[2], f.loss);
	}
	if (figures[0].n) {
		v->latency_ms = quorum_figure(figures[0].v, figures[0].n, checker->need);
		v->jitter_ms = quorum_figure(figures[1].v, figures[1].n, checker->need);
		v->loss = quorum_figure(figures[2].v, figures[2].n, checker->need);
	}
	for (size_t i = 0; i < ARRAY_SIZE(figures); i++)
		vec_free(&figures[i]);
	checker->figures_ms = now_ms;
}

static uint64_t signature(const struct checker *checker)
{
	uint64_t hash = hash_str(checker->binding.broken);

	vec_each(&checker->checks, c) {
		uint64_t one = (*c)->votes ? reason_signature(&(*c)->watch) : 0;

		hash = hash_add(hash, &one, sizeof(one));
	}
	return hash;
}

// ---- news ------------------------------------------------------------------------------------

static bool moved(double before, double now, double least)
{
	if ((before < 0) != (now < 0))
		return true;
	return fabs(now - before) > fmax(least, before / 5);
}

static bool figures_moved(const struct checker *checker)
{
	const struct verdict *v = &checker->verdict, *told = &checker->told;

	return moved(told->latency_ms, v->latency_ms, 1) || moved(told->jitter_ms, v->jitter_ms, 1) ||
	       moved(told->loss, v->loss, 0.02);
}

static bool has_news(const struct checker *checker, int64_t now_ms, enum checker_news *news)
{
	if (checker->verdict.state != checker->told.state)
		*news = CHECKER_NEWS_STATE;
	else if (strcmp(checker->verdict.reason, checker->told.reason))
		*news = CHECKER_NEWS_REASON;
	else if (now_ms - checker->told_ms >= FIGURES_MS && figures_moved(checker))
		*news = CHECKER_NEWS_FIGURES;
	else
		return false;
	return true;
}

static void on_news(evutil_socket_t fd, short what, void *arg)
{
	struct checker *checker = arg;
	enum checker_news news;

	(void)fd, (void)what;
	if (!has_news(checker, mono_now_ms(), &news))
		return;
	checker->told = checker->verdict;
	checker->told_ms = mono_now_ms();
	checker->cb(checker->arg, checker, news); // may free the checker
}

// ---- the loop --------------------------------------------------------------------------------

// Something happened: form the verdict anew.
static void update(struct checker *checker, int64_t now_ms)
{
	enum state state = judge(checker);
	uint64_t sign = signature(checker);
	enum checker_news news;

	if (state != checker->verdict.state || sign != checker->signature) {
		if (state != checker->verdict.state)
			checker->verdict.since_ms = now_ms;
		checker->verdict.state = state;
		checker->signature = sign;
		explain(checker, now_ms);
		measure(checker, now_ms);
	} else if (now_ms - checker->figures_ms >= REFRESH_MS) {
		measure(checker, now_ms);
	}
	if (has_news(checker, now_ms, &news))
		event_active(checker->news, EV_TIMEOUT, 0);
}

static void on_change(void *arg)
{
	update(arg, mono_now_ms());
}

// ---- life ------------------------------------------------------------------------------------

static struct prober_link link_of(const struct checker_binding *binding)
{
	struct prober_link link = {.fam = binding->fam,
				   .ifindex = binding->ifindex,
				   .mark = binding->mark,
				   .source = binding->source};

	memcpy(link.ifname, binding->ifname, sizeof(link.ifname));
	return link;
}

static struct check *take_check(struct checker *checker, const struct model_probe *probe)
{
	vec_each(&checker->checks, c) {
		struct check *check = *c;

		if (!check || !probe_is_same(check->spec.probe, probe))
			continue;
		*c = NULL;
		return check;
	}
	return NULL;
}

static struct check *join_check(struct checker *checker, const struct model_probe *probe)
{
	const struct checker_binding *binding = &checker->binding;
	struct check_spec spec = {probe, link_of(binding), binding->next_hop, binding->broken[0] != 0};
	struct check_user user = {on_change, checker, checker->urgent};

	return check_join(checker->base, checker->set, &spec, checker->verdict.state, &user);
}

static void adopt_probes(struct checker *checker, const struct model_probe *const *probes, size_t n,
			 unsigned need)
{
	__typeof__(checker->checks) checks = {0};

	for (size_t i = 0; i < n; i++) {
		struct check *check = take_check(checker, probes[i]);

		vec_push(&checks, check ? check : join_check(checker, probes[i]));
	}
	vec_each(&checker->checks, c)
		if (*c)
			check_leave(*c, checker);
	vec_free(&checker->checks);
	checker->checks = checks;
	checker->need = need;
}

struct checker *checker_new(struct event_base *base, struct prober_set *set, const char *name,
			    const struct model_probe *const *probes, size_t n_probes, unsigned need,
			    const struct checker_binding *binding, const struct verdict *carry_over,
			    checker_cb cb, void *arg)
{
	struct checker *checker = xcalloc(1, sizeof(*checker));
	int64_t now_ms = mono_now_ms();

	assert(n_probes > 0 && need > 0);
	checker->base = base;
	checker->set = set;
	checker->name = xstrdup(name);
	checker->binding = *binding;
	checker->cb = cb;
	checker->arg = arg;
	checker->news = turn_first(evtimer_new(base, on_news, checker));
	checker->verdict = (struct verdict){.since_ms = now_ms, .latency_ms = -1, .jitter_ms = -1};
	if (carry_over)
		checker->verdict = *carry_over;
	checker->told = checker->verdict;
	adopt_probes(checker, probes, n_probes, need);
	update(checker, now_ms);
	return checker;
}

void checker_free(struct checker *checker)
{
	if (!checker)
		return;
	vec_each(&checker->checks, c)
		check_leave(*c, checker);
	vec_free(&checker->checks);
	event_free(checker->news);
	free(checker->name);
	free(checker);
}

void checker_configure(struct checker *checker, const struct model_probe *const *probes, size_t n_probes,
		       unsigned need)
{
	assert(n_probes > 0 && need > 0);
	adopt_probes(checker, probes, n_probes, need);
	update(checker, mono_now_ms());
}

// ---- what the engine tells -------------------------------------------------------------------

void checker_rebind(struct checker *checker, const struct checker_binding *binding)
{
	const struct checker_binding *old = &checker->binding;
	struct prober_link link = link_of(binding), old_link = link_of(old);

	assert(binding->fam == old->fam);
	if (prober_link_same(&old_link, &link) && addr_equal(&old->next_hop, &binding->next_hop) &&
	    !strcmp(old->broken, binding->broken))
		return;
	checker->binding = *binding;
	vec_each(&checker->checks, c)
		*c = check_move(*c, checker, &link, &binding->next_hop, binding->broken[0] != 0);
	update(checker, mono_now_ms());
}

void checker_set_urgent(struct checker *checker, bool urgent)
{
	if (urgent == checker->urgent)
		return;
	checker->urgent = urgent;
	vec_each(&checker->checks, c)
		check_set_urgent(*c, checker, urgent);
	update(checker, mono_now_ms());
}

void checker_probe_now(struct checker *checker)
{
	vec_each(&checker->checks, c)
		check_suspect(*c);
}

// ---- what the engine asks --------------------------------------------------------------------

const char *checker_name(const struct checker *checker)
{
	return checker->name;
}

enum fam checker_fam(const struct checker *checker)
{
	return checker->binding.fam;
}

const struct verdict *checker_verdict(const struct checker *checker)
{
	return &checker->verdict;
}

bool checker_has_targets(const struct checker *checker)
{
	return voters(checker) > 0;
}
