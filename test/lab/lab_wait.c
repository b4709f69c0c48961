// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_wait: the lab's clock, and waiting for a condition. Called by everything; depends on nothing.
 */
#include "test/lab/lab_wait.h"

#include <time.h>

int64_t lab_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t lab_now_ms(void)
{
	return lab_now_us() / 1000;
}

bool lab_wait_until(bool (*met)(void *arg), void *arg, int timeout_ms)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	int64_t end = lab_now_ms() + timeout_ms;

	for (;;) {
		if (met(arg))
			return true;
		if (lab_now_ms() >= end)
			return false;
		nanosleep(&pause, NULL);
	}
}
