// SPDX-License-Identifier: GPL-2.0-or-later
// vips: puts the services' own addresses on interfaces and takes them away (`vip-interface`), and tells the
// neighbours: a gratuitous ARP or an unsolicited neighbour advertisement at once, and again twice, a second
// apart, for one may be lost.
//
// The engine calls it for the operations of a diff. Adding what is there and deleting what is gone are
// successes.
#ifndef GWD_VIPS_H
#define GWD_VIPS_H

struct err;
struct event_base;
struct op;
struct vips;

struct vips *vips_open(struct event_base *base, struct err *err); // NULL on failure
void vips_close(struct vips *vips);                               // NULL is fine

// Carries out OP_VIP_ADD or OP_VIP_DEL (any other asserts). 0 or -errno.
int vips_apply_op(struct vips *vips, const struct op *op, struct err *err);

#endif
