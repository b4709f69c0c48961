// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_proc: commands and daemons inside a place of the lab, and the lab's own files.
 * Called by tests, and by the rest of the lab for what `ip` and `nft` do best.
 */
#include "test/lab/lab_proc.h"

#include "test/lab/lab_die.h"
#include "test/lab/lab_ns.h"
#include "test/lab/lab_priv.h"
#include "test/lab/lab_spawn.h"
#include "test/lab/lab_wait.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COMMAND_LIMIT_MS = 60000, TERM_LIMIT_MS = 5000 };

struct lab_proc {
	struct lab *lab;
	struct lab_proc *next;
	pid_t pid;
	int status; /* -1 while it runs */
	int file;
	char *text;
};

__attribute__((format(printf, 1, 0))) static char *format_text(const char *format, va_list args)
{
	char *text = NULL;

	lab_must(vasprintf(&text, format, args), "formatting");
	return text;
}

static int run_shell(const struct lab_ns *ns, const char *command, char **output)
{
	const char *argv[] = {"sh", "-c", command, NULL};
	int in = lab_must(open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null");
	int out = lab_memory_file("");
	pid_t pid = lab_spawn(ns, argv, in, out, false);
	int status = lab_spawn_wait(pid, COMMAND_LIMIT_MS);

	if (status < 0) {
		kill(-pid, SIGKILL);
		lab_spawn_wait(pid, -1);
		lab_die("in %s: still running after %d s: %s", ns->name, COMMAND_LIMIT_MS / 1000, command);
	}
	if (output)
		*output = lab_read_all(out);
	close(in);
	close(out);
	return status;
}

int lab_run(const struct lab_ns *ns, char **output, const char *format, ...)
{
	va_list args;
	char *command;
	int status;

	va_start(args, format);
	command = format_text(format, args);
	va_end(args);
	status = run_shell(ns, command, output);
	free(command);
	return status;
}

void lab_do(const struct lab_ns *ns, const char *format, ...)
{
	va_list args;
	char *command, *output;

	va_start(args, format);
	command = format_text(format, args);
	va_end(args);
	if (run_shell(ns, command, &output) != 0)
		lab_die("in %s: %s\n%s", ns->name, command, output);
	free(output);
	free(command);
}

void lab_nft_load(const struct lab_ns *ns, const char *ruleset)
{
	const char *argv[] = {"nft", "-f", "-", NULL};
	struct lab_job job;

	lab_job_start(&job, ns, argv, ruleset);
	lab_job_finish(&job);
}

struct lab_proc *lab_proc_start(struct lab *lab, const struct lab_ns *ns, const char *const argv[])
{
	struct lab_proc *proc = lab_alloc(1, sizeof(*proc));
	int in = lab_must(open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null");

	proc->file = lab_memory_file("");
	proc->lab = lab;
	proc->status = -1;
	proc->pid = lab_spawn(ns, argv, in, proc->file, false);
	close(in);
	pthread_mutex_lock(&lab->lock);
	proc->next = lab->procs;
	lab->procs = proc;
	pthread_mutex_unlock(&lab->lock);
	return proc;
}

pid_t lab_proc_pid(const struct lab_proc *proc)
{
	return proc->pid;
}

const char *lab_proc_output(struct lab_proc *proc)
{
	free(proc->text);
	proc->text = lab_read_all(proc->file);
	return proc->text;
}

struct awaited_output {
	struct lab_proc *proc;
	const char *text;
};

static bool output_has(void *arg)
{
	struct awaited_output *awaited = arg;

	return strstr(lab_proc_output(awaited->proc), awaited->text) != NULL;
}

bool lab_proc_wait_output(struct lab_proc *proc, const char *text, int timeout_ms)
{
	struct awaited_output awaited = {proc, text};

	return lab_wait_until(output_has, &awaited, timeout_ms);
}

void lab_proc_signal(struct lab_proc *proc, int signal_number)
{
	if (proc->status < 0)
		lab_must(kill(proc->pid, signal_number), "kill");
}

int lab_proc_wait(struct lab_proc *proc, int timeout_ms)
{
	if (proc->status < 0)
		proc->status = lab_spawn_wait(proc->pid, timeout_ms);
	return proc->status;
}

static void forget_proc(struct lab_proc *proc)
{
	struct lab_proc **at = &proc->lab->procs;

	pthread_mutex_lock(&proc->lab->lock);
	while (*at != proc)
		at = &(*at)->next;
	*at = proc->next;
	pthread_mutex_unlock(&proc->lab->lock);
}

int lab_proc_stop(struct lab_proc *proc)
{
	int status;

	lab_proc_signal(proc, SIGTERM);
	if (lab_proc_wait(proc, TERM_LIMIT_MS) < 0) {
		lab_proc_signal(proc, SIGKILL);
		lab_proc_wait(proc, -1);
	}
	status = proc->status;
	forget_proc(proc);
	close(proc->file);
	free(proc->text);
	free(proc);
	return status;
}

void lab_proc_stop_all(struct lab *lab)
{
	while (lab->procs)
		lab_proc_stop(lab->procs);
}

const char *lab_dir(const struct lab *lab)
{
	return lab->dir;
}

const char *lab_keep(struct lab *lab, const char *text)
{
	struct lab_string *string = lab_alloc(1, sizeof(*string) + strlen(text) + 1);

	strcpy(string->text, text);
	pthread_mutex_lock(&lab->lock);
	string->next = lab->strings;
	lab->strings = string;
	pthread_mutex_unlock(&lab->lock);
	return string->text;
}

const char *lab_path(struct lab *lab, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", lab->dir, name);
	return lab_keep(lab, path);
}

const char *lab_file(struct lab *lab, const char *name, const char *format, ...)
{
	const char *path = lab_path(lab, name);
	FILE *file = fopen(path, "we");
	va_list args;

	if (!file)
		lab_must(-1, path);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	if (fclose(file))
		lab_must(-1, path);
	return path;
}
