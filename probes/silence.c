// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/silence.h"

#define ANSWERED_SHARE \
	8 // at most one in so many new flows may be answered: what is begun during a look is miscounted

void silence_free(struct silence *silence)
{
	vec_free(&silence->last);
	vec_free(&silence->now);
}

void silence_forget(struct silence *silence)
{
	silence->last.n = 0;
}

void silence_begin(struct silence *silence)
{
	silence->now.n = 0;
	silence->more = 0;
}

void silence_flow(struct silence *silence, uint32_t id, bool opens)
{
	if (silence->now.n < SILENCE_KEPT)
		vec_push(&silence->now, (struct silence_flow){.id = id, .opens = opens});
	else
		silence->more++;
}

static int by_id(const void *a, const void *b)
{
	const struct silence_flow *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

uint64_t silence_fresh(struct silence *silence)
{
	const struct silence_flow *old = silence->last.v, *end = vec_end(&silence->last);
	uint64_t fresh = silence->more;

	if (silence->now.n)
		qsort(silence->now.v, silence->now.n, sizeof(*silence->now.v), by_id);
	silence->waiting = 0;
	vec_each(&silence->now, flow) {
		while (old != end && old->id < flow->id)
			old++;
		bool known = old != end && old->id == flow->id;
		fresh += !known;
		flow->used = known && old->used;
		silence->waiting += known && flow->opens && !flow->used;
	}
	return fresh;
}

static bool may_suspect(const struct silence *silence, int64_t now_ms)
{
	return !silence->pause_ms || now_ms - silence->suspected_ms >= silence->pause_ms;
}

// A long time without cause, and it begins anew.
static void suspect(struct silence *silence, int64_t now_ms)
{
	bool again = silence->pause_ms && now_ms - silence->suspected_ms < 4 * (int64_t)silence->pause_ms;
	uint32_t pause = again ? 2 * silence->pause_ms : SILENCE_PAUSE_MS;

	silence->pause_ms = pause < SILENCE_PAUSE_MAX_MS ? pause : SILENCE_PAUSE_MAX_MS;
	silence->suspected_ms = now_ms;
	vec_each(&silence->now, flow)
		flow->used = true;
}

bool silence_end(struct silence *silence, int64_t now_ms, uint64_t begun, uint64_t answered)
{
	bool cause = silence->waiting >= SILENCE_LEAST && answered <= begun / ANSWERED_SHARE &&
		     may_suspect(silence, now_ms);

	if (cause)
		suspect(silence, now_ms);
	__typeof__(silence->now) seen = silence->now;
	silence->now = silence->last;
	silence->last = seen;
	return cause;
}

bool silence_is_calm(const struct silence *silence)
{
	return !silence->last.n;
}
