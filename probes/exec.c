// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/exec.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gwd/base/alloc.h"
#include "gwd/base/mono.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "probes/ask.h"
#include "probes/link_socket.h"
#include "probes/spawn.h"
#include "probes/turn.h"

#define LINE 72 // of the output, kept

struct exec_ask {
	struct ask ask; // cb NULL: nobody wants the answer any more
	struct exec *exec;
	struct exec_ask *next;
	pid_t pid; // and process group
	int pidfd, output;
	struct event *ended, *readable;
	int64_t begun_us;
	char line[LINE];
	size_t n_line;
	bool line_over;
};

struct exec {
	struct event_base *base;
	struct exec_ask *asks; // everything that was started and not yet waited for
	unsigned n;
};

// ---- the end of a command --------------------------------------------------------------------

static void end(struct exec_ask *ask)
{
	struct exec_ask **at = &ask->exec->asks;

	while (*at != ask)
		at = &(*at)->next;
	*at = ask->next;
	ask->exec->n--;
	event_free(ask->ended);
	event_free(ask->readable);
	close(ask->pidfd);
	close(ask->output);
	free(ask);
}

static void cancel(struct ask *base)
{
	struct exec_ask *ask = (struct exec_ask *)base;

	kill(-ask->pid, SIGKILL);
	ask->ask.cb = NULL; // on_ended() buries it
}

static void keep_line(struct exec_ask *ask, const char *data, size_t size)
{
	for (size_t i = 0; i < size && !ask->line_over; i++) {
		if (data[i] == '\n' || ask->n_line == LINE - 1)
			ask->line_over = true;
		else
			ask->line[ask->n_line++] = (unsigned char)data[i] < ' ' ? ' ' : data[i];
	}
}

// What the pipe holds now; never waits.
static void read_output(struct exec_ask *ask)
{
	char data[4096];
	ssize_t n = read(ask->output, data, sizeof(data));

	if (n > 0)
		keep_line(ask, data, (size_t)n);
	else if (n == 0)
		event_del(ask->readable);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	read_output(arg);
}

static struct answer judge(const struct exec_ask *ask, int status)
{
	struct answer answer = {.rtt_ms = (double)(mono_now_us() - ask->begun_us) / 1000};
	const char *colon = ask->n_line ? ": " : "";
	bool exited = WIFEXITED(status);

	answer.kind = exited && WEXITSTATUS(status) == 0 ? ANSWER_ALIVE : ANSWER_DEAD;
	snprintf(answer.text, sizeof(answer.text), "%s %d%s%s", exited ? "exit status" : "killed by signal",
		 exited ? WEXITSTATUS(status) : WTERMSIG(status), colon, ask->line);
	return answer;
}

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct exec_ask *ask = arg;
	struct ask head = ask->ask;
	struct answer answer;
	int status = 0;

	(void)fd, (void)what;
	kill(-ask->pid, SIGKILL); // what it left running; as long as it isn't waited for the id is ours
	if (waitpid(ask->pid, &status, WNOHANG) == 0)
		return;
	read_output(ask);
	answer = judge(ask, status);
	end(ask);
	if (head.cb)
		head.cb(head.arg, head.id, &answer);
}

// ---- its environment -------------------------------------------------------------------------

struct environment {
	VEC(char *) own;
	VEC(char *) all;
};

static void set(struct environment *env, const char *name, const char *value)
{
	char *text;

	if (asprintf(&text, "GWD_%s=%s", name, value) < 0)
		abort();
	vec_push(&env->own, text);
}

static void fill(struct environment *env, const struct ask_spec *spec)
{
	char text[ADDR_TEXT];

	set(env, "PROBE", spec->probe->name);
	set(env, "TARGET", addr_is_none(spec->target) ? "" : addr_text(spec->target, text));
	set(env, "FAMILY", spec->link->fam == FAM_4 ? "4" : "6");
	set(env, "INTERFACE", spec->link->ifname);
	set(env, "SOURCE", addr_is_none(&spec->link->source) ? "" : addr_text(&spec->link->source, text));
	snprintf(text, sizeof(text), "0x%x", spec->link->mark);
	set(env, "MARK", text);
	snprintf(text, sizeof(text), "%u", spec->probe->timeout_ms);
	set(env, "TIMEOUT_MS", text);
	for (char **e = environ; *e; e++)
		vec_push(&env->all, *e);
	vec_each(&env->own, own)
		vec_push(&env->all, *own);
	vec_push(&env->all, NULL);
}

static void empty(struct environment *env)
{
	vec_each(&env->own, own)
		free(*own);
	vec_free(&env->own);
	vec_free(&env->all);
}

// ---- starting --------------------------------------------------------------------------------

// Starts the command; 0 or an errno.
static int start(struct exec_ask *ask, const struct ask_spec *spec)
{
	struct environment env = {0};
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return errno;
	if (!link_may_keep(ends[1])) {
		close(ends[0]);
		close(ends[1]);
		return EMFILE;
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	fill(&env, spec);
	int r = spawn_command(spec->probe->command, env.all.v, ends[1], &ask->pid);
	empty(&env);
	close(ends[1]);
	ask->output = ends[0];
	if (!r) {
		ask->pidfd = pidfd_open(ask->pid, 0);
		if (ask->pidfd >= 0)
			return 0;
		r = errno;
		kill(-ask->pid, SIGKILL);
		waitpid(ask->pid, NULL, 0);
	}
	close(ends[0]);
	return r;
}

struct ask *exec_ask(struct exec *exec, const struct ask_spec *spec, struct answer *failed)
{
	struct exec_ask *ask;

	failed->kind = ANSWER_CANT;
	if (exec->n >= EXEC_MAX) {
		snprintf(failed->text, sizeof(failed->text), "%u commands are running already", exec->n);
		return NULL;
	}
	ask = xcalloc(1, sizeof(*ask));
	ask->begun_us = mono_now_us();
	int r = start(ask, spec);
	if (r) {
		snprintf(failed->text, sizeof(failed->text), "can't run %s: %s", spec->probe->command,
			 strerror(r));
		free(ask);
		return NULL;
	}
	ask->ask.cancel = cancel;
	ask->exec = exec;
	ask->next = exec->asks;
	exec->asks = ask;
	exec->n++;
	ask->ended = turn_first(event_new(exec->base, ask->pidfd, EV_READ | EV_PERSIST, on_ended, ask));
	ask->readable =
		turn_first(event_new(exec->base, ask->output, EV_READ | EV_PERSIST, on_readable, ask));
	event_add(ask->ended, NULL);
	event_add(ask->readable, NULL);
	return &ask->ask;
}

// ---- life ------------------------------------------------------------------------------------

struct exec *exec_new(struct event_base *base)
{
	struct exec *exec = xcalloc(1, sizeof(*exec));

	exec->base = base;
	return exec;
}

void exec_free(struct exec *exec)
{
	while (exec->asks) {
		struct exec_ask *ask = exec->asks;

		assert(!ask->ask.cb); // cancelled
		kill(-ask->pid, SIGKILL);
		waitpid(ask->pid, NULL, 0);
		end(ask);
	}
	free(exec);
}
