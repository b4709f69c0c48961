// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/exec.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gwd/base/mono.h"
#include "gwd/core/model.h"
#include "probes/prober.h"

static struct event_base *base;
static struct prober_set *set;
static char directory[] = "/tmp/gwd-exec-XXXXXX";
static char command[64];
static struct answer got;
static size_t answers;

static void begin(void)
{
	base = event_base_new();
	set = prober_set_new(base);
	cr_assert_not_null(mkdtemp(directory));
	snprintf(command, sizeof(command), "%s/check", directory);
}

static void finish(void)
{
	char text[128];

	prober_set_free(set);
	event_base_free(base);
	snprintf(text, sizeof(text), "rm -r %s", directory);
	cr_expect_eq(system(text), 0);
}

TestSuite(exec, .init = begin, .fini = finish, .timeout = 20);

static void script(const char *body)
{
	FILE *f = fopen(command, "w");

	fprintf(f, "#!/bin/sh\n%s\n", body);
	fclose(f);
	chmod(command, 0755);
}

static void note(void *arg, uint64_t id, const struct answer *answer)
{
	(void)arg;
	cr_expect_eq(id, 7);
	got = *answer;
	answers++;
}

static struct ask *ask(void)
{
	struct model_probe probe = {
		.name = "own", .type = PROBE_EXEC, .command = command, .timeout_ms = 1500};
	struct prober_link link = {.fam = FAM_6, .ifname = "eth7", .mark = 0x1000000};
	struct prober_target target = {0};
	struct answer failed;

	addr_parse("2001:db8::7", &target.addr);
	addr_parse("2001:db8::1", &link.source);
	struct ask *ask = prober_ask(set, &probe, &link, &target, note, NULL, 7, &failed);
	if (!ask)
		got = failed;
	return ask;
}

static void run_until(size_t n)
{
	while (answers < n)
		event_base_loop(base, EVLOOP_ONCE);
}

static void expect(enum answer_kind kind, const char *text)
{
	cr_assert_not_null(ask());
	run_until(1);
	cr_expect_eq(got.kind, kind, "%s", got.text);
	cr_expect_str_eq(got.text, text);
}

Test(exec, exit_0_is_alive)
{
	script("exit 0");
	expect(ANSWER_ALIVE, "exit status 0");
	cr_expect_geq(got.rtt_ms, 0);
}

Test(exec, any_other_status_is_dead_and_the_first_line_says_why)
{
	script("echo 'line is wet' >&2; echo second; exit 3");
	expect(ANSWER_DEAD, "exit status 3: line is wet");
}

Test(exec, a_signal_is_dead)
{
	script("kill -9 $$");
	expect(ANSWER_DEAD, "killed by signal 9");
}

Test(exec, it_is_told_what_to_check)
{
	script("echo $GWD_PROBE $GWD_TARGET $GWD_FAMILY $GWD_INTERFACE $GWD_SOURCE $GWD_MARK "
	       "$GWD_TIMEOUT_MS");
	expect(ANSWER_ALIVE, "exit status 0: own 2001:db8::7 6 eth7 2001:db8::1 0x1000000 1500");
}

Test(exec, it_has_no_descriptor_of_ours_and_an_empty_input)
{
	script("cat; ls /proc/self/fd | tr '\\n' ' '"); // 3 is that of ls
	expect(ANSWER_ALIVE, "exit status 0: 0 1 2 3 ");
}

Test(exec, endless_output_and_control_characters_do_no_harm)
{
	script("printf 'a\\tb\\033[2J%0200d' 1; head -c 5000000 /dev/zero; exit 1");
	cr_assert_not_null(ask());
	run_until(1);
	cr_expect_eq(got.kind, ANSWER_DEAD);
	cr_expect_eq(strncmp(got.text, "exit status 1: a b [2J000", 25), 0, "%s", got.text);
	cr_expect_lt(strlen(got.text), 100);
}

Test(exec, what_cannot_be_run_is_no_evidence)
{
	cr_expect_null(ask());
	cr_expect_eq(got.kind, ANSWER_CANT);
	cr_expect(strstr(got.text, "/check: No such file or directory"), "%s", got.text);
}

// The pid that the script has written.
static pid_t written_pid(const char *name)
{
	char path[80];
	pid_t pid = 0;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	for (int i = 0; i < 500 && pid == 0; i++) {
		FILE *f = fopen(path, "r");

		if (f) {
			if (fscanf(f, "%d\n", &pid) != 1)
				pid = 0;
			fclose(f);
		}
		usleep(10000);
	}
	cr_assert_gt(pid, 0);
	return pid;
}

static bool gone(pid_t pid)
{
	char path[64], state = 0;

	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		FILE *f = fopen(path, "r");
		if (!f)
			return true;
		if (fscanf(f, "%*d %*s %c", &state) != 1)
			state = 0;
		fclose(f);
		if (state == 'Z')
			return true; // dead; its new parent has not looked yet
		event_base_loop(base, EVLOOP_NONBLOCK);
		usleep(10000);
	}
	return false;
}

Test(exec, cancelled_it_dies_with_its_children)
{
	script("cd \"${0%/*}\"; sleep 100 & echo $! >child; echo $$ >parent; wait");
	struct ask *running = ask();
	pid_t parent = written_pid("parent"), child = written_pid("child");
	prober_cancel(running);
	cr_expect(gone(parent));
	cr_expect(gone(child));
	cr_expect_eq(answers, 0, "nobody wants to know");
}

Test(exec, what_it_leaves_behind_is_killed)
{
	script("cd \"${0%/*}\"; sleep 100 & echo $! >child");
	cr_assert_not_null(ask());
	run_until(1);
	cr_expect_eq(got.kind, ANSWER_ALIVE);
	cr_expect(gone(written_pid("child")));
}

Test(exec, no_more_than_so_many_at_once)
{
	struct ask *running[EXEC_MAX];

	script("exec sleep 100");
	for (size_t i = 0; i < EXEC_MAX; i++) {
		running[i] = ask();
		cr_assert_not_null(running[i]);
	}
	cr_expect_null(ask());
	cr_expect_eq(got.kind, ANSWER_CANT);
	cr_expect(strstr(got.text, "running already"), "%s", got.text);
	prober_cancel(running[0]);
	for (int i = 0; i < 100 && !(running[0] = ask()); i++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		usleep(10000);
	}
	cr_expect_not_null(running[0], "there is room again");
	for (size_t i = 0; i < EXEC_MAX; i++)
		prober_cancel(running[i]);
}
