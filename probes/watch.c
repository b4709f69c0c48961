// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/watch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/hash.h"
#include "probes/prober.h"
#include "probes/quorum.h"

#define QUALITY_EACH_MS 1000 // least time between two judgements

#define each_target(watch, t) \
	for (struct watch_target *t = (watch)->targets; t && t < (watch)->targets + (watch)->n_targets; t++)

// ---- life ------------------------------------------------------------------------------------

void watch_init(struct watch *watch, const struct watch_config *config, uint64_t seed)
{
	*watch = (struct watch){.config = *config, .seed = seed};
	damper_init(&watch->damper, config->hold_ms);
	quality_init(&watch->quality, &config->limits, config->health.window_ms, config->hold_ms);
}

static void drop_targets(struct watch *watch)
{
	each_target(watch, t) {
		health_free(&t->health);
		free((void *)(uintptr_t)t->aim.name);
		free(t->label);
	}
	free(watch->targets);
	free(watch->states);
	watch->targets = NULL;
	watch->states = NULL;
	watch->n_targets = 0;
}

void watch_free(struct watch *watch)
{
	drop_targets(watch);
}

// A moment within the fast pace, so that not everybody begins at once.
static int64_t soon(struct watch *watch, int64_t now_ms)
{
	watch->seed = hash_end(hash_add(HASH_START, &watch->seed, sizeof(watch->seed)));
	return now_ms + (int64_t)(watch->seed % (watch->config.health.fast_ms / 4 + 1));
}

// What has no address is a command.
static char *label(const struct prober_target *aim)
{
	char text[ADDR_TEXT];

	if (aim->name)
		return xstrdup(aim->name);
	return xstrdup(addr_is_none(&aim->addr) ? "the command" : addr_text(&aim->addr, text));
}

void watch_set_targets(struct watch *watch, const struct prober_target *targets, size_t n, int64_t now_ms)
{
	drop_targets(watch);
	watch->targets = xcalloc(n, sizeof(*watch->targets));
	watch->states = xcalloc(n, sizeof(*watch->states));
	watch->n_targets = n;
	for (size_t i = 0; i < n; i++) {
		struct watch_target *t = &watch->targets[i];
		int64_t first_ms = soon(watch, now_ms);

		t->aim.addr = targets[i].addr;
		t->aim.name = targets[i].name ? xstrdup(targets[i].name) : NULL;
		t->label = label(&t->aim);
		health_init(&t->health, &watch->config.health, first_ms, watch->seed);
	}
}

void watch_assume(struct watch *watch, enum state state, int64_t now_ms)
{
	damper_assume(&watch->damper, state, now_ms);
}

void watch_inherit(struct watch *watch, const struct watch *from)
{
	watch->damper = from->damper;
	watch->quality = from->quality;
}

// ---- judging ---------------------------------------------------------------------------------

static enum state target_state(const struct watch_target *t)
{
	switch (t->health.state) {
	case HEALTH_UNKNOWN:
		return STATE_UNKNOWN;
	case HEALTH_ANSWERING:
		return STATE_UP;
	case HEALTH_SILENT:
		return STATE_DOWN;
	}
	return STATE_UNKNOWN;
}

enum state watch_raw_state(const struct watch *watch)
{
	if (watch->broken)
		return STATE_DOWN;
	if (!watch->n_targets)
		return STATE_UP;
	for (size_t i = 0; i < watch->n_targets; i++)
		watch->states[i] = target_state(&watch->targets[i]);
	return quorum_state(watch->states, watch->n_targets, watch->config.need);
}

// Until when it is known that enough targets answered: the need-th latest.
static int64_t proven_ms(const struct watch *watch, int64_t now_ms)
{
	size_t need = watch->config.need < watch->n_targets ? watch->config.need : watch->n_targets;

	if (!watch->n_targets)
		return now_ms; // the carrier is known at any time
	each_target(watch, t) {
		size_t later = 0, same = 0;

		each_target(watch, u) {
			later += u->health.proven_ms > t->health.proven_ms;
			same += u->health.proven_ms == t->health.proven_ms;
		}
		if (later < need && need <= later + same)
			return t->health.proven_ms;
	}
	return INT64_MIN; // not reached: every place is somebody's
}

static void judge_quality(struct watch *watch, int64_t now_ms)
{
	struct window_figures figures;

	if (!quality_has_limits(&watch->quality) || now_ms - watch->quality_ms < QUALITY_EACH_MS)
		return;
	watch->quality_ms = now_ms;
	figures = watch_figures(watch, now_ms);
	quality_run(&watch->quality, now_ms, &figures);
}

static void judge(struct watch *watch, int64_t now_ms)
{
	judge_quality(watch, now_ms);
	damper_run(&watch->damper, now_ms, watch_raw_state(watch), proven_ms(watch, now_ms), watch->urgent);
	each_target(watch, t) {
		t->health.quick = watch->urgent || !watch->damper.was_up;
		t->health.keen = damper_next_ms(&watch->damper) != INT64_MAX;
	}
}

void watch_restart(struct watch *watch, int64_t now_ms)
{
	each_target(watch, t) {
		health_restart(&t->health, t->health.state, now_ms);
		health_suspect(&t->health);
	}
}

void watch_set_broken(struct watch *watch, bool broken, int64_t now_ms)
{
	watch->broken = broken;
	each_target(watch, t) {
		bool fresh = t->health.state == HEALTH_UNKNOWN || !watch->damper.was_up;

		health_restart(&t->health, fresh ? HEALTH_UNKNOWN : HEALTH_SILENT, now_ms);
		health_suspect(&t->health);
		t->refused = t->cant = false;
	}
	judge(watch, now_ms);
}

void watch_set_urgent(struct watch *watch, bool urgent, int64_t now_ms)
{
	if (urgent && !watch->urgent)
		each_target(watch, t)
			if (t->health.state == HEALTH_SILENT)
				health_suspect(&t->health);
	watch->urgent = urgent;
	judge(watch, now_ms);
}

void watch_suspect(struct watch *watch)
{
	each_target(watch, t)
		health_suspect(&t->health);
}

// ---- time and answers ------------------------------------------------------------------------

// One target's doubt is a reason to ask the others now.
static void share_doubt(struct watch *watch, const struct watch_target *doubtful)
{
	each_target(watch, t)
		if (t != doubtful && t->health.state == HEALTH_ANSWERING && !t->health.doubt)
			health_suspect(&t->health);
}

void watch_run(struct watch *watch, int64_t now_ms)
{
	const struct watch_target *doubtful = NULL;

	if (!watch->broken) {
		each_target(watch, t) {
			bool before = t->health.doubt;

			health_run(&t->health, now_ms);
			if (t->health.doubt && !before)
				doubtful = t;
		}
	}
	if (doubtful)
		share_doubt(watch, doubtful);
	judge(watch, now_ms);
}

void *watch_expired(struct watch *watch)
{
	each_target(watch, t) {
		void *handle = health_expired(&t->health);

		if (!handle)
			continue;
		t->refused = false;
		return handle;
	}
	return NULL;
}

void *watch_take_handle(struct watch *watch)
{
	each_target(watch, t) {
		void *handle = health_take_handle(&t->health);

		if (handle)
			return handle;
	}
	return NULL;
}

bool watch_ask(struct watch *watch, int64_t now_ms, struct watch_ask *ask)
{
	uint64_t id;

	if (watch->broken)
		return false;
	each_target(watch, t) {
		if (!health_ask(&t->health, now_ms, &id, &ask->handle))
			continue;
		ask->target = &t->aim;
		ask->id = id * watch->n_targets + (uint64_t)(t - watch->targets);
		return true;
	}
	return false;
}

void watch_answer(struct watch *watch, int64_t now_ms, uint64_t id, const struct answer *answer)
{
	struct watch_target *t = &watch->targets[id % watch->n_targets];

	id /= watch->n_targets;
	t->refused = answer->kind == ANSWER_DEAD;
	t->cant = answer->kind == ANSWER_CANT;
	if (answer->kind != ANSWER_ALIVE)
		snprintf(t->why, sizeof(t->why), "%s", answer->text);
	switch (answer->kind) {
	case ANSWER_ALIVE:
		health_answered(&t->health, now_ms, id, answer->rtt_ms);
		break;
	case ANSWER_DEAD:
		health_refused(&t->health, now_ms, id);
		break;
	case ANSWER_CANT:
		health_unasked(&t->health, id);
		break;
	}
	judge(watch, now_ms);
}

bool watch_join(struct watch *watch, int64_t now_ms)
{
	bool joins = false;

	if (!watch->broken)
		each_target(watch, t)
			joins |= health_join(&t->health, now_ms);
	return joins;
}

int64_t watch_next_ms(const struct watch *watch)
{
	// With targets a hold ends with an answer, not with the clock.
	int64_t next = watch->n_targets ? INT64_MAX : damper_next_ms(&watch->damper);

	if (watch->broken)
		return INT64_MAX;
	each_target(watch, t) {
		int64_t ms = health_next_ms(&t->health);

		next = ms < next ? ms : next;
	}
	return next;
}

// ---- what came out ---------------------------------------------------------------------------

enum state watch_state(const struct watch *watch)
{
	if (watch->damper.state == STATE_UP)
		return quality_state(&watch->quality);
	return watch->damper.state;
}

struct window_figures watch_figures(const struct watch *watch, int64_t now_ms)
{
	struct window_figures out = {.latency_ms = -1, .jitter_ms = -1};
	size_t n = watch->n_targets;
	double *figures;

	if (!n)
		return out;
	figures = xcalloc(n * 3, sizeof(*figures));
	for (size_t i = 0; i < n; i++) {
		struct window_figures f = window_figures(&watch->targets[i].health.window, now_ms);

		out.n += f.n / n;
		figures[i] = f.n ? f.loss : -1;
		figures[n + i] = f.latency_ms;
		figures[2 * n + i] = f.jitter_ms;
	}
	out.loss = quorum_figure(figures, n, watch->config.need);
	if (out.loss < 0)
		out.loss = 0;
	out.latency_ms = quorum_figure(figures + n, n, watch->config.need);
	out.jitter_ms = quorum_figure(figures + 2 * n, n, watch->config.need);
	free(figures);
	return out;
}
