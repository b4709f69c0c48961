// SPDX-License-Identifier: GPL-2.0-or-later
// news: when gwd or a peer said of a link that it is up or down, as milliseconds of lab_now_ms(). Gwd's are what
// `gwctl events` tells: the time at which the change was in force in the kernel. A peer's is when it ran the script
// that news_recorder() made for it, with the new state and the link's name.
#ifndef GWD_TEST_BENCH_NEWS_H
#define GWD_TEST_BENCH_NEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lab;

struct news {
	struct lab *lab;
	const char *told; // file: a line for each change, "NANOSECONDS STATE gK"
	int64_t wall_ms;  // of the clock's zero
	bool gwd;
};

void news_open(struct news *news, struct lab *lab, bool gwd);

// A script that writes down what a peer tells, called "SCRIPT STATE gK".
const char *news_recorder(struct news *news);

// When each of the links g1 to gLINKS got that state for the first time after `since_ms`, in when_ms[1] and on; 0: not
// yet. How many have.
size_t news_heard(struct news *news, const char *state, int64_t since_ms, int64_t when_ms[], int links);

#endif
