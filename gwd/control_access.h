// SPDX-License-Identifier: GPL-2.0-or-later
// control_access: who may talk to gwd: root, gwd's own user, and the members of the control group,
// by what the kernel knows of the process that connected.
//
// The same rule as the socket's mode 0660, checked again for each client, because a mode can be
// changed by accident and a socket be passed on.
#ifndef GWD_CONTROL_ACCESS_H
#define GWD_CONTROL_ACCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct err;

struct control_group {
	char name[64];
	bool exists; // false: only root may talk
	gid_t gid;
};

// Looks the group up; one that this host doesn't have is no error. An empty name is nobody's.
void control_group_find(struct control_group *group, const char *name);

// 0, or -EACCES and whom it refuses.
int control_access_check(int fd, const struct control_group *group, struct err *err);

#endif
