// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_proc: programs inside a place of the lab: commands to set something up or look at it, and daemons
 * (gwd).
 *
 * Every program dies with the thread that started it, or with the lab, whichever is first: start daemons from
 * the test's main thread.
 */
#ifndef GWD_TEST_LAB_LAB_PROC_H
#define GWD_TEST_LAB_LAB_PROC_H

#include <stdbool.h>
#include <sys/types.h>

struct lab;
struct lab_ns;
struct lab_proc;

/* ---- commands: run to the end, at most 60 s ---- */

/*
 * Runs a shell command and waits. Returns its exit status, 128 + N if signal N ended it. If `output` is not
 * NULL it gets stdout and stderr as text, which the caller frees.
 */
int lab_run(const struct lab_ns *ns, char **output, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a command that must succeed: if it does not, the lab dies with its output. */
void lab_do(const struct lab_ns *ns, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Loads a ruleset (`nft -f -`), which must succeed. */
void lab_nft_load(const struct lab_ns *ns, const char *ruleset);

/* ---- daemons ---- */

/* Starts argv (PATH is searched) with stdout and stderr into a file of the lab. */
struct lab_proc *lab_proc_start(struct lab *lab, const struct lab_ns *ns, const char *const argv[]);

pid_t lab_proc_pid(const struct lab_proc *proc);

/* All that it has printed so far; the text is owned by `proc`, good until the next call. */
const char *lab_proc_output(struct lab_proc *proc);

/* Waits until its output contains `text`; false if it has not after timeout_ms. */
bool lab_proc_wait_output(struct lab_proc *proc, const char *text, int timeout_ms);

void lab_proc_signal(struct lab_proc *proc, int signal_number);

/* Waits for its end: exit status, 128 + N for signal N, or -1 if it still runs after timeout_ms. */
int lab_proc_wait(struct lab_proc *proc, int timeout_ms);

/* SIGTERM, after 5 s SIGKILL; frees `proc` and returns the status as above. Fine on one that has ended. */
int lab_proc_stop(struct lab_proc *proc);

/* ---- files, in the lab's temporary directory, gone with the lab ---- */

/* The directory; the path of a file in it. Text owned by the lab. */
const char *lab_dir(const struct lab *lab);
const char *lab_path(struct lab *lab, const char *name);

/* Writes a file there (a configuration) and returns its path. */
const char *lab_file(struct lab *lab, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
