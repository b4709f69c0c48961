// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_janitor: removes the lab's temporary directory even if the lab's process is killed.
 *
 * A small child process holds the read end of a pipe whose write end only the lab has. When that closes, by
 * lab_destroy() or by death, it removes the directory and ends. (Namespaces need no janitor: the kernel does
 * it; programs are killed by their PR_SET_PDEATHSIG.)
 */
#include "test/lab/lab_die.h"
#include "test/lab/lab_priv.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void janitor(int pipe_end, const char *dir)
{
	char none;

	setsid(); /* ^C at a terminal is not for it */
	signal(SIGTERM, SIG_IGN);
	dup2(pipe_end, 0);
	syscall(SYS_close_range, 1U, ~0U, 0U);
	while (read(0, &none, 1) > 0)
		;
	execlp("rm", "rm", "-rf", dir, (char *)NULL);
	_exit(1);
}

void lab_janitor_start(struct lab *lab)
{
	const char *tmp = getenv("TMPDIR");
	int ends[2];

	snprintf(lab->dir, sizeof(lab->dir), "%.40s/gwd-lab.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(lab->dir))
		lab_must(-1, lab->dir);
	lab_must(pipe2(ends, O_CLOEXEC), "pipe");
	lab->janitor = lab_must(fork(), "fork");
	if (lab->janitor == 0)
		janitor(ends[0], lab->dir);
	close(ends[0]);
	lab->janitor_pipe = ends[1];
}

void lab_janitor_end(struct lab *lab)
{
	close(lab->janitor_pipe);
	waitpid(lab->janitor, NULL, 0);
}
