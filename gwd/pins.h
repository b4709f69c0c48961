// SPDX-License-Identifier: GPL-2.0-or-later
// pins: which client keeps which gateway, or which real of a service, and for how much longer if it begins no
// further flow.
//
// pins_collect() reads the kernel's pin maps by the names of the applied plan; the rest is pure.
#ifndef GWD_PINS_H
#define GWD_PINS_H

#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "nft/nft.h"

struct buf;
struct err;
struct nft;
struct plan;
struct plan_group;
struct plan_service;

struct pin {
	const struct plan_group *group;
	const char *gateway;     // "?" for a mark that no gateway has (any more)
	struct prefix client;    // under the balance's mask
	struct addr destination; // none unless the balance pins by source and destination
	uint64_t left_ms;
};

struct pin_real {
	const struct plan_service *service;
	const char *real; // "?" for one that is gone
	struct prefix client;
	uint64_t left_ms;
};

// Pointers are into the plan.
struct pins {
	VEC(struct pin) pins;
	VEC(struct pin_real) reals;
};

// Fills `pins` (give it zeroed) with those of the balance, gateway, service or real (SERVICE/REAL) `name`, of all
// if NULL.
int pins_collect(struct pins *pins, struct nft *nft, const struct plan *applied, const char *name,
		 struct err *err);
void pins_free(struct pins *pins);

// Calls `cb` for each pin of the service in that family. 0 or -errno.
int pins_dump_service(struct nft *nft, const struct plan *applied, const struct plan_service *service,
		      enum fam fam, nft_pin_cb cb, void *arg, struct err *err);

// One entry of a pin map: `key` as in plan_elem.key, `mark` under the plan's mask.
void pins_add(struct pins *pins, const struct plan *plan, const struct plan_group *group, enum fam fam,
	      const uint8_t *key, uint32_t mark, uint64_t left_ms);

void pins_add_real(struct pins *pins, const struct plan_service *service, enum fam fam, const uint8_t *key,
		   uint32_t id, uint64_t left_ms);

// By balance or service, then by client; sorts them first.
void pins_text(struct pins *pins, struct buf *out);
void pins_json(struct pins *pins, struct buf *out);

#endif
