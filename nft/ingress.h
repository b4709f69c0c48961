// SPDX-License-Identifier: GPL-2.0-or-later
// ingress: the devices that have a chain in table netdev, read back. To the plan they are the elements of a
// set, as those of the flowtable are, so that a device that comes or goes is one difference; to netlink each
// is a base chain of its own, which every kernel lets come and go alone. A device is meant by its index, which
// is in the chain's name: one that is made again under its old name is another device. (Linux 6.1 takes
// the chain away with the device.)
#ifndef GWD_NFT_INGRESS_H
#define GWD_NFT_INGRESS_H

#define INGRESS_SET "ingress" // the plan's name of that set

struct err;
struct nft;
struct plan;

// Adds the set to plan->sets. -EINTR: it changed while it was read.
int ingress_read(struct nft *nft, struct plan *plan, struct err *err);

#endif
