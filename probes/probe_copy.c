// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/probe_copy.h"

#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/core/model.h"

static const char *copy_text(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}

static void *copy_array(struct arena *arena, const void *array, size_t size)
{
	return size ? memcpy(arena_alloc(arena, size), array, size) : NULL;
}

struct model_probe *probe_copy(struct arena *arena, const struct model_probe *probe)
{
	struct model_probe *copy = arena_alloc(arena, sizeof(*copy));

	*copy = *probe;
	copy->name = copy_text(arena, probe->name);
	copy->path = copy_text(arena, probe->path);
	copy->host = copy_text(arena, probe->host);
	copy->expect = copy_text(arena, probe->expect);
	copy->query = copy_text(arena, probe->query);
	copy->command = copy_text(arena, probe->command);
	copy->targets = copy_array(arena, probe->targets, probe->n_targets * sizeof(*probe->targets));
	copy->status = copy_array(arena, probe->status, probe->n_status * sizeof(*probe->status));
	copy->target_names = arena_alloc(arena, (probe->n_target_names + 1) * sizeof(*copy->target_names));
	for (size_t i = 0; i < probe->n_target_names; i++)
		copy->target_names[i] = copy_text(arena, probe->target_names[i]);
	return copy;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_targets(const struct model_probe *a, const struct model_probe *b)
{
	if (a->n_targets != b->n_targets || a->n_target_names != b->n_target_names)
		return false;
	for (size_t i = 0; i < a->n_targets; i++)
		if (!addr_equal(&a->targets[i], &b->targets[i]))
			return false;
	for (size_t i = 0; i < a->n_target_names; i++)
		if (strcmp(a->target_names[i], b->target_names[i]))
			return false;
	return true;
}

static bool same_times(const struct model_probe *a, const struct model_probe *b)
{
	return a->need == b->need && a->interval_ms == b->interval_ms && a->fast_ms == b->fast_ms &&
	       a->timeout_ms == b->timeout_ms && a->fall == b->fall && a->rise == b->rise &&
	       a->hold_ms == b->hold_ms;
}

static bool same_status(const struct model_probe *a, const struct model_probe *b)
{
	if (a->n_status != b->n_status)
		return false;
	for (size_t i = 0; i < a->n_status; i++)
		if (a->status[i].first != b->status[i].first || a->status[i].last != b->status[i].last)
			return false;
	return true;
}

static bool same_question(const struct model_probe *a, const struct model_probe *b)
{
	return a->type == b->type && a->port == b->port && same_text(a->path, b->path) &&
	       same_text(a->host, b->host) && same_text(a->query, b->query) && a->record == b->record &&
	       same_text(a->command, b->command);
}

static bool same_wish(const struct model_probe *a, const struct model_probe *b)
{
	return same_status(a, b) && same_text(a->expect, b->expect) && a->verify == b->verify &&
	       addr_equal(&a->expect_addr, &b->expect_addr) && a->any_rcode == b->any_rcode;
}

static bool same_limits(const struct model_probe *a, const struct model_probe *b)
{
	return a->loss_percent == b->loss_percent && a->latency_ms == b->latency_ms &&
	       a->jitter_ms == b->jitter_ms && a->window_ms == b->window_ms;
}

bool probe_is_same(const struct model_probe *a, const struct model_probe *b)
{
	return same_text(a->name, b->name) && same_targets(a, b) && same_times(a, b) && same_question(a, b) &&
	       same_wish(a, b) && same_limits(a, b);
}
