// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/core/ramp.h"

#define RAMP_GOLDEN 0.618 // strides of this share of a circle are never far from even

static int64_t ramp_step(int64_t elapsed_ms, unsigned total_ms)
{
	if (elapsed_ms < 0)
		return 0;
	return elapsed_ms >= total_ms ? RAMP_STEPS : elapsed_ms * RAMP_STEPS / total_ms;
}

// It begins with one step, since a share of nothing would be none at all.
unsigned ramp_held(int64_t elapsed_ms, unsigned total_ms)
{
	int64_t step = ramp_step(elapsed_ms, total_ms);
	return (unsigned)((RAMP_STEPS - (step ? step : 1)) * RAMP_FULL / RAMP_STEPS);
}

int64_t ramp_wait_ms(int64_t elapsed_ms, unsigned total_ms)
{
	int64_t step = ramp_step(elapsed_ms, total_ms), next = step ? step + 1 : 2;
	if (step == RAMP_STEPS)
		return RAMP_OVER;
	return (next * total_ms + RAMP_STEPS - 1) / RAMP_STEPS - elapsed_ms;
}

unsigned ramp_since_held(const struct ramp_since *since, int64_t now_ms, unsigned total_ms)
{
	if (!since->seen)
		return 0;
	if (!since->in_use)
		return ramp_held(0, total_ms);
	return since->ramped ? ramp_held(now_ms - since->since_ms, total_ms) : 0;
}

int64_t ramp_since_wait_ms(const struct ramp_since *since, int64_t now_ms, unsigned total_ms)
{
	return since->in_use && since->ramped ? ramp_wait_ms(now_ms - since->since_ms, total_ms) : RAMP_OVER;
}

void ramp_since_note(struct ramp_since *since, bool in_use, int64_t now_ms)
{
	if (in_use && !since->in_use && since->seen) {
		since->ramped = true;
		since->since_ms = now_ms;
	}
	since->in_use = in_use;
	since->seen = true;
}

unsigned ramp_taken(unsigned held, unsigned least_held)
{
	unsigned taken = RAMP_FULL * (RAMP_FULL - held) / (RAMP_FULL - least_held);
	return taken ? taken : 1;
}

unsigned ramp_places(unsigned n, unsigned taken)
{
	unsigned places = (unsigned)((uint64_t)n * taken / RAMP_FULL);
	return places || !n ? places : 1;
}

static unsigned ramp_gcd(unsigned a, unsigned b)
{
	while (b) {
		unsigned rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

unsigned ramp_place(unsigned i, unsigned n)
{
	unsigned stride = (unsigned)(n * RAMP_GOLDEN);
	while (stride && ramp_gcd(stride, n) != 1)
		stride--;
	return stride ? (unsigned)((uint64_t)i * stride % n) : i % n;
}
