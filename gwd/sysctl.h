// SPDX-License-Identifier: GPL-2.0-or-later
// sysctl: the kernel settings that the plan needs: checked, set, and put back.
//
// A value that is right already is neither written nor remembered. The value found before the
// first write is kept in a small state file (in /run: it dies with the boot, as the values do), so
// that also a gwd that was killed and started again can put it back.
#ifndef GWD_SYSCTL_H
#define GWD_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct plan_sysctl;
struct sysctl;

// `state_path` is read now if it exists. NULL if it is there and can't be read.
struct sysctl *sysctl_open(const char *state_path, struct err *err);
void sysctl_close(struct sysctl *sysctl); // puts nothing back; NULL is fine

// From now on it is kept there, and no longer where it was. 0 or -errno: it stays where it was.
int sysctl_move(struct sysctl *sysctl, const char *state_path, struct err *err);

// Reads one setting ("net/ipv4/ip_forward") without the newline. 0 or -errno.
int sysctl_read(const char *path, char *value, size_t size);

// True when the kernel has the wanted value now.
bool sysctl_holds(const struct plan_sysctl *want);

// Makes it so; the error names the key, the value it has, the one needed, and why.
int sysctl_apply(struct sysctl *sysctl, const struct plan_sysctl *want, struct err *err);

// Puts back every value that is still as sysctl_apply() set it, and forgets them all. Settings of
// an interface that is gone, or that somebody changed since, are left alone. Goes on after a
// failure and reports the first.
int sysctl_restore(struct sysctl *sysctl, struct err *err);

#endif
