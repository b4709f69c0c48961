// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_wait: time and waiting.
 *
 * All instants of the lab are milliseconds of CLOCK_MONOTONIC, so what a fault returns ("it began at") and
 * what a tool reports ("the gap began at") can be subtracted from each other. A test never sleeps for a
 * fixed time: it waits for a condition, with a bound.
 */
#ifndef GWD_TEST_LAB_LAB_WAIT_H
#define GWD_TEST_LAB_LAB_WAIT_H

#include <stdbool.h>
#include <stdint.h>

/* Now, in monotonic milliseconds. */
int64_t lab_now_ms(void);

/* The same clock in microseconds. */
int64_t lab_now_us(void);

/* Calls `met` every 2 ms until it says true (returns true at once) or timeout_ms have passed (false). */
bool lab_wait_until(bool (*met)(void *arg), void *arg, int timeout_ms);

#endif
