// SPDX-License-Identifier: GPL-2.0-or-later
// preview: what gwd would do on this host, without doing it: `gwd -t` and `gwd -n`.
//
// Both read the kernel (interfaces, addresses, routes, and the ids that a running gwd gave out) and
// write nothing.
#ifndef GWD_PREVIEW_H
#define GWD_PREVIEW_H

#include <stdio.h>

struct model;

// Says of the host what would keep this configuration from working, a finding a line. 0, or -errno when
// gwd could not run at all.
int preview_check(const struct model *model, FILE *out);

// Prints the whole plan as commands: sysctl, ip and nft. Every gateway counts as not judged yet.
int preview_print(const struct model *model, FILE *out);

#endif
