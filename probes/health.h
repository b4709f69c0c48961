// SPDX-License-Identifier: GPL-2.0-or-later
// health: does one target answer? The machine that decides when to ask it and what silence means.
//
// Pure: monotonic milliseconds come in, questions ("ask number 17 now") and a state come out. The
// watch (watch.h) owns one per target; simulated time tests it by the million.
//
// An *attempt* is one question, or while in doubt a volley of `asks` of them. While all is well
// there is one each `interval`. When an answer is *late* (later than the round trips so far let one
// expect, at least `fast`, at most `timeout`) the target is in doubt and is asked each `fast`. It is
// silent when `fall` attempts in a row brought nothing: the first of them for the full `timeout`,
// those behind it at least until they are late, too. So with the defaults (1s, 100ms, 300ms, fall 3)
// a dead target is found at most 1.35 s after its last answer, and 10 % loss must take seven
// questions in a row to fool us, once in 2,800 hours. An answer to any question within `timeout` of
// its own asking clears the doubt.
//
// A silent target is asked each `interval`, and each `fast` after a first answer; `rise` answered
// attempts in a row make it answer again. Before the first verdict it is asked each `fast`, and one
// answer is enough. The figures begin anew when a silent target answers again.
#ifndef GWD_PROBES_HEALTH_H
#define GWD_PROBES_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/window.h"

#define HEALTH_ASKS 3      // most questions in one attempt
#define HEALTH_ATTEMPTS 12 // most attempts under way: they start at least timeout/8 apart

enum health_state { HEALTH_UNKNOWN, HEALTH_ANSWERING, HEALTH_SILENT };

struct health_config {
	uint32_t interval_ms, fast_ms, timeout_ms;
	uint32_t fall, rise; // 1..
	uint32_t asks;       // 1..HEALTH_ASKS: questions of an attempt in doubt
	uint32_t window_ms;  // span of the figures
};

struct health_ask {
	int64_t sent_ms;
	bool open;    // asked, and neither answered nor given up
	void *handle; // the caller's, for calling the question back
};

struct health_attempt {
	uint64_t number;        // from 1; 0: free
	uint32_t planned, sent; // questions
	uint32_t real;          // of those, how many could be put
	struct health_ask asks[HEALTH_ASKS];
};

struct health {
	struct health_config config;
	enum health_state state;
	bool quick;           // one answer is enough (nothing better is up, or never was up)
	bool keen;            // ask four times as often: on hold, where no short hole may be missed
	bool doubt;           // ask at the fast pace
	uint32_t fails;       // attempts in a row that brought nothing and are over
	uint32_t misses;      // the same with those that are late
	uint32_t rises;       // attempts in a row that were answered, while silent
	uint64_t last;        // number of the last attempt
	uint64_t oldest;      // no attempt before this one is under way
	uint32_t expired;     // questions given up whose handle has not been taken
	uint64_t proof;       // number of the last attempt that was answered
	uint64_t doubt_after; // doubt ends with the answer to a later attempt than this
	int64_t ran_ms;       // when time was judged last
	int64_t proven_ms;    // when the newest answered question was put
	int64_t started_ms;   // start of the last attempt
	uint32_t pause_ms;    // until the next attempt while all is well: the interval, a little less
	double srtt, rttvar;  // smoothed round trip and its deviation as TCP keeps them; < 0: none
	uint64_t seed;
	struct health_attempt attempts[HEALTH_ATTEMPTS];
	struct window window;
};

// The first question is due at `first_ms`; `seed` spreads the later ones a little.
void health_init(struct health *health, const struct health_config *config, int64_t first_ms, uint64_t seed);
void health_free(struct health *health);

// Forgets what is under way (the caller has called it back) and starts anew at `first_ms` in `state`;
// what was learnt about round trips stays.
void health_restart(struct health *health, enum health_state state, int64_t first_ms);

// Judges the time that has passed. To be called before health_ask() and when health_next_ms() is due.
void health_run(struct health *health, int64_t now_ms);

// True: put a question now; its number is stored, and `handle` is where the caller may keep what it
// needs to call the question back. Call until it is false.
bool health_ask(struct health *health, int64_t now_ms, uint64_t *id, void ***handle);

// The next question whose answer would come too late: its handle (once), or NULL. Call after health_run().
void *health_expired(struct health *health);

// Any handle that is kept (once), or NULL: before health_restart() or health_free().
void *health_take_handle(struct health *health);

void health_answered(struct health *health, int64_t now_ms, uint64_t id, double rtt_ms);
void health_refused(struct health *health, int64_t now_ms, uint64_t id); // it won't be answered
void health_unasked(struct health *health, uint64_t id); // it could not be put: no evidence at all

// A hint that the target may be dead: asks at once, and at the fast pace until it answers.
void health_suspect(struct health *health);

// Others are being asked now. A target that answers and whose pause might have been drawn as short as to end by now is
// due with them: one wake-up for both. False: it isn't.
bool health_join(struct health *health, int64_t now_ms);

// When health_run() and health_ask() want to be called again.
int64_t health_next_ms(const struct health *health);

#endif
