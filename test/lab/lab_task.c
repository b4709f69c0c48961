// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_task: threads inside namespaces, with one way to stop them all.
 */
#include "test/lab/lab_task.h"

#include "test/lab/lab_die.h"
#include "test/lab/lab_ns.h"
#include "test/lab/lab_priv.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void *task_thread(void *arg)
{
	struct lab_task *task = arg;

	close(lab_ns_enter(task->ns)); /* for good */
	task->run(task);
	atomic_store(&task->done, true);
	return NULL;
}

/* Signals are for the test's main thread. */
static void start_thread(struct lab_task *task)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = pthread_create(&task->thread, NULL, task_thread, task);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		lab_die("a thread: %s", strerror(error));
}

void lab_task_start(struct lab *lab, struct lab_task *task, const struct lab_ns *ns,
		    void (*run)(struct lab_task *), void (*discard)(struct lab_task *))
{
	task->lab = lab;
	task->ns = ns;
	task->run = run;
	task->discard = discard;
	task->stop_fd = lab_must(eventfd(0, EFD_CLOEXEC), "eventfd");
	pthread_mutex_init(&task->lock, NULL);
	start_thread(task);
	pthread_mutex_lock(&lab->lock);
	task->next = lab->tasks;
	lab->tasks = task;
	pthread_mutex_unlock(&lab->lock);
}

void lab_task_hurry(void)
{
	struct sched_param lowest = {.sched_priority = 1};

	pthread_setschedparam(pthread_self(), SCHED_RR, &lowest);
}

void lab_task_join(struct lab_task *task)
{
	if (!task->joined)
		pthread_join(task->thread, NULL);
	task->joined = true;
}

void lab_task_stop(struct lab_task *task)
{
	atomic_store(&task->stopping, true);
	eventfd_write(task->stop_fd, 1);
	lab_task_join(task);
}

void lab_task_again(struct lab_task *task)
{
	task->joined = false;
	atomic_store(&task->done, false);
	start_thread(task);
}

void lab_task_end(struct lab_task *task)
{
	struct lab_task **at = &task->lab->tasks;

	lab_task_stop(task);
	pthread_mutex_lock(&task->lab->lock);
	while (*at != task)
		at = &(*at)->next;
	*at = task->next;
	pthread_mutex_unlock(&task->lab->lock);
	close(task->stop_fd);
	pthread_mutex_destroy(&task->lock);
}

void lab_task_discard_all(struct lab *lab)
{
	while (lab->tasks)
		lab->tasks->discard(lab->tasks);
}
