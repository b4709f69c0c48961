// SPDX-License-Identifier: GPL-2.0-or-later
// offline: commands of gwctl that read a configuration file and this host themselves, whether gwd runs
// or not.
#ifndef GWD_OFFLINE_H
#define GWD_OFFLINE_H

#include <stdbool.h>

struct buf;
struct request;

// `check FILE`, and `real-script NAME [redirect] FILE`.
bool offline_can(const struct request *request);

// Returns the exit status (enum reply_exit). `out` gets the answer, `errors` what is wrong.
int offline_run(const struct request *request, struct buf *out, struct buf *errors);

#endif
