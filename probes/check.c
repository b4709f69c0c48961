// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/check.h"

#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/mono.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "probes/prober.h"

#define WINDOW_MS 30000 // span of the figures

// ---- life ------------------------------------------------------------------------------------

static struct model_probe *copy_probe(const struct model_probe *probe)
{
	struct model_probe *copy = xcalloc(1, sizeof(*copy));

	*copy = *probe;
	copy->name = xstrdup(probe->name);
	copy->targets = xcalloc(probe->n_targets, sizeof(*copy->targets));
	for (size_t i = 0; i < probe->n_targets; i++)
		copy->targets[i] = probe->targets[i];
	return copy;
}

static void free_probe(struct model_probe *probe)
{
	free((void *)(uintptr_t)probe->name);
	free(probe->targets);
	free(probe);
}

struct check *check_new(struct prober_set *set, const struct prober_link *link,
			const struct model_probe *probe, uint64_t seed, void (*changed)(void *arg), void *arg)
{
	struct check *check = xcalloc(1, sizeof(*check));
	struct watch_config config = {
		.health =
			{
				.interval_ms = probe->interval_ms,
				.fast_ms = probe->fast_ms,
				.timeout_ms = probe->timeout_ms,
				.fall = probe->fall,
				.rise = probe->rise,
				.asks = HEALTH_ASKS,
				.window_ms = WINDOW_MS,
			},
		.need = probe->need,
		.hold_ms = probe->hold_ms,
	};

	check->set = set;
	check->link = link;
	check->probe = copy_probe(probe);
	check->changed = changed;
	check->arg = arg;
	watch_init(&check->watch, &config, seed);
	return check;
}

void check_free(struct check *check)
{
	check_quiet(check);
	watch_free(&check->watch);
	free_probe(check->probe);
	free(check);
}

bool check_is_of(const struct check *check, const struct model_probe *probe)
{
	const struct model_probe *own = check->probe;

	if (strcmp(own->name, probe->name) || own->type != probe->type || own->need != probe->need ||
	    own->interval_ms != probe->interval_ms || own->fast_ms != probe->fast_ms ||
	    own->timeout_ms != probe->timeout_ms || own->fall != probe->fall || own->rise != probe->rise ||
	    own->hold_ms != probe->hold_ms || own->n_targets != probe->n_targets)
		return false;
	for (size_t i = 0; i < own->n_targets; i++)
		if (!addr_equal(&own->targets[i], &probe->targets[i]))
			return false;
	return true;
}

void check_aim(struct check *check, enum fam fam, const struct addr *next_hop, int64_t now_ms)
{
	VEC(struct addr) targets = {0};
	const struct model_probe *probe = check->probe;

	for (size_t i = 0; i < probe->n_targets; i++)
		if (addr_fam(&probe->targets[i]) == fam)
			vec_push(&targets, probe->targets[i]);
	check->votes = targets.n > 0 || probe->n_targets == 0;
	if (!probe->n_targets && !addr_is_none(next_hop))
		vec_push(&targets, *next_hop);
	check_quiet(check);
	watch_set_targets(&check->watch, targets.v, targets.n, now_ms);
	vec_free(&targets);
}

// ---- asking ----------------------------------------------------------------------------------

void check_quiet(struct check *check)
{
	struct ask *ask;

	while ((ask = watch_take_handle(&check->watch)))
		prober_cancel(ask);
}

static void answered(void *arg, uint64_t id, const struct answer *answer)
{
	struct check *check = arg;

	watch_answer(&check->watch, mono_now_ms(), id, answer);
	check->changed(check->arg);
}

void check_run(struct check *check, int64_t now_ms)
{
	struct watch_ask want;
	struct answer failed;
	struct ask *ask;

	if (!check->votes)
		return;
	watch_run(&check->watch, now_ms);
	while ((ask = watch_expired(&check->watch)))
		prober_cancel(ask);
	while (watch_ask(&check->watch, now_ms, &want)) {
		ask = prober_ask(check->set, check->probe, check->link, want.target, answered, check, want.id,
				 &failed);
		if (ask)
			*want.handle = ask;
		else
			watch_answer(&check->watch, now_ms, want.id, &failed);
	}
}
