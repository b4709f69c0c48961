// SPDX-License-Identifier: GPL-2.0-or-later
// top: gwctl top: status every second, in the terminal, until q or an interrupt. Where the output is no terminal, one
// picture and the end.
#ifndef GWD_TOP_H
#define GWD_TOP_H

// `path`: of gwd's socket. The exit status of gwctl.
int top_run(const char *path);

#endif
