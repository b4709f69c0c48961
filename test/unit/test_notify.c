// SPDX-License-Identifier: GPL-2.0-or-later
// The hook as a real program: in order, not too often, the last state always told, killed when it hangs.
#include "gwd/notify.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gwd/base/mono.h"
#include "gwd/core/verdict.h"
#include "gwd/events.h"

struct hook {
	char dir[64], program[96], log[96];
	struct event_base *base;
	struct notify *notify;
	char text[65536]; // of the log
};

static void hook_open_limited(struct hook *hook, unsigned limit_ms, const char *script)
{
	snprintf(hook->dir, sizeof(hook->dir), "/tmp/gwd-notify.XXXXXX");
	cr_assert(mkdtemp(hook->dir));
	snprintf(hook->program, sizeof(hook->program), "%s/hook", hook->dir);
	snprintf(hook->log, sizeof(hook->log), "%s/log", hook->dir);
	FILE *file = fopen(hook->program, "w");
	fprintf(file, "#!/bin/sh\nlog=%s\n%s\n", hook->log, script);
	fchmod(fileno(file), 0755);
	fclose(file);
	hook->base = event_base_new();
	hook->notify = notify_new(hook->base, limit_ms);
	notify_configure(hook->notify, hook->program);
}

static void hook_open(struct hook *hook, const char *script)
{
	hook_open_limited(hook, NOTIFY_LIMIT_MS, script);
}

static void hook_close(struct hook *hook)
{
	notify_free(hook->notify);
	event_base_free(hook->base);
	unlink(hook->program);
	unlink(hook->log);
	rmdir(hook->dir);
}

static void tell(struct hook *hook, const char *name, enum state old, enum state new)
{
	struct change change = {.wall_ms = 5000,
				.kind = "gateway",
				.old = state_name(old),
				.new = state_name(new),
				.latency_ms = 7,
				.jitter_ms = -1};
	snprintf(change.name, sizeof(change.name), "%s", name);
	snprintf(change.reason, sizeof(change.reason), "so it is; $(touch /tmp/x) \"'");
	notify_tell(hook->notify, &change);
}

static const char *hook_log(struct hook *hook)
{
	FILE *file = fopen(hook->log, "r");
	size_t n = file ? fread(hook->text, 1, sizeof(hook->text) - 1, file) : 0;
	hook->text[n] = 0;
	if (file)
		fclose(file);
	return hook->text;
}

static void hook_run(struct hook *hook, int ms)
{
	struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	event_base_loopexit(hook->base, &limit);
	event_base_dispatch(hook->base);
}

static bool hook_wait(struct hook *hook, const char *text, int ms)
{
	for (int64_t end = mono_now_ms() + ms; mono_now_ms() < end;) {
		hook_run(hook, 20);
		if (!strcmp(hook_log(hook), text))
			return true;
	}
	return false;
}

Test(notify, arguments_and_environment)
{
	struct hook hook;
	hook_open(&hook, "echo \"$#|$1|$2|$3|$4|$5\" >>$log; echo \"$GWD_KIND|$GWD_NAME|$GWD_OLD|$GWD_NEW|"
			 "$GWD_REASON|$GWD_TIME|$GWD_LATENCY_MS|$GWD_JITTER_MS|\" >>$log");
	tell(&hook, "fiber", STATE_UP, STATE_DOWN);
	cr_expect(hook_wait(&hook,
			    "5|gateway|fiber|up|down|so it is; $(touch /tmp/x) \"'\n"
			    "gateway|fiber|up|down|so it is; $(touch /tmp/x) \"'|5|7.000||\n",
			    5000),
		  "%s", hook_log(&hook));
	hook_close(&hook);
}

Test(notify, what_comes_too_fast_becomes_one_and_the_last_state_is_told)
{
	struct hook hook;
	hook_open(&hook, "echo $2 $3 $4 >>$log");
	tell(&hook, "fiber", STATE_UNKNOWN, STATE_UP);
	for (int i = 0; i < 50; i++) {
		tell(&hook, "fiber", STATE_UP, STATE_DOWN);
		tell(&hook, "fiber", STATE_DOWN, STATE_UP);
	}
	tell(&hook, "fiber", STATE_UP, STATE_DEGRADED);
	tell(&hook, "dsl", STATE_UP, STATE_DOWN);
	int64_t begun = mono_now_ms();
	hook_run(&hook, 600);
	cr_expect_eq(strlen(hook_log(&hook)), strlen("fiber unknown up\ndsl up down\n"), "%s", hook.text);
	hook_run(&hook, 3000);
	cr_expect(strstr(hook_log(&hook), "fiber up degraded\n"), "%s", hook.text);
	cr_expect_eq(strlen(hook.text), strlen("fiber unknown up\ndsl up down\nfiber up degraded\n"), "%s",
		     hook.text);
	cr_expect_geq(mono_now_ms() - begun, NOTIFY_PAUSE_MS);
	hook_close(&hook);
}

Test(notify, back_where_it_was_is_nothing_to_tell)
{
	struct hook hook;
	hook_open(&hook, "echo $2 $3 $4 >>$log");
	tell(&hook, "fiber", STATE_UNKNOWN, STATE_UP);
	tell(&hook, "fiber", STATE_UP, STATE_DOWN);
	tell(&hook, "fiber", STATE_DOWN, STATE_UP);
	hook_run(&hook, 2500);
	cr_expect_str_eq(hook_log(&hook), "fiber unknown up\n");
	hook_close(&hook);
}

// A script that sleeps, and has a child that does, for a time that nobody else's sleep has; whether one is left.
static const char *then_sleep(const char *before)
{
	static char text[160];
	snprintf(text, sizeof(text), "%s sleep 61234.%d & sleep 61234.%d", before, getpid(), getpid());
	return text;
}

static bool one_sleeps(void)
{
	char command[80];
	snprintf(command, sizeof(command), "pgrep -fx 'sleep 61234[.]%d' >/dev/null", getpid());
	return !system(command);
}

Test(notify, a_slow_one_keeps_nobody_waiting_and_its_children_die_with_it)
{
	struct hook hook;
	hook_open(&hook, then_sleep("echo $2 >>$log;"));
	int64_t begun = mono_now_ms();
	for (char name[3] = "a"; name[0] < 'k'; name[0]++)
		tell(&hook, name, STATE_UP, STATE_DOWN);
	cr_expect_lt(mono_now_ms() - begun, 500);
	hook_run(&hook, 1500);
	cr_expect_eq(strlen(hook_log(&hook)), 2 * NOTIFY_RUNNING, "%s", hook.text);
	hook_close(&hook);
	cr_expect_lt(mono_now_ms() - begun, 5000);
	cr_expect(!one_sleeps());
}

// The name is told the next change as soon as what hung is gone, also what it had started.
Test(notify, one_that_hangs_is_killed_with_its_children_and_the_next_change_is_told)
{
	struct hook hook;
	hook_open_limited(&hook, 400, then_sleep("echo $2 $4 >>$log; [ $4 = up ] && exit;"));
	int64_t begun = mono_now_ms();
	tell(&hook, "fiber", STATE_UP, STATE_DOWN);
	tell(&hook, "fiber", STATE_DOWN, STATE_UP);
	hook_run(&hook, 200);
	cr_expect_str_eq(hook_log(&hook), "fiber down\n");
	cr_expect(one_sleeps());
	cr_expect(hook_wait(&hook, "fiber down\nfiber up\n", 10000), "%s", hook_log(&hook));
	cr_expect_geq(mono_now_ms() - begun, 400);
	cr_expect(!one_sleeps());
	hook_close(&hook);
}

Test(notify, a_program_that_is_not_there_is_tried_again_at_the_next_change)
{
	struct hook hook;
	hook_open(&hook, "echo $2 $4 >>$log");
	notify_configure(hook.notify, "/nonexistent/hook");
	tell(&hook, "fiber", STATE_UP, STATE_DOWN);
	hook_run(&hook, 100);
	notify_configure(hook.notify, hook.program);
	tell(&hook, "fiber", STATE_DOWN, STATE_UP);
	cr_expect(hook_wait(&hook, "fiber up\n", 5000), "%s", hook_log(&hook));
	notify_configure(hook.notify, NULL);
	tell(&hook, "fiber", STATE_UP, STATE_DOWN);
	hook_run(&hook, 1500);
	cr_expect_str_eq(hook_log(&hook), "fiber up\n");
	hook_close(&hook);
}
