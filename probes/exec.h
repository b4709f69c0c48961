// SPDX-License-Identifier: GPL-2.0-or-later
// exec: asks by running the operator's command: exit status 0 is alive.
//
// The command gets GWD_PROBE, GWD_TARGET, GWD_FAMILY, GWD_INTERFACE, GWD_SOURCE, GWD_MARK and
// GWD_TIMEOUT_MS in its environment, nothing on stdin, and is a process group of its own: when its
// time is over, or it has ended, the group is killed, so nothing it started stays. The first line of
// what it prints is kept for the reason, the rest is thrown away. At most EXEC_MAX run at once; what
// exceeds that could not be asked, which is no evidence. Called by prober.c only.
#ifndef GWD_PROBES_EXEC_H
#define GWD_PROBES_EXEC_H

#define EXEC_MAX 32

struct answer;
struct ask;
struct ask_spec;
struct event_base;
struct exec;

struct exec *exec_new(struct event_base *base);
void exec_free(struct exec *exec); // kills what still runs, and waits for its end

struct ask *exec_ask(struct exec *exec, const struct ask_spec *spec,
		     struct answer *failed); // as prober_ask()

#endif
