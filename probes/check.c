// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/check.h"

#include <stdlib.h>

#include "gwd/base/alloc.h"
#include "gwd/base/mono.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "probes/probe_copy.h"
#include "probes/prober.h"

// ---- life ------------------------------------------------------------------------------------

// In doubt a target is asked by volleys, for one lost packet must not look like a death; but not
// where a question is work, or is repeated by TCP anyway.
static uint32_t asks(enum probe_type type)
{
	switch (type) {
	case PROBE_ICMP:
	case PROBE_ARP:
	case PROBE_DNS:
	case PROBE_TCP:
		return HEALTH_ASKS;
	case PROBE_HTTP:
	case PROBE_HTTPS:
	case PROBE_EXEC:
		return 1;
	}
	return 1;
}

static struct watch_config watch_config(const struct model_probe *probe)
{
	return (struct watch_config){
		.health.interval_ms = probe->interval_ms,
		.health.fast_ms = probe->fast_ms,
		.health.timeout_ms = probe->timeout_ms,
		.health.fall = probe->fall,
		.health.rise = probe->rise,
		.health.asks = asks(probe->type),
		.health.window_ms = probe->window_ms,
		.need = probe->need,
		.hold_ms = probe->hold_ms,
		.limits.loss = probe->loss_percent / 100.0,
		.limits.latency_ms = probe->latency_ms,
		.limits.jitter_ms = probe->jitter_ms,
	};
}

struct check *check_new(struct prober_set *set, const struct prober_link *link,
			const struct model_probe *probe, uint64_t seed, void (*changed)(void *arg), void *arg)
{
	struct check *check = xcalloc(1, sizeof(*check));
	struct watch_config config = watch_config(probe);

	check->set = set;
	check->link = link;
	check->arena = arena_new();
	check->probe = probe_copy(check->arena, probe);
	check->changed = changed;
	check->arg = arg;
	watch_init(&check->watch, &config, seed);
	return check;
}

void check_free(struct check *check)
{
	check_quiet(check);
	watch_free(&check->watch);
	arena_free(check->arena);
	free(check);
}

size_t check_targets(const struct model_probe *probe, enum fam fam, const struct addr *next_hop,
		     struct prober_target **out)
{
	VEC(struct prober_target) targets = {0};
	bool own = probe->n_targets || probe->n_target_names;

	for (size_t i = 0; i < probe->n_targets; i++)
		if (addr_fam(&probe->targets[i]) == fam)
			vec_push(&targets, (struct prober_target){.addr = probe->targets[i]});
	for (size_t i = 0; i < probe->n_target_names; i++)
		vec_push(&targets, (struct prober_target){.name = probe->target_names[i]});
	// A command needs nobody to ask.
	if (!own && (!addr_is_none(next_hop) || probe->type == PROBE_EXEC))
		vec_push(&targets, (struct prober_target){.addr = *next_hop});
	*out = targets.v;
	return targets.n;
}

void check_aim(struct check *check, enum fam fam, const struct addr *next_hop, int64_t now_ms)
{
	const struct model_probe *probe = check->probe;
	struct prober_target *targets;
	size_t n = check_targets(probe, fam, next_hop, &targets);

	check->votes = n > 0 || (!probe->n_targets && !probe->n_target_names);
	check_quiet(check);
	watch_set_targets(&check->watch, targets, n, now_ms);
	free(targets);
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
