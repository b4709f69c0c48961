// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/damper.h"

#include <assert.h>

void damper_init(struct damper *damper, uint32_t hold_ms)
{
	*damper = (struct damper){
		.state = STATE_UNKNOWN,
		.good_since_ms = -1,
		.base_ms = hold_ms,
		.hold_ms = hold_ms,
	};
}

void damper_assume(struct damper *damper, enum state state, int64_t now_ms)
{
	bool up = state == STATE_UP || state == STATE_DEGRADED;

	if (!up && state != STATE_DOWN)
		return;
	damper->state = up ? STATE_UP : STATE_DOWN;
	damper->was_up = true;
	damper->up_since_ms = now_ms;
}

static int64_t calm_ms(const struct damper *damper)
{
	int64_t calm = 4 * (int64_t)damper->hold_ms;

	return calm > DAMPER_CALM_MIN_MS ? calm : DAMPER_CALM_MIN_MS;
}

static uint32_t ceiling_ms(const struct damper *damper)
{
	return damper->base_ms > DAMPER_HOLD_MAX_MS ? damper->base_ms : DAMPER_HOLD_MAX_MS;
}

// The hold that follows a life of `life_ms`. The first fall is no flapping yet.
static void learn(struct damper *damper, int64_t life_ms)
{
	bool calm = life_ms >= calm_ms(damper) || !damper->has_fallen;

	damper->has_fallen = true;

	while (damper->hold_ms > damper->base_ms && life_ms >= calm_ms(damper)) {
		life_ms -= calm_ms(damper);
		damper->hold_ms /= 2;
	}
	if (!calm)
		damper->hold_ms =
			damper->hold_ms > ceiling_ms(damper) / 2 ? ceiling_ms(damper) : damper->hold_ms * 2;
	if (damper->hold_ms < damper->base_ms)
		damper->hold_ms = damper->base_ms;
}

static void rise(struct damper *damper, int64_t now_ms, int64_t proven_ms, bool urgent)
{
	if (damper->good_since_ms < 0)
		damper->good_since_ms = now_ms;
	if (damper->was_up && !urgent && proven_ms < damper->good_since_ms + damper->hold_ms)
		return;
	damper->state = STATE_UP;
	damper->up_since_ms = now_ms;
	damper->was_up = true;
	damper->good_since_ms = -1;
}

static void fall(struct damper *damper, int64_t now_ms)
{
	damper->good_since_ms = -1;
	if (damper->state == STATE_UP)
		learn(damper, now_ms - damper->up_since_ms);
	damper->state = STATE_DOWN;
}

enum state damper_run(struct damper *damper, int64_t now_ms, enum state raw, int64_t proven_ms, bool urgent)
{
	if (raw == STATE_UP && damper->state != STATE_UP)
		rise(damper, now_ms, proven_ms, urgent);
	else if (raw == STATE_DOWN)
		fall(damper, now_ms);
	else
		damper->good_since_ms = -1;
	return damper->state;
}

int64_t damper_next_ms(const struct damper *damper)
{
	return damper->good_since_ms < 0 ? INT64_MAX : damper->good_since_ms + damper->hold_ms;
}
