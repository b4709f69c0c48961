// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_spawn: starting a program inside a namespace, so that it cannot outlive the lab.
 *
 * The child asks the kernel to be killed when its parent dies (PR_SET_PDEATHSIG: the parent *thread*), enters
 * the namespace and becomes the program. Between fork and exec it only makes system calls: other threads of
 * the lab may hold any lock at that moment.
 */
#include "test/lab/lab_spawn.h"

#include "test/lab/lab_die.h"
#include "test/lab/lab_ns.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DESCRIPTORS = 262144 };

/* The limit of descriptors before the first raise. */
static struct rlimit limit_before;
static int limit_raised;

void lab_limit_raise(void)
{
	struct rlimit most = {DESCRIPTORS, DESCRIPTORS};

	if (limit_raised++)
		return;
	lab_must(getrlimit(RLIMIT_NOFILE, &limit_before), "getrlimit");
	if (limit_before.rlim_max > DESCRIPTORS)
		most.rlim_max = limit_before.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &most) == 0)
		return;
	most.rlim_cur = most.rlim_max = limit_before.rlim_max; /* a root that may not raise it */
	lab_must(setrlimit(RLIMIT_NOFILE, &most), "setrlimit");
}

void lab_limit_restore(void)
{
	if (--limit_raised == 0)
		setrlimit(RLIMIT_NOFILE, &limit_before);
}

/* The program shall meet the signals as a shell would have left them. */
static void reset_signals(void)
{
	static const int reset[] = {SIGINT,  SIGQUIT, SIGTERM, SIGHUP, SIGPIPE,
				    SIGCHLD, SIGTTOU, SIGTTIN, SIGTSTP};
	sigset_t none;

	for (unsigned i = 0; i < sizeof(reset) / sizeof(reset[0]); i++)
		signal(reset[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const struct lab_ns *ns, const char *const argv[], int in, int out,
			     bool terminal)
{
	char *const *program = NULL;

	if (setns(ns->fd, CLONE_NEWNET))
		_exit(126);
	if (terminal && unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
		mount("sysfs", "/sys", "sysfs", 0, NULL);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0)
		_exit(126);
	if (!terminal && dup2(out, 2) < 0)
		_exit(126);
	syscall(SYS_close_range, 3U, ~0U, 0U);
	reset_signals();
	if (limit_raised)
		setrlimit(RLIMIT_NOFILE, &limit_before);
	memcpy(&program, &argv, sizeof(program)); /* execvp takes, but does not use, write access */
	execvp(program[0], program);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

pid_t lab_spawn(const struct lab_ns *ns, const char *const argv[], int in, int out, bool terminal)
{
	pid_t parent = getpid();
	pid_t pid = lab_must(fork(), "fork");

	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	if (!terminal)
		setpgid(0, 0);
	become(ns, argv, in, out, terminal);
}

int lab_spawn_wait(pid_t pid, int timeout_ms)
{
	struct pollfd ended = {.events = POLLIN};
	int status;

	ended.fd = lab_must((int)syscall(SYS_pidfd_open, pid, 0), "pidfd_open");
	while (poll(&ended, 1, timeout_ms) < 0 && errno == EINTR)
		;
	close(ended.fd);
	if (!(ended.revents & POLLIN))
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			lab_die("waitpid: %s", strerror(errno));
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int lab_memory_file(const char *text)
{
	int fd = lab_must(memfd_create("lab", MFD_CLOEXEC), "memfd_create");
	size_t length = strlen(text);

	if (write(fd, text, length) != (ssize_t)length)
		lab_die("writing a memory file: %s", strerror(errno));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

char *lab_read_all(int fd)
{
	struct stat stat;
	char *text;
	ssize_t length;

	lab_must(fstat(fd, &stat), "fstat");
	text = lab_alloc(1, (size_t)stat.st_size + 1);
	length = pread(fd, text, (size_t)stat.st_size, 0);
	lab_must((int)length, "reading a program's output");
	text[length] = '\0';
	return text;
}

void lab_job_start(struct lab_job *job, const struct lab_ns *ns, const char *const argv[], const char *input)
{
	int in = lab_memory_file(input);

	snprintf(job->what, sizeof(job->what), "%s in %s", argv[0], ns->name);
	job->output = lab_memory_file("");
	job->pid = lab_spawn(ns, argv, in, job->output, false);
	close(in);
}

void lab_job_finish(struct lab_job *job)
{
	int status = lab_spawn_wait(job->pid, 60000);
	char *output = lab_read_all(job->output);

	if (status != 0)
		lab_die("%s failed (status %d):\n%s", job->what, status, output);
	free(output);
	close(job->output);
}
