// SPDX-License-Identifier: GPL-2.0-or-later
// ask: the probers' own side of prober.h: what every question has in common, and what a prober
// offers. Only probers and prober.c include this.
#ifndef GWD_PROBES_ASK_H
#define GWD_PROBES_ASK_H

#include "probes/prober.h"

struct ask_spec {
	const struct model_probe *probe;
	const struct prober_link *link;
	const struct addr *target;
	const char *name; // of the target, where it has one
};

// First member of every prober's own question.
struct ask {
	void (*cancel)(struct ask *ask); // frees it
	answer_cb cb;
	void *arg;
	uint64_t id;
};

#endif
