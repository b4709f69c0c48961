// SPDX-License-Identifier: GPL-2.0-or-later
// tunnels: makes and deletes the devices by which reals by tun are reached.
//
// The engine calls it for the operations of a diff, and looks at what was refused when it makes a plan: a real
// whose tunnel the kernel does not take is down, and the others go on. A kernel that was asked in vain is not
// asked again at once, for each asking may make it look for a module.
#ifndef GWD_TUNNELS_H
#define GWD_TUNNELS_H

#include <stdbool.h>

struct err;
struct op;
struct tunnel_refusals;
struct tunnels;

struct tunnels *tunnels_open(struct err *err); // NULL on failure
void tunnels_close(struct tunnels *tunnels);   // NULL is fine

// Carries out OP_TUNNEL_SET or OP_TUNNEL_DEL (any other asserts). 0 or -errno.
int tunnels_apply_op(struct tunnels *tunnels, const struct op *op, struct err *err);

const struct tunnel_refusals *tunnels_refused(const struct tunnels *tunnels);

// Whether what was refused is another thing than at the last call.
bool tunnels_have_news(struct tunnels *tunnels);

#endif
