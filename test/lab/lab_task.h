// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_task: a thread that works inside one namespace until it is told to stop. Internal: every tool is one.
 *
 * The tool embeds a struct lab_task as its first member. The lab keeps a list, so that lab_destroy() can stop
 * what a failed test left running.
 */
#ifndef GWD_TEST_LAB_LAB_TASK_H
#define GWD_TEST_LAB_LAB_TASK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct lab;
struct lab_ns;

struct lab_task {
	struct lab *lab;
	struct lab_task *next;
	const struct lab_ns *ns;
	void (*run)(struct lab_task *task);     /* the thread; returns soon after stop_fd becomes readable */
	void (*discard)(struct lab_task *task); /* stops the tool and frees it, whatever it had measured */
	pthread_t thread;
	pthread_mutex_t lock; /* for the tool's own use: what its thread and its caller share */
	int stop_fd;          /* readable once the task is told to stop */
	atomic_bool stopping; /* the same, for loops that do not poll it */
	atomic_bool done;     /* run() has returned */
	bool joined;
};

/* Starts the thread in `ns` (which must outlive it) and enters it into the lab's list. */
void lab_task_start(struct lab *lab, struct lab_task *task, const struct lab_ns *ns,
		    void (*run)(struct lab_task *), void (*discard)(struct lab_task *));

/* For a run() that measures, or stands for a line: the calling thread goes before ordinary ones, so that a busy machine
 * does not look like a bad network. Without the privilege nothing happens. */
void lab_task_hurry(void);

/* Tells it to stop, waits for the thread. May be called again. */
void lab_task_stop(struct lab_task *task);

/* Waits for run() to return by itself. May be called again. */
void lab_task_join(struct lab_task *task);

/* Runs it once more, after it was joined. */
void lab_task_again(struct lab_task *task);

/* Stops it and takes it off the list; its memory is then the tool's to free. */
void lab_task_end(struct lab_task *task);

/* Stops and frees all that are left. */
void lab_task_discard_all(struct lab *lab);

#endif
