// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/notify.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gwd/base/alloc.h"
#include "gwd/base/log.h"
#include "gwd/base/mono.h"
#include "gwd/base/vec.h"
#include "gwd/events.h"
#include "probes/spawn.h"

// One name. It lives as long as the daemon: there are few names, and what was told last must be known.
struct notify_name {
	struct notify *notify;
	struct change waiting; // while `waits`
	bool waits;
	int64_t due_ms; // not before
	pid_t pid;      // 0: nothing runs
	int pidfd;
	struct event *ended, *timeout;
};

struct notify {
	struct event_base *base;
	struct event *timer;
	char *program;
	VEC(struct notify_name *) names;
	unsigned running, limit_ms;
};

static void notify_run(struct notify *notify);

// ---- the end of a program --------------------------------------------------------------------

static void notify_bury(struct notify_name *name, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status))
		log_warn("notify", "%s: the program ended with exit status %d", name->waiting.name,
			 WEXITSTATUS(status));
	event_free(name->ended);
	event_free(name->timeout);
	close(name->pidfd);
	name->pid = 0;
	name->due_ms = mono_now_ms() + NOTIFY_PAUSE_MS;
	name->notify->running--;
}

static void notify_on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct notify_name *name = arg;
	int status = 0;
	(void)fd, (void)what;
	kill(-name->pid, SIGKILL); // what it left running; the id is ours until it is waited for
	if (waitpid(name->pid, &status, WNOHANG) == 0)
		return;
	notify_bury(name, status);
	notify_run(name->notify);
}

static void notify_on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct notify_name *name = arg;
	(void)fd, (void)what;
	log_warn("notify", "%s: the program took more than %.3g s and is killed", name->waiting.name,
		 name->notify->limit_ms / 1000.0);
	kill(-name->pid, SIGKILL); // its end follows
}

// ---- starting --------------------------------------------------------------------------------

struct notify_environment {
	VEC(char *) own;
	VEC(char *) all;
};

static void notify_set(struct notify_environment *env, const char *key, const char *value)
{
	char *text;
	if (asprintf(&text, "GWD_%s=%s", key, value) < 0)
		abort();
	vec_push(&env->own, text);
}

static void notify_set_measure(struct notify_environment *env, const char *key, double value)
{
	char text[32] = "";
	if (value >= 0)
		snprintf(text, sizeof(text), "%.3f", value);
	notify_set(env, key, text);
}

static void notify_fill(struct notify_environment *env, const struct change *change)
{
	char text[32];
	snprintf(text, sizeof(text), "%lld", (long long)(change->wall_ms / 1000));
	notify_set(env, "TIME", text);
	notify_set(env, "KIND", change->kind);
	notify_set(env, "NAME", change->name);
	notify_set(env, "OLD", change->old);
	notify_set(env, "NEW", change->new);
	notify_set(env, "REASON", change->reason);
	notify_set_measure(env, "LATENCY_MS", change->latency_ms);
	notify_set_measure(env, "JITTER_MS", change->jitter_ms);
	notify_set_measure(env, "LOSS", change->loss);
	for (char **e = environ; *e; e++)
		vec_push(&env->all, *e);
	vec_each(&env->own, own)
		vec_push(&env->all, *own);
	vec_push(&env->all, NULL);
}

static int notify_spawn(struct notify_name *name)
{
	const struct change *change = &name->waiting;
	struct notify_environment env = {0};
	const char *argv[] = {name->notify->program, change->kind,   change->name, change->old,
			      change->new,           change->reason, NULL};
	notify_fill(&env, change);
	int r = spawn_arguments(argv, env.all.v, STDERR_FILENO, &name->pid);
	vec_each(&env.own, own)
		free(*own);
	vec_free(&env.own);
	vec_free(&env.all);
	if (r)
		return r;
	name->pidfd = pidfd_open(name->pid, 0);
	if (name->pidfd >= 0)
		return 0;
	r = errno;
	kill(-name->pid, SIGKILL);
	waitpid(name->pid, NULL, 0);
	return r;
}

static void notify_start(struct notify_name *name)
{
	struct notify *notify = name->notify;
	struct timeval limit = {.tv_sec = notify->limit_ms / 1000, .tv_usec = notify->limit_ms % 1000 * 1000};
	name->waits = false;
	int r = notify_spawn(name);
	if (r) {
		log_warn("notify", "%s: can't run %s: %s", name->waiting.name, notify->program, strerror(r));
		name->pid = 0;
		name->due_ms = mono_now_ms() + NOTIFY_PAUSE_MS;
		return;
	}
	notify->running++;
	name->ended = event_new(notify->base, name->pidfd, EV_READ | EV_PERSIST, notify_on_ended, name);
	name->timeout = evtimer_new(notify->base, notify_on_timeout, name);
	event_add(name->ended, NULL);
	event_add(name->timeout, &limit);
}

// Starts what may be started now, longest due first, and sees when to look again.
static void notify_run(struct notify *notify)
{
	int64_t now_ms = mono_now_ms();
	event_del(notify->timer);
	while (notify->program && notify->running < NOTIFY_RUNNING) {
		struct notify_name *next = NULL;
		vec_each(&notify->names, name)
			if ((*name)->waits && !(*name)->pid && (!next || (*name)->due_ms < next->due_ms))
				next = *name;
		if (!next)
			return;
		if (next->due_ms > now_ms) {
			int64_t wait = next->due_ms - now_ms;
			event_add(notify->timer,
				  &(struct timeval){.tv_sec = wait / 1000, .tv_usec = wait % 1000 * 1000});
			return;
		}
		notify_start(next);
	}
}

static void notify_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	notify_run(arg);
}

// ---- what the engine tells -------------------------------------------------------------------

static struct notify_name *notify_name(struct notify *notify, const struct change *change)
{
	vec_each(&notify->names, name)
		if (!strcmp((*name)->waiting.name, change->name) &&
		    !strcmp((*name)->waiting.kind, change->kind))
			return *name;
	struct notify_name *name = xcalloc(1, sizeof(*name));
	name->notify = notify;
	vec_push(&notify->names, name);
	return name;
}

void notify_tell(struct notify *notify, const struct change *change)
{
	if (!notify->program)
		return;
	struct notify_name *name = notify_name(notify, change);
	const char *told = name->waits ? name->waiting.old : change->old;
	name->waiting = *change;
	name->waiting.old = told;
	name->waits = notify->program && strcmp(told, change->new) != 0;
	notify_run(notify);
}

void notify_configure(struct notify *notify, const char *program)
{
	free(notify->program);
	notify->program = program ? xstrdup(program) : NULL;
	vec_each(&notify->names, name)
		(*name)->waits &= program != NULL;
	notify_run(notify);
}

// ---- life ------------------------------------------------------------------------------------

struct notify *notify_new(struct event_base *base, unsigned limit_ms)
{
	struct notify *notify = xcalloc(1, sizeof(*notify));
	notify->base = base;
	notify->limit_ms = limit_ms;
	notify->timer = evtimer_new(base, notify_on_timer, notify);
	return notify;
}

void notify_free(struct notify *notify)
{
	if (!notify)
		return;
	vec_each(&notify->names, it) {
		struct notify_name *name = *it;
		int status = 0;
		if (name->pid) {
			kill(-name->pid, SIGKILL);
			waitpid(name->pid, &status, 0);
			notify_bury(name, status);
		}
		free(name);
	}
	vec_free(&notify->names);
	event_free(notify->timer);
	free(notify->program);
	free(notify);
}
