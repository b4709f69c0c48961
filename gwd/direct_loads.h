// SPDX-License-Identifier: GPL-2.0-or-later
// direct_loads: how many connections the reals by dr and tun have. They are not in conntrack: who remembers them
// are the packet path's own maps (nft/chain_direct.c), which name each connection's real by its id, so those
// are listed and counted.
//
// Only what clients send passes there. A connection is live from its SYN until its client sends FIN or RST, or
// nothing for so long that it is forgotten (a quarter of an hour, two hours after data; a minute after a SYN alone); then it
// counts as closed for two minutes. A reset by the real itself is not seen.
#ifndef GWD_DIRECT_LOADS_H
#define GWD_DIRECT_LOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"

struct err;
struct nft;
struct plan;
struct plan_service;

struct direct_load {
	uint64_t live, closed;
};

// loads[k] of the service's k-th real, those of other forwarding methods too, as far as table netdev
// remembers them. `applied`: the plan in force, whose service it is. 0 or -errno.
int direct_loads_list(struct nft *nft, const struct plan *applied, const struct plan_service *service,
		      struct direct_load *loads, struct err *err);

// The same for any ids, added to loads[0..n).
int direct_loads_list_ids(struct nft *nft, const struct plan *applied, const struct plan_service *service,
			  const uint32_t *ids, size_t n, struct direct_load *loads, struct err *err);

// How many new connections drew a slot of the service's ring in table netdev, since its chains were loaded.
int direct_loads_turns(struct nft *nft, const struct plan_service *service, enum fam fam, uint64_t *taken,
		       struct err *err);

#endif
