// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_selftest_end: programs and waiting; and that nothing of a lab is left when it ends, by lab_destroy() or
 * by SIGKILL.
 */
#include "test/lab/lab.h"
#include "test/lab/lab_selftest.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { END_MS = 5000 };

/* ---- programs ---- */

static void check_commands(struct lab *lab, unsigned long descriptors)
{
	char *output;

	lab_check(lab_run(lab_router(lab), &output, "echo out; echo err >&2; exit %d", 7) == 7,
		  "a status of 7");
	lab_check(!strcmp(output, "out\nerr\n"), "both outputs: %s", output);
	free(output);
	lab_check(lab_run(lab_router(lab), NULL, "kill -9 $$") == 128 + SIGKILL, "ended by SIGKILL");
	lab_run(lab_router(lab), &output, "ulimit -n");
	lab_check(strtoul(output, NULL, 10) == descriptors,
		  "the limit of descriptors from outside the lab: %s", output);
	free(output);
	lab_run(lab_host(lab, 1), &output, "ip -o link");
	lab_check(strstr(output, "eth0") != NULL && strstr(output, "lan0") == NULL, "in its own place:\n%s",
		  output);
	free(output);
}

static void check_daemon(struct lab *lab)
{
	const char *file = lab_file(lab, "conf", "%s = %d\n", "answer", 42);
	const char *argv[] = {"sh", "-c", "cat \"$0\"; echo ready; exec sleep 60", file, NULL};
	struct lab_proc *proc = lab_proc_start(lab, lab_router(lab), argv);

	lab_check(lab_proc_wait_output(proc, "ready\n", END_MS), "it says it is ready");
	lab_check(!strcmp(lab_proc_output(proc), "answer = 42\nready\n"), "and read its file: %s",
		  lab_proc_output(proc));
	lab_check(lab_proc_wait(proc, 0) == -1, "it runs");
	lab_proc_signal(proc, SIGKILL);
	lab_check(lab_proc_wait(proc, END_MS) == 128 + SIGKILL, "until it is killed");
	lab_check(lab_proc_stop(proc) == 128 + SIGKILL, "and still was");
	proc = lab_proc_start(lab, lab_router(lab), (const char *[]){"sleep", "60", NULL});
	lab_check(lab_proc_stop(proc) == 128 + SIGTERM, "SIGTERM first");
	proc = lab_proc_start(lab, lab_router(lab), (const char *[]){"/nonexistent", NULL});
	lab_check(lab_proc_wait(proc, END_MS) == 127, "no such program");
	lab_proc_stop(proc);
}

void lab_selftest_programs(void)
{
	struct rlimit limit;
	struct lab *lab;

	getrlimit(RLIMIT_NOFILE, &limit);
	lab = lab_create(&(struct lab_spec){.isps = 1});
	check_commands(lab, limit.rlim_cur);
	check_daemon(lab);
	lab_destroy(lab);
}

/* ---- waiting ---- */

static bool counts_down(void *arg)
{
	int *count = arg;

	return --*count <= 0;
}

void lab_selftest_waiting(void)
{
	int64_t began = lab_now_ms();
	int count = 5;

	lab_check(lab_wait_until(counts_down, &count, END_MS) && count == 0, "until it is true, not longer");
	count = 1000000;
	lab_check(!lab_wait_until(counts_down, &count, 50), "or the time is over");
	lab_check(lab_now_ms() - began >= 50 && lab_now_ms() - began < 2000, "in due time");
}

/* ---- the end ---- */

static int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

/* Everything a lab can have running, left to itself. */
static struct lab *busy_lab(void)
{
	struct lab *lab = lab_selftest_create(&(struct lab_spec){.isps = 2, .ppp = true});
	struct lab_flow flow = {.from = lab_host(lab, 1), .to = lab_server_address(AF_INET, 1)};

	lab_selftest_steer_host(lab, 1, 1);
	lab_proc_start(lab, lab_router(lab), (const char *[]){"sleep", "1000", NULL});
	lab_stream_start(lab, &(struct lab_stream_spec){.flow = flow});
	lab_transfer_start(lab, &(struct lab_transfer_spec){.flow = flow, .kind = LAB_DOWNLOAD});
	lab_burst_start(lab, &(struct lab_burst_spec){.flow = flow, .count = 10000});
	lab_server_start(lab, lab_host(lab, 1), NULL);
	lab_fault_blackhole(lab, 2);
	return lab;
}

void lab_selftest_end(void)
{
	int descriptors = count_entries("/proc/self/fd"), interfaces = count_entries("/sys/class/net");
	int threads = count_entries("/proc/self/task");
	struct lab *lab = busy_lab();
	char dir[256];

	snprintf(dir, sizeof(dir), "%s", lab_dir(lab));
	lab_check(access(dir, F_OK) == 0, "there is a directory");
	lab_check(count_entries("/sys/class/net") == interfaces, "no interface on the host");
	lab_destroy(lab);
	lab_check(access(dir, F_OK) != 0 && errno == ENOENT, "the directory is gone");
	lab_check(count_entries("/proc/self/fd") == descriptors, "no descriptor is left: %d, %d before",
		  count_entries("/proc/self/fd"), descriptors);
	lab_check(count_entries("/proc/self/task") == threads, "no thread is left");
	lab_check(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "no child is left");
	lab_destroy(NULL);
}

/* What a killed lab leaves in the eyes of others. */
struct remains {
	ino_t namespace;
	pid_t child;
	char dir[256];
};

/* True if any process, or its descriptors, still uses a network namespace. */
static bool namespace_in_use(ino_t wanted)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	while (proc && !found && (entry = readdir(proc))) {
		char path[300];
		struct stat stat_of;

		snprintf(path, sizeof(path), "/proc/%s/ns/net", entry->d_name);
		found = stat(path, &stat_of) == 0 && stat_of.st_ino == wanted;
	}
	if (proc)
		closedir(proc);
	return found;
}

static bool nothing_remains(void *arg)
{
	const struct remains *remains = arg;

	return access(remains->dir, F_OK) != 0 && (kill(remains->child, 0) != 0 && errno == ESRCH) &&
	       !namespace_in_use(remains->namespace);
}

/* Builds a lab, tells what it has, and waits to be killed. */
static _Noreturn void live_and_be_killed(int tell)
{
	struct lab *lab = busy_lab();
	struct lab_proc *proc = lab_proc_start(lab, lab_router(lab), (const char *[]){"sleep", "1000", NULL});
	struct remains remains = {.child = lab_proc_pid(proc)};
	struct stat stat_of;

	stat(lab_router(lab)->path, &stat_of);
	remains.namespace = stat_of.st_ino;
	snprintf(remains.dir, sizeof(remains.dir), "%s", lab_dir(lab));
	if (write(tell, &remains, sizeof(remains)) != (ssize_t)sizeof(remains))
		_exit(1);
	for (;;)
		pause();
}

void lab_selftest_end_by_kill(void)
{
	struct remains remains;
	int ends[2];
	pid_t pid;

	lab_must(pipe(ends), "pipe");
	pid = lab_must(fork(), "fork");
	if (pid == 0)
		live_and_be_killed(ends[1]);
	close(ends[1]);
	lab_check(read(ends[0], &remains, sizeof(remains)) == (ssize_t)sizeof(remains),
		  "a lab in another process");
	close(ends[0]);
	lab_check(access(remains.dir, F_OK) == 0 && kill(remains.child, 0) == 0 &&
			  namespace_in_use(remains.namespace),
		  "it has a directory, a program and namespaces");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	lab_check(lab_wait_until(nothing_remains, &remains, END_MS), "nothing remains after SIGKILL");
}
