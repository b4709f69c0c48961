// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/events.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"
#include "gwd/figure.h"

struct events {
	struct change ring[EVENTS_KEPT];
	size_t n, first;
	struct events_watch *watches;
};

struct events *events_new(void)
{
	return xcalloc(1, sizeof(struct events));
}

void events_free(struct events *events)
{
	free(events);
}

void events_record(struct events *events, const struct change *change)
{
	events->ring[(events->first + events->n) % EVENTS_KEPT] = *change;
	if (events->n < EVENTS_KEPT)
		events->n++;
	else
		events->first = (events->first + 1) % EVENTS_KEPT;
	for (struct events_watch *watch = events->watches; watch; watch = watch->next)
		watch->told(watch->arg, change);
}

size_t events_count(const struct events *events)
{
	return events->n;
}

const struct change *events_at(const struct events *events, size_t i)
{
	assert(i < events->n);
	return &events->ring[(events->first + i) % EVENTS_KEPT];
}

void events_watch(struct events *events, struct events_watch *watch)
{
	watch->next = events->watches;
	events->watches = watch;
}

void events_unwatch(struct events *events, struct events_watch *watch)
{
	for (struct events_watch **at = &events->watches; *at; at = &(*at)->next)
		if (*at == watch) {
			*at = watch->next;
			return;
		}
}

// ---- printing --------------------------------------------------------------------------------

void change_text(const struct change *change, struct buf *out)
{
	char date[FIGURE_TEXT], text[FIGURE_TEXT];
	buf_printf(out, "%s  %s %s: %s -> %s: %s", figure_date(change->wall_ms / 1000, date), change->kind,
		   change->name, change->old, change->new, change->reason);
	if (change->latency_ms >= 0)
		buf_printf(out, "; latency %s", figure_latency(change->latency_ms, text));
	if (change->jitter_ms >= 0)
		buf_printf(out, "; jitter %s", figure_latency(change->jitter_ms, text));
	if (change->loss >= 0)
		buf_printf(out, "; loss %s", figure_share(change->loss, text));
	buf_puts(out, "\n");
}

static json_t *json_measure(double value) // null: not known
{
	return value >= 0 ? json_real(round(value * 1000) / 1000) : json_null();
}

static json_t *json_time(int64_t wall_ms)
{
	time_t wall_s = (time_t)(wall_ms / 1000);
	struct tm tm;
	char text[40];
	gmtime_r(&wall_s, &tm);
	size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%03dZ", (int)(wall_ms % 1000));
	return json_string(text);
}

void change_json(const struct change *change, struct buf *out)
{
	json_t *reason = json_string(change->reason); // may hold any byte that a program printed
	json_t *o = json_pack(
		"{s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "time", json_time(change->wall_ms), "kind",
		change->kind, "name", change->name, "old", change->old, "new", change->new, "reason",
		reason ? reason : json_string("(not text)"), "latency_ms", json_measure(change->latency_ms),
		"jitter_ms", json_measure(change->jitter_ms), "loss", json_measure(change->loss));
	char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(8));
	buf_printf(out, "%s\n", text);
	free(text);
	json_decref(o);
}
