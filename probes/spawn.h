// SPDX-License-Identifier: GPL-2.0-or-later
// spawn: starts a command as a process group of its own, with nothing of ours but its environment:
// stdin is empty, stdout and stderr go to `output`, no other descriptor, default signals.
//
// (A file of its own because <spawn.h> brings <sched.h>, whose SCHED_RR is not the model's.)
#ifndef GWD_PROBES_SPAWN_H
#define GWD_PROBES_SPAWN_H

#include <sys/types.h>

// Each returns 0 and the process id, which is the group's too; or an errno. `argv` begins with the program's path.
int spawn_arguments(const char *const *argv, char *const *environment, int output, pid_t *pid);
int spawn_command(const char *command, char *const *environment, int output, pid_t *pid);

#endif
