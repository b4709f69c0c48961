// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/trial.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "gwd/base/alloc.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "probes/check.h"
#include "probes/probe_copy.h"

struct trial_ask {
	struct trial *trial;
	struct prober_target target;
	struct ask *ask; // NULL: over
	struct event *timeout;
	unsigned timeout_ms;
};

struct trial {
	struct arena *arena; // options and names
	struct trial_ask *asks;
	struct trial_result *results;
	size_t n, open;
	struct event *done;
	trial_cb cb;
	void *arg;
};

// ---- the end ---------------------------------------------------------------------------------

static void free_trial(struct trial *trial)
{
	for (size_t i = 0; i < trial->n; i++) {
		if (trial->asks[i].ask)
			prober_cancel(trial->asks[i].ask);
		event_free(trial->asks[i].timeout);
	}
	event_free(trial->done);
	arena_free(trial->arena);
	free(trial->asks);
	free(trial->results);
	free(trial);
}

void trial_cancel(struct trial *trial)
{
	free_trial(trial);
}

static void on_done(evutil_socket_t fd, short what, void *arg)
{
	struct trial *trial = arg;

	(void)fd, (void)what;
	trial->cb(trial->arg, trial->results, trial->n);
	free_trial(trial);
}

static void close_ask(struct trial_ask *ask)
{
	ask->ask = NULL;
	event_del(ask->timeout);
	if (--ask->trial->open == 0)
		event_active(ask->trial->done, EV_TIMEOUT, 0);
}

static void on_answer(void *arg, uint64_t id, const struct answer *answer)
{
	struct trial *trial = arg;

	trial->results[id].answer = *answer;
	close_ask(&trial->asks[id]);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct trial_ask *ask = arg;
	struct answer *answer = &ask->trial->results[ask - ask->trial->asks].answer;

	(void)fd, (void)what;
	prober_cancel(ask->ask);
	answer->kind = ANSWER_DEAD;
	snprintf(answer->text, sizeof(answer->text), "no answer within %u ms", ask->timeout_ms);
	close_ask(ask);
}

// ---- the beginning ---------------------------------------------------------------------------

static void begin(struct trial *trial, size_t i, struct prober_set *set, const struct check *check,
		  const struct model_probe *probe, const struct watch_target *target)
{
	struct trial_ask *ask = &trial->asks[i];
	struct trial_result *result = &trial->results[i];
	struct timeval tv = {.tv_sec = probe->timeout_ms / 1000, .tv_usec = probe->timeout_ms % 1000 * 1000};

	snprintf(result->probe, sizeof(result->probe), "%s", probe->name);
	snprintf(result->target, sizeof(result->target), "%s", target->label);
	ask->target.addr = target->aim.addr;
	ask->target.name = target->aim.name ? arena_strdup(trial->arena, target->aim.name) : NULL;
	ask->timeout_ms = probe->timeout_ms;
	ask->ask = prober_ask(set, probe, check->link, &ask->target, on_answer, trial, i, &result->answer);
	if (ask->ask)
		event_add(ask->timeout, &tv);
	else
		close_ask(ask);
}

struct trial *trial_new(struct event_base *base, struct prober_set *set, struct check *const *checks,
			size_t n, trial_cb cb, void *arg)
{
	struct trial *trial = xcalloc(1, sizeof(*trial));
	size_t next = 0;

	for (size_t c = 0; c < n; c++)
		trial->n += checks[c]->watch.n_targets;
	trial->open = trial->n + 1; // not over before all have begun
	trial->arena = arena_new();
	trial->cb = cb;
	trial->arg = arg;
	trial->done = evtimer_new(base, on_done, trial);
	trial->asks = xcalloc(trial->n, sizeof(*trial->asks));
	trial->results = xcalloc(trial->n, sizeof(*trial->results));
	for (size_t i = 0; i < trial->n; i++) {
		trial->asks[i].trial = trial;
		trial->asks[i].timeout = evtimer_new(base, on_timeout, &trial->asks[i]);
	}
	for (size_t c = 0; c < n; c++) {
		const struct model_probe *probe = probe_copy(trial->arena, checks[c]->probe);

		for (size_t t = 0; t < checks[c]->watch.n_targets; t++)
			begin(trial, next++, set, checks[c], probe, &checks[c]->watch.targets[t]);
	}
	if (--trial->open == 0)
		event_active(trial->done, EV_TIMEOUT, 0);
	return trial;
}
