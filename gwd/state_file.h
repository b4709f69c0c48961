// SPDX-License-Identifier: GPL-2.0-or-later
// state_file: a small file beside the control socket, in a directory that dies with the boot: what a restart must know.
#ifndef GWD_STATE_FILE_H
#define GWD_STATE_FILE_H

struct buf;
struct err;

// Adds its text; nothing if there is no such file. 0 or -errno.
int state_file_read(const char *path, struct buf *text, struct err *err);

// As a whole or not at all: a new file takes the place of the old one. 0 or -errno, for the caller to say what that means.
int state_file_write(const char *path, const struct buf *text);

#endif
