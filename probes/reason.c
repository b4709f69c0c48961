// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/reason.h"

#include <stdio.h>

#include "gwd/base/buf.h"
#include "gwd/base/hash.h"
#include "probes/watch.h"

#define each_target(watch, t) \
	for (const struct watch_target *t = (watch)->targets; \
	     t && t < (watch)->targets + (watch)->n_targets; t++)

static size_t answering(const struct watch *watch)
{
	size_t n = 0;

	each_target(watch, t)
		n += t->health.state == HEALTH_ANSWERING;
	return n;
}

static void say_well(const struct watch *watch, struct buf *out)
{
	size_t silent = 0;

	if (!watch->n_targets) {
		buf_puts(out, "there is no next hop to probe, so its carrier decides");
		return;
	}
	if (watch->n_targets == 1) {
		buf_printf(out, "%s answers", watch->targets[0].label);
		return;
	}
	buf_printf(out, "%zu of %zu targets answer", answering(watch), watch->n_targets);
	each_target(watch, t)
		if (t->health.state == HEALTH_SILENT)
			buf_printf(out, "%s %s", silent++ ? "," : ", not", t->label);
}

static void say_ill(const struct watch *watch, struct buf *out)
{
	const char *between = "";

	if (answering(watch)) {
		buf_printf(out, "%zu of %zu targets answer, %u must", answering(watch), watch->n_targets,
			   watch->config.need);
		between = "; ";
	}
	each_target(watch, t) {
		if (t->health.state == HEALTH_ANSWERING)
			continue;
		buf_puts(out, between);
		between = "; ";
		if (t->refused)
			buf_puts(out, t->why);
		else
			buf_printf(out, "no answer from %s", t->label);
		if (!t->refused && t->health.misses) // none: not asked again since its link was away
			buf_printf(out, " (%u in a row)", t->health.misses);
	}
}

static void say_quality(const struct watch *watch, struct buf *out, int64_t now_ms)
{
	struct window_figures figures = watch_figures(watch, now_ms);
	char text[96];

	quality_reason(&watch->quality, &figures, text, sizeof(text));
	if (*text)
		buf_printf(out, "%s; ", text);
}

static void say_state(const struct watch *watch, struct buf *out, int64_t now_ms)
{
	enum state raw = watch_raw_state(watch);

	switch (watch->damper.state) {
	case STATE_UP:
		say_quality(watch, out, now_ms);
		say_well(watch, out);
		break;
	case STATE_DOWN:
		if (raw == STATE_UP)
			buf_printf(out, "answers again, on hold for %.3g s", watch->damper.hold_ms / 1000.0);
		else
			say_ill(watch, out);
		break;
	case STATE_UNKNOWN:
	case STATE_DEGRADED:
	case STATE_DRAIN:
	case STATE_DISABLED:
		buf_puts(out, "no answer yet");
		break;
	}
}

void reason_text(const struct watch *watch, int64_t now_ms, char *text, size_t size)
{
	struct buf out = {0};

	say_state(watch, &out, now_ms);
	each_target(watch, t) {
		if (!t->cant)
			continue;
		buf_printf(&out, "; %s", t->why);
		break;
	}
	snprintf(text, size, "%s", buf_text(&out));
	buf_free(&out);
}

uint64_t reason_signature(const struct watch *watch)
{
	int of[3] = {(int)watch->damper.state, (int)watch_raw_state(watch), (int)watch->quality.fault};
	uint64_t hash = hash_add(HASH_START, of, sizeof(of));

	each_target(watch, t) {
		uint8_t about[3] = {(uint8_t)t->health.state, t->cant,
				    t->refused && watch->damper.state == STATE_DOWN};

		hash = hash_add(hash, about, sizeof(about));
	}
	return hash;
}
