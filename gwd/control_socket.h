// SPDX-License-Identifier: GPL-2.0-or-later
// control_socket: the listening socket as a file: made safely, taken over from a dead daemon, never
// from a live one.
//
// A lock on PATH.lock tells the two apart: it goes with the process however that ends, and two gwds
// that start at once can't both have it. The lock file stays behind; it is empty.
#ifndef GWD_CONTROL_SOCKET_H
#define GWD_CONTROL_SOCKET_H

#include <sys/types.h>
#include <sys/un.h>

#include "gwd/control_access.h"

struct err;

struct control_socket {
	int fd;      // listening, non-blocking
	int lock_fd; // locked while we live
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	dev_t dev; // of the socket file
	ino_t ino;
	struct control_group group;
};

// Takes the lock and no more; a directory that is missing is made. Close it also if nothing follows.
int control_socket_claim(struct control_socket *socket, const char *path, struct err *err);

// Listens on what was claimed: mode 0660 and the group's gid; 0600 where there is no such group (with
// a warning in the log). After an error the claim is gone too.
int control_socket_open(struct control_socket *socket, const char *group, struct err *err);

// Gives an open one to another group.
int control_socket_regroup(struct control_socket *socket, const char *group, struct err *err);

void control_socket_close(struct control_socket *socket); // and remove the file

#endif
