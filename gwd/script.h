// SPDX-License-Identifier: GPL-2.0-or-later
// script: everything a plan puts into the kernel, as a shell script of ip and nft commands that a
// person can read, and run. For `gwd -n` and `gwctl rules`.
#ifndef GWD_SCRIPT_H
#define GWD_SCRIPT_H

struct buf;
struct plan;

void script_text(const struct plan *plan, struct buf *out);

#endif
