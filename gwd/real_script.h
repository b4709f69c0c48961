// SPDX-License-Identifier: GPL-2.0-or-later
// real_script: what a real server must set up so that a service works, as a shell script of ip, sysctl and
// nft commands to be run there. For `gwctl real-script`.
//
// Pure: from the configuration, and from what is known of this host's addresses. It may be run again; what
// it sets lasts until the real is restarted.
#ifndef GWD_REAL_SCRIPT_H
#define GWD_REAL_SCRIPT_H

#include <stdbool.h>

struct buf;
struct err;
struct facts;
struct model;

// `name`: SERVICE/REAL. `redirect`: the way without the service's addresses on the real, by nft. 0, or -errno
// and the sentence.
int real_script(const struct model *model, const struct facts *facts, const char *name, bool redirect,
		struct buf *out, struct err *err);

#endif
