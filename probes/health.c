// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/health.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "gwd/base/hash.h"

#define ID_ASKS 4u // ids are attempt number * ID_ASKS + question
#define WINDOW_MIN 16u
#define WINDOW_MAX 256u
#define PAUSE_PART 16     // of a pause may be cut
#define JOIN_LEAST_MS 500 // the interval of those who join others

// ---- times -----------------------------------------------------------------------------------

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

// Least time between two attempts.
static uint32_t pace_ms(const struct health_config *config)
{
	uint32_t pace = config->fast_ms < config->interval_ms ? config->fast_ms : config->interval_ms;
	uint32_t least = config->timeout_ms / 8;

	return pace > least ? pace : least ? least : 1;
}

// How long an answer may take until it is worth asking again.
static int64_t late_ms(const struct health *health)
{
	const struct health_config *config = &health->config;

	if (health->srtt < 0)
		return config->timeout_ms;
	int64_t late = (int64_t)ceil(health->srtt + fmax(4 * health->rttvar, health->srtt / 4));
	if (late < pace_ms(config))
		late = pace_ms(config);
	return earlier(late, config->timeout_ms);
}

// A different pause for everybody, never longer than the interval: at most `part` of it is cut.
static uint32_t pause_ms(struct health *health, uint32_t part)
{
	uint32_t interval = health->config.interval_ms, pace = pace_ms(&health->config);

	health->seed = hash_add(HASH_START, &health->seed, sizeof(health->seed));
	uint32_t pause = interval - (uint32_t)(hash_end(health->seed) % (interval / part + 1));
	return pause > pace ? pause : pace;
}

static bool hurried(const struct health *health)
{
	return health->state == HEALTH_UNKNOWN || health->doubt || health->rises > 0;
}

// ---- attempts --------------------------------------------------------------------------------

static struct health_attempt *slot(struct health *health, uint64_t number)
{
	return &health->attempts[number % HEALTH_ATTEMPTS];
}

static const struct health_attempt *peek(const struct health *health, uint64_t number)
{
	return &health->attempts[number % HEALTH_ATTEMPTS];
}

// Those that are under way: the numbers from the oldest to the last whose slot is still theirs.
#define each_attempt(health, a) \
	for (uint64_t n_ = (health)->oldest; n_ <= (health)->last; n_++) \
		for (const struct health_attempt *a = peek(health, n_); a && a->number == n_; a = NULL)

static const struct health_ask *last_ask(const struct health_attempt *a)
{
	return &a->asks[a->sent - 1];
}

// Is it one of those since the last answer?
static bool in_row(const struct health *health, const struct health_attempt *a)
{
	return a->number > health->proof && a->real > 0;
}

static bool over(const struct health_attempt *a)
{
	for (uint32_t i = 0; i < a->sent; i++)
		if (a->asks[i].open)
			return false;
	return a->sent == a->planned;
}

static void close_if_over(struct health *health, struct health_attempt *a)
{
	if (!over(a))
		return;
	if (in_row(health, a)) {
		health->fails++;
		health->rises = 0;
		health->doubt |= health->state == HEALTH_ANSWERING;
	}
	a->number = 0;
	while (health->oldest <= health->last && slot(health, health->oldest)->number != health->oldest)
		health->oldest++;
}

static struct health_ask *find(struct health *health, uint64_t id, struct health_attempt **attempt)
{
	struct health_attempt *a = slot(health, id / ID_ASKS);
	struct health_ask *ask = &a->asks[id % ID_ASKS];

	*attempt = a;
	return a->number == id / ID_ASKS && id % ID_ASKS < a->sent && ask->open ? ask : NULL;
}

// ---- life ------------------------------------------------------------------------------------

void health_init(struct health *health, const struct health_config *config, int64_t first_ms, uint64_t seed)
{
	uint32_t outcomes = config->window_ms / pace_ms(config) + WINDOW_MIN;

	assert(config->interval_ms && config->timeout_ms && config->fall && config->rise);
	assert(config->asks >= 1 && config->asks <= HEALTH_ASKS);
	*health = (struct health){
		.config = *config,
		.ran_ms = INT64_MIN,
		.proven_ms = INT64_MIN,
		.started_ms = first_ms - pace_ms(config),
		.oldest = 1,
		.srtt = -1,
		.rttvar = -1,
		.seed = seed,
	};
	health->pause_ms = pace_ms(config);
	window_init(&health->window, config->window_ms, outcomes < WINDOW_MAX ? outcomes : WINDOW_MAX);
}

void health_free(struct health *health)
{
	window_free(&health->window);
}

void health_restart(struct health *health, enum health_state state, int64_t first_ms)
{
	memset(health->attempts, 0, sizeof(health->attempts));
	health->oldest = health->last + 1;
	health->expired = 0;
	health->state = state;
	health->doubt = false;
	health->fails = health->misses = health->rises = 0;
	health->proof = health->last;
	health->started_ms = first_ms - pace_ms(&health->config);
	health->pause_ms = pace_ms(&health->config);
}

void health_suspect(struct health *health)
{
	health->doubt = true;
	health->doubt_after = health->last;
}

// ---- time passes -----------------------------------------------------------------------------

static void give_up(struct health *health, struct health_attempt *a, int64_t now_ms)
{
	for (uint32_t i = 0; i < a->sent; i++) {
		struct health_ask *ask = &a->asks[i];

		if (!ask->open || now_ms - ask->sent_ms < health->config.timeout_ms)
			continue;
		ask->open = false;
		health->expired += ask->handle != NULL;
		window_lost(&health->window, now_ms);
	}
	close_if_over(health, a);
}

// Counts the row of misses, and finds out whether an answer is late.
static void weigh(struct health *health, int64_t now_ms)
{
	int64_t late = late_ms(health);

	health->misses = health->fails;
	each_attempt(health, a) {
		if (!in_row(health, a))
			continue;
		if (now_ms - a->asks[0].sent_ms >= late && health->state == HEALTH_ANSWERING)
			health->doubt = true;
		if (health->fails && a->sent == a->planned && now_ms - last_ask(a)->sent_ms >= late)
			health->misses++;
	}
}

static void conclude(struct health *health, int64_t now_ms)
{
	weigh(health, now_ms);
	if (health->state == HEALTH_SILENT || health->misses < health->config.fall)
		return;
	health->state = HEALTH_SILENT;
	health->doubt = false;
	health->rises = 0;
}

void health_run(struct health *health, int64_t now_ms)
{
	for (uint64_t n = health->oldest; n <= health->last; n++)
		if (slot(health, n)->number == n)
			give_up(health, slot(health, n), now_ms);
	health->ran_ms = now_ms;
	conclude(health, now_ms);
}

static void *take_handle(struct health *health, bool open_too)
{
	for (size_t i = 0; i < HEALTH_ATTEMPTS; i++) {
		for (size_t j = 0; j < HEALTH_ASKS; j++) {
			struct health_ask *ask = &health->attempts[i].asks[j];
			void *handle = ask->handle;

			if (!handle || (ask->open && !open_too))
				continue;
			ask->handle = NULL;
			return handle;
		}
	}
	return NULL;
}

void *health_expired(struct health *health)
{
	if (!health->expired)
		return NULL;
	health->expired--;
	return take_handle(health, false);
}

void *health_take_handle(struct health *health)
{
	return take_handle(health, true);
}

// ---- asking ----------------------------------------------------------------------------------

// Attempts since the last answer, those under way included.
static uint32_t row(const struct health *health)
{
	uint32_t n = health->fails;

	each_attempt(health, a)
		n += in_row(health, a);
	return n;
}

static int64_t next_attempt_ms(const struct health *health)
{
	uint32_t pace = pace_ms(&health->config);
	uint32_t pause = health->keen ? health->pause_ms / 4 : health->pause_ms;

	return health->started_ms + (hurried(health) || pause < pace ? pace : pause);
}

bool health_join(struct health *health, int64_t now_ms)
{
	uint32_t interval = health->config.interval_ms;
	int64_t earliest_ms = health->started_ms + interval - interval / PAUSE_PART;

	if (health->state != HEALTH_ANSWERING || hurried(health) || health->keen ||
	    interval < JOIN_LEAST_MS || now_ms < earliest_ms || next_attempt_ms(health) <= now_ms)
		return false;
	health->pause_ms = (uint32_t)(now_ms - health->started_ms);
	return true;
}

static int64_t next_ask_ms(const struct health *health, const struct health_attempt *a)
{
	return a->asks[0].sent_ms + a->sent * (pace_ms(&health->config) / 4);
}

static struct health_attempt *begin(struct health *health, int64_t now_ms)
{
	struct health_attempt *a = slot(health, health->last + 1);
	uint32_t behind = row(health);
	bool volley = health->state != HEALTH_SILENT && behind > 0 && behind < health->config.fall;

	if (a->number)
		return NULL;
	*a = (struct health_attempt){
		.number = ++health->last,
		.planned = volley ? health->config.asks : 1,
	};
	health->started_ms = now_ms;
	health->pause_ms = pause_ms(health, health->state == HEALTH_UNKNOWN ? 2 : PAUSE_PART);
	if (health->state == HEALTH_SILENT)
		health->doubt = false; // a suspicion is worth one question then
	return a;
}

bool health_ask(struct health *health, int64_t now_ms, uint64_t *id, void ***handle)
{
	struct health_attempt *a = slot(health, health->last);

	if (!a->number || a->sent == a->planned || next_ask_ms(health, a) > now_ms) {
		if (a->number && a->sent < a->planned)
			return false;
		if (next_attempt_ms(health) > now_ms)
			return false;
		a = begin(health, now_ms);
		if (!a)
			return false;
	}
	struct health_ask *ask = &a->asks[a->sent];
	*ask = (struct health_ask){.sent_ms = now_ms, .open = true};
	*id = a->number * ID_ASKS + a->sent;
	*handle = &ask->handle;
	a->sent++;
	a->real++;
	return true;
}

// ---- answers ---------------------------------------------------------------------------------

// RFC 6298.
static void smooth(struct health *health, double rtt_ms)
{
	if (health->srtt < 0) {
		health->srtt = rtt_ms;
		health->rttvar = rtt_ms / 2;
		return;
	}
	health->rttvar += (fabs(health->srtt - rtt_ms) - health->rttvar) / 4;
	health->srtt += (rtt_ms - health->srtt) / 8;
}

static void prove(struct health *health, uint64_t number)
{
	if (number <= health->proof)
		return;
	bool next = number == health->proof + 1;
	health->proof = number;
	health->fails = health->misses = 0;
	if (number > health->doubt_after)
		health->doubt = false;
	if (health->state == HEALTH_SILENT) {
		health->rises = next || !health->rises ? health->rises + 1 : 1;
		if (!health->quick && health->rises < health->config.rise)
			return;
		window_clear(&health->window); // the outage has been told; from here on it is about now
	}
	health->state = HEALTH_ANSWERING;
	health->rises = 0;
}

void health_answered(struct health *health, int64_t now_ms, uint64_t id, double rtt_ms)
{
	struct health_attempt *a;
	struct health_ask *ask = find(health, id, &a);

	if (!ask)
		return;
	if (rtt_ms > health->config.timeout_ms) { // it came before our timer, but too late
		health_refused(health, now_ms, id);
		return;
	}
	*ask = (struct health_ask){.sent_ms = ask->sent_ms};
	a->planned = a->sent; // no need to ask on
	if (ask->sent_ms > health->proven_ms)
		health->proven_ms = ask->sent_ms;
	prove(health, a->number);
	window_answered(&health->window, now_ms, rtt_ms);
	smooth(health, rtt_ms);
	close_if_over(health, a);
}

void health_refused(struct health *health, int64_t now_ms, uint64_t id)
{
	struct health_attempt *a;
	struct health_ask *ask = find(health, id, &a);

	if (!ask)
		return;
	*ask = (struct health_ask){.sent_ms = ask->sent_ms};
	window_lost(&health->window, now_ms);
	close_if_over(health, a);
	conclude(health, now_ms);
}

void health_unasked(struct health *health, uint64_t id)
{
	struct health_attempt *a;
	struct health_ask *ask = find(health, id, &a);

	if (!ask)
		return;
	*ask = (struct health_ask){.sent_ms = ask->sent_ms};
	a->planned = a->sent;
	a->real--;
	close_if_over(health, a);
}

// ---- when ------------------------------------------------------------------------------------

// What an attempt under way is waiting for.
static int64_t attempt_next_ms(const struct health *health, const struct health_attempt *a)
{
	int64_t next = INT64_MAX, late = late_ms(health);

	if (a->sent < a->planned)
		next = next_ask_ms(health, a);
	for (uint32_t i = 0; i < a->sent; i++)
		if (a->asks[i].open)
			next = earlier(next, a->asks[i].sent_ms + health->config.timeout_ms);
	if (health->state == HEALTH_SILENT || !in_row(health, a))
		return next;
	if (a->asks[0].sent_ms + late > health->ran_ms)
		next = earlier(next, a->asks[0].sent_ms + late);
	if (last_ask(a)->sent_ms + late > health->ran_ms)
		next = earlier(next, last_ask(a)->sent_ms + late);
	return next;
}

int64_t health_next_ms(const struct health *health)
{
	const struct health_attempt *last = peek(health, health->last);
	bool busy = last->number && last->sent < last->planned; // with a volley
	bool room = !peek(health, health->last + 1)->number;
	int64_t next = busy || !room ? INT64_MAX : next_attempt_ms(health);

	each_attempt(health, a)
		next = earlier(next, attempt_next_ms(health, a));
	return next;
}
