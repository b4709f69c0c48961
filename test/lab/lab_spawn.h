// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_spawn: the one fork() of the lab, and batches of commands run side by side. Internal.
 */
#ifndef GWD_TEST_LAB_LAB_SPAWN_H
#define GWD_TEST_LAB_LAB_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

struct lab_ns;

/*
 * Starts argv inside `ns` with the three standard descriptors given (they stay the caller's). With `terminal`
 * it stays in the caller's process group and sees the /sys of its namespace; otherwise it gets a group of its
 * own.
 */
pid_t lab_spawn(const struct lab_ns *ns, const char *const argv[], int in, int out, bool terminal);

/* As many descriptors for this process as the kernel allows: thousands of flows need them. Programs get the limit that was
 * there before, and so does the process once every raise is restored. */
void lab_limit_raise(void);
void lab_limit_restore(void);

/* Waits for a child: exit status, 128 + N for signal N, or -1 if it still runs after timeout_ms. */
int lab_spawn_wait(pid_t pid, int timeout_ms);

/* One command with its input text, running beside others. */
struct lab_job {
	pid_t pid;
	int output;
	char what[48];
};

/* Starts argv with `input` as its stdin. */
void lab_job_start(struct lab_job *job, const struct lab_ns *ns, const char *const argv[], const char *input);

/* Waits for it; dies with its output unless it ended with 0. */
void lab_job_finish(struct lab_job *job);

/* An anonymous file; with `text` in it, to be read from its start. */
int lab_memory_file(const char *text);

/* All of a file, from its start, as text the caller frees. */
char *lab_read_all(int fd);

#endif
