// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/check.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "gwd/base/alloc.h"
#include "gwd/base/hash.h"
#include "gwd/base/mono.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "probes/check_pool.h"
#include "probes/probe_copy.h"
#include "probes/prober.h"
#include "probes/turn.h"

#define HELD_UP_MS 20 // woken later than this: read what came in before judging silence
#define WAIT_MS 50    // others wait no longer for the questions of all checks
#define LONGEST_SLEEP_MS 3600000
#define JOIN_MOST 64 // checks that ask together

// ---- what is asked -----------------------------------------------------------------------------

// In doubt a target is asked by volleys, for one lost packet must not look like a death; but not
// where a question is work, or is repeated by TCP anyway.
static uint32_t asks(enum probe_type type)
{
	switch (type) {
	case PROBE_ICMP:
	case PROBE_ARP:
	case PROBE_DNS:
	case PROBE_TCP:
		return HEALTH_ASKS;
	case PROBE_HTTP:
	case PROBE_HTTPS:
	case PROBE_EXEC:
		return 1;
	}
	return 1;
}

static struct watch_config watch_config(const struct model_probe *probe)
{
	return (struct watch_config){
		.health.interval_ms = probe->interval_ms,
		.health.fast_ms = probe->fast_ms,
		.health.timeout_ms = probe->timeout_ms,
		.health.fall = probe->fall,
		.health.rise = probe->rise,
		.health.asks = asks(probe->type),
		.health.window_ms = probe->window_ms,
		.need = probe->need,
		.hold_ms = probe->hold_ms,
		.limits.loss = probe->loss_percent / 100.0,
		.limits.latency_ms = probe->latency_ms,
		.limits.jitter_ms = probe->jitter_ms,
	};
}

size_t check_targets(const struct model_probe *probe, enum fam fam, const struct addr *next_hop,
		     struct prober_target **out)
{
	VEC(struct prober_target) targets = {0};
	bool own = probe->n_targets || probe->n_target_names;

	for (size_t i = 0; i < probe->n_targets; i++)
		if (addr_fam(&probe->targets[i]) == fam)
			vec_push(&targets, (struct prober_target){.addr = probe->targets[i]});
	for (size_t i = 0; i < probe->n_target_names; i++)
		vec_push(&targets, (struct prober_target){.name = probe->target_names[i]});
	// A command needs nobody to ask.
	if (!own && (!addr_is_none(next_hop) || probe->type == PROBE_EXEC))
		vec_push(&targets, (struct prober_target){.addr = *next_hop});
	*out = targets.v;
	return targets.n;
}

static bool asks_next_hop(const struct check *check)
{
	return !check->spec.probe->n_targets && !check->spec.probe->n_target_names;
}

// ---- asking ----------------------------------------------------------------------------------

static void quiet(struct check *check)
{
	struct ask *ask;

	while ((ask = watch_take_handle(&check->watch)))
		prober_cancel(ask);
}

static void schedule(struct check *check)
{
	int64_t now_ms = mono_now_ms(), due = now_ms + LONGEST_SLEEP_MS;
	int64_t next = check->votes ? watch_next_ms(&check->watch) : INT64_MAX;

	due = next < due ? next : due;
	int64_t wait = due > now_ms ? due - now_ms : 0;
	struct timeval tv = {.tv_sec = wait / 1000, .tv_usec = wait % 1000 * 1000};
	check->due_ms = now_ms + wait;
	event_add(check->timer, &tv);
}

static void tell(const struct check *check)
{
	vec_each(&check->users, user)
		user->changed(user->arg);
}

static void answered(void *arg, uint64_t id, const struct answer *answer)
{
	struct check *check = arg;

	watch_answer(&check->watch, mono_now_ms(), id, answer);
	schedule(check);
	tell(check);
}

static void join(void *arg, struct check *check)
{
	const int64_t *now_ms = arg;

	if (!check->votes || !watch_join(&check->watch, *now_ms))
		return;
	check->joins = true;
	event_active(check->timer, EV_TIMEOUT, 0);
}

// Each time that the loop wakes up costs more than a question does. Where there are many it wakes up anyway, and all at
// once would be a burst.
static void let_others_join(struct check *check, int64_t now_ms)
{
	const struct check_pool *pool = prober_set_checks(check->set);

	if (!check->joins && check_pool_size(pool) <= JOIN_MOST)
		check_pool_each(pool, join, &now_ms);
	check->joins = false;
}

static void ask_what_is_due(struct check *check, int64_t now_ms)
{
	bool asked = false;
	struct watch_ask want;
	struct answer failed;
	struct ask *ask;

	watch_run(&check->watch, now_ms);
	while ((ask = watch_expired(&check->watch)))
		prober_cancel(ask);
	while (watch_ask(&check->watch, now_ms, &want)) {
		ask = prober_ask(check->set, check->spec.probe, &check->spec.link, want.target, answered,
				 check, want.id, &failed);
		if (ask)
			*want.handle = ask;
		else
			watch_answer(&check->watch, now_ms, want.id, &failed);
		asked = true;
	}
	if (asked)
		let_others_join(check, now_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval at_once = {0};
	struct check *check = arg;
	int64_t now_ms = mono_now_ms(), late_ms = now_ms - check->due_ms;

	(void)fd, (void)what;
	// The loop was busy elsewhere: answers may lie in the sockets. Let it read them first. Or the questions of all checks
	// are more than this machine can put: whoever acts on the answers, and the administrator, come between them.
	bool others_wait = turn_wait_ms(prober_set_wait(check->set)) > WAIT_MS;
	if ((late_ms > HELD_UP_MS || others_wait) && !check->held_up) {
		check->held_up = true;
		if (others_wait)
			turn_last(check->timer);
		event_add(check->timer, &at_once);
		return;
	}
	prober_set_overdue(check->set, late_ms);
	check->held_up = false;
	turn_first(check->timer);
	if (check->votes)
		ask_what_is_due(check, now_ms);
	schedule(check);
	tell(check);
}

// ---- life ------------------------------------------------------------------------------------

static uint64_t seed_of(const struct check *check)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed))
		return seed;
	int64_t now_us = mono_now_us();
	return hash_end(hash_add(hash_str(check->spec.probe->name), &now_us, sizeof(now_us)));
}

static void aim(struct check *check, int64_t now_ms)
{
	struct prober_target *targets;
	size_t n = check_targets(check->spec.probe, check->spec.link.fam, &check->spec.next_hop, &targets);

	check->votes = n > 0 || asks_next_hop(check);
	quiet(check);
	watch_set_targets(&check->watch, targets, n, now_ms);
	free(targets);
}

static struct check *make(struct event_base *base, struct prober_set *set, const struct check_spec *spec)
{
	struct check *check = xcalloc(1, sizeof(*check));
	struct watch_config config = watch_config(spec->probe);

	check->set = set;
	check->spec = *spec;
	check->arena = arena_new();
	check->spec.probe = probe_copy(check->arena, spec->probe);
	check->timer = turn_first(evtimer_new(base, on_timer, check));
	watch_init(&check->watch, &config, seed_of(check));
	check_pool_add(prober_set_checks(set), check);
	return check;
}

static void begin(struct check *check)
{
	int64_t now_ms = mono_now_ms();

	aim(check, now_ms);
	if (check->spec.broken)
		watch_set_broken(&check->watch, true, now_ms);
	watch_run(&check->watch, now_ms); // without targets the state is known at once
	schedule(check);
}

static void end(struct check *check)
{
	check_pool_remove(prober_set_checks(check->set), check);
	quiet(check);
	watch_free(&check->watch);
	event_free(check->timer);
	arena_free(check->arena);
	vec_free(&check->users);
	free(check);
}

static void heed_urgency(struct check *check)
{
	bool urgent = false;

	vec_each(&check->users, user)
		urgent |= user->urgent;
	if (urgent == check->watch.urgent)
		return;
	watch_set_urgent(&check->watch, urgent, mono_now_ms());
	event_active(check->timer, EV_TIMEOUT, 0); // its users are told, and it may have to ask
}

static void add_user(struct check *check, const struct check_user *user)
{
	vec_push(&check->users, *user);
	heed_urgency(check);
}

static struct check_user take_user(struct check *check, const void *arg)
{
	struct check_user taken = {0};

	vec_each(&check->users, user) {
		if (user->arg != arg)
			continue;
		taken = *user;
		*user = check->users.v[--check->users.n];
		break;
	}
	return taken;
}

struct check *check_join(struct event_base *base, struct prober_set *set, const struct check_spec *spec,
			 enum state state, const struct check_user *user)
{
	struct check *check = check_pool_find(prober_set_checks(set), spec);
	bool fresh = !check;

	if (fresh)
		check = make(base, set, spec);
	if (watch_state(&check->watch) == STATE_UNKNOWN)
		watch_assume(&check->watch, state, mono_now_ms());
	if (fresh)
		begin(check);
	add_user(check, user);
	return check;
}

void check_leave(struct check *check, void *arg)
{
	take_user(check, arg);
	if (check->users.n)
		heed_urgency(check);
	else
		end(check);
}

// ---- another path ----------------------------------------------------------------------------

// Nobody else uses it: it goes on there.
static void move_alone(struct check *check, const struct check_spec *spec)
{
	bool link = !prober_link_same(&check->spec.link, &spec->link),
	     broken = check->spec.broken != spec->broken;
	bool hop = !addr_equal(&check->spec.next_hop, &spec->next_hop) && asks_next_hop(check);
	int64_t now_ms = mono_now_ms();

	check_pool_remove(prober_set_checks(check->set), check);
	check->spec = *spec;
	check_pool_add(prober_set_checks(check->set), check);
	if (link || broken)
		quiet(check);
	if (hop)
		aim(check, now_ms);
	if (broken)
		watch_set_broken(&check->watch, spec->broken, now_ms);
	else if (link)
		watch_restart(&check->watch, now_ms);
	schedule(check);
}

struct check *check_move(struct check *check, void *arg, const struct prober_link *link,
			 const struct addr *next_hop, bool broken)
{
	struct check_spec spec = {check->spec.probe, *link, *next_hop, broken};
	struct check *other = check_pool_find(prober_set_checks(check->set), &spec);

	if (other == check) {
		check->spec.next_hop = *next_hop; // counts only where the probe has no targets
		return check;
	}
	if (!other && check->users.n == 1) {
		move_alone(check, &spec);
		return check;
	}
	struct check_user user = take_user(check, arg);
	if (!other) {
		other = make(event_get_base(check->timer), check->set, &spec);
		watch_inherit(&other->watch, &check->watch);
		begin(other);
	}
	add_user(other, &user);
	if (check->users.n)
		heed_urgency(check);
	else
		end(check);
	return other;
}

// ---- what users want -------------------------------------------------------------------------

void check_set_urgent(struct check *check, void *arg, bool urgent)
{
	vec_each(&check->users, user)
		if (user->arg == arg)
			user->urgent = urgent;
	heed_urgency(check);
}

void check_suspect(struct check *check)
{
	watch_suspect(&check->watch);
	schedule(check);
}
