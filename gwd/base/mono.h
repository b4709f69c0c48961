// SPDX-License-Identifier: GPL-2.0-or-later
// mono: monotonic milliseconds. The shell reads the clock once a turn and passes the value on, so
// the core and the health machine run on any time that a test invents.
#ifndef GWD_BASE_MONO_H
#define GWD_BASE_MONO_H

#include <stdint.h>

// Milliseconds of CLOCK_MONOTONIC; never goes back, does not follow the wall clock.
int64_t mono_now_ms(void);
int64_t mono_now_us(void); // the same clock, for measuring
int64_t mono_cpu_us(void); // processor time that this thread has taken

#endif
