// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/events.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/core/verdict.h"

static struct change change_of(int i)
{
	struct change change = {.wall_ms = 1767225600123 + i,
				.kind = "gateway",
				.old = state_name(STATE_UP),
				.new = state_name(STATE_DOWN),
				.latency_ms = 7.1,
				.jitter_ms = -1,
				.loss = 0.25};
	snprintf(change.name, sizeof(change.name), "g%d", i);
	snprintf(change.reason, sizeof(change.reason), "no answer from 192.0.2.1 (3 in a row)");
	return change;
}

Test(events, the_last_ones_are_kept_in_order)
{
	struct events *events = events_new();
	for (int i = 0; i < EVENTS_KEPT + 7; i++) {
		struct change change = change_of(i);
		events_record(events, &change);
	}
	cr_assert_eq(events_count(events), EVENTS_KEPT);
	cr_expect_str_eq(events_at(events, 0)->name, "g7");
	cr_expect_str_eq(events_at(events, EVENTS_KEPT - 1)->name, "g506");
	events_free(events);
}

static void count(void *arg, const struct change *change)
{
	int *n = arg;
	(void)change;
	++*n;
}

Test(events, whoever_watches_is_told_until_he_stops)
{
	struct events *events = events_new();
	struct change change = change_of(1);
	int a = 0, b = 0;
	struct events_watch first = {.told = count, .arg = &a}, second = {.told = count, .arg = &b};
	events_watch(events, &first);
	events_watch(events, &second);
	events_record(events, &change);
	events_unwatch(events, &first);
	events_unwatch(events, &first);
	events_record(events, &change);
	cr_expect_eq(a, 1);
	cr_expect_eq(b, 2);
	events_free(events);
}

Test(events, a_line_tells_what_was_measured)
{
	struct change change = change_of(1);
	struct buf text = {0};
	change_text(&change, &text);
	cr_expect_str_eq(buf_text(&text),
			 "2026-01-01 00:00:00 UTC  gateway g1: up -> down: no answer from 192.0.2.1 (3 in a "
			 "row); latency 7.1 ms; loss 25%\n");
	buf_free(&text);
}

Test(events, json_is_one_line_whatever_the_reason_holds)
{
	struct change change = change_of(1);
	struct buf text = {0};
	memcpy(change.reason, "\xff\xfe\n", 4);
	change_json(&change, &text);
	json_t *root = json_loads(buf_text(&text), 0, NULL);
	cr_assert(root, "%s", buf_text(&text));
	cr_expect_eq(strchr(buf_text(&text), '\n'), buf_text(&text) + text.n - 1);
	cr_expect_str_eq(json_string_value(json_object_get(root, "time")), "2026-01-01T00:00:00.124Z");
	cr_expect_str_eq(json_string_value(json_object_get(root, "old")), "up");
	cr_expect_str_eq(json_string_value(json_object_get(root, "new")), "down");
	cr_expect(json_is_null(json_object_get(root, "jitter_ms")));
	cr_expect_float_eq(json_real_value(json_object_get(root, "loss")), 0.25, 1e-9);
	json_decref(root);
	buf_free(&text);
}
