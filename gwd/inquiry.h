// SPDX-License-Identifier: GPL-2.0-or-later
// inquiry: every probe of one gateway or real put once, now, because the operator wants to see what each
// target answers. It has no part in the verdict: the checkers go on as they do.
//
// The engine starts one for `gwctl probe` (engine_inquire()). It never blocks: `done` is called from
// the event loop, once, when every target has answered or its probe's timeout is over.
#ifndef GWD_INQUIRY_H
#define GWD_INQUIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/core/model.h"
#include "probes/prober.h"

#define INQUIRY_LONGEST_MS 25000 // whatever the timeouts are: somebody waits at a terminal

struct buf;
struct event_base;
struct facts;
struct inquiry;

struct inquiry_spec {
	struct prober_set *probers;
	const struct model *model; // it and the facts are only read during inquiry_start()
	const struct facts *facts;
	const char *name; // of a gateway, or SERVICE/REAL
	uint32_t mark;    // of the gateway
};

typedef void (*inquiry_cb)(void *arg);

struct inquiry *inquiry_start(struct event_base *base, const struct inquiry_spec *spec, inquiry_cb done,
			      void *arg);
void inquiry_free(struct inquiry *inquiry); // calls back what is under way; fine inside `done`

void inquiry_text(const struct inquiry *inquiry, struct buf *out);
void inquiry_json(const struct inquiry *inquiry, struct buf *out);

#endif
