// SPDX-License-Identifier: GPL-2.0-or-later
// figure: numbers as people read them in a table: short, with their unit, "-" where nothing is known.
//
// Each writes into `text` or returns a constant; the result is to be printed at once.
#ifndef GWD_FIGURE_H
#define GWD_FIGURE_H

#include <stdint.h>

#define FIGURE_TEXT 32

const char *figure_age(int64_t ms, char text[FIGURE_TEXT]);       // 12s 3m20s 3h12m 12d04h
const char *figure_duration(unsigned ms, char text[FIGURE_TEXT]); // as the configuration has it: 500ms 90s 5m
const char *figure_amount(double value, char text[FIGURE_TEXT]);  // 812 1.2k 83.2M
const char *figure_latency(double ms, char text[FIGURE_TEXT]);    // 0.08 ms, 7.1 ms, 41 ms
const char *figure_share(double share, char text[FIGURE_TEXT]);   // of 1: 77%
const char *figure_count(int64_t n, char text[FIGURE_TEXT]);
const char *figure_date(int64_t wall_s, char text[FIGURE_TEXT]); // 2026-01-01 00:00:00 UTC

#endif
