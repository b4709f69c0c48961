// SPDX-License-Identifier: GPL-2.0-or-later
// checker: the health of one gateway in one family, as one verdict.
//
// It runs its probes (check.h; shared with whoever has the same), combines them by `need`, and calls
// back when the verdict's state changes, or its reason, or (at most every few seconds) its figures.
// The engine owns one per gateway and family.
//
// What a caller may count on:
// - checker_verdict() is up to date as soon as any function here returns; the callback follows from
//   the event loop and is never called from inside these functions.
// - A link that the engine calls broken (no carrier, no address) is down at once. When it is whole
//   again it is probed at once, and must answer for `hold` before it is up, longer while it flaps.
// - Nothing here ends the daemon: what fails is in the verdict's reason, and is tried again.
#ifndef GWD_PROBES_CHECKER_H
#define GWD_PROBES_CHECKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gwd/base/addr.h"

struct checker;
struct event_base;
struct model_probe;
struct prober_set;
struct verdict;

// Where the gateway is now, as far as probes are concerned.
struct checker_binding {
	enum fam fam; // constant over a checker's life
	char ifname[16];
	uint32_t ifindex;
	uint32_t mark; // of the gateway: keeps probes on its own routing table
	struct addr
		next_hop;   // target of probes that name none; of a point-to-point link: its far end; or none
	struct addr source; // or none
	char broken[96];    // why nothing can leave by it now ("wan1 has no carrier"); "": all is well
};

enum checker_news {
	CHECKER_NEWS_STATE,   // verdict.state changed (the reason with it)
	CHECKER_NEWS_REASON,  // same state, other reason
	CHECKER_NEWS_FIGURES, // latency, jitter or loss moved by more than a little
};

typedef void (*checker_cb)(void *arg, struct checker *checker, enum checker_news news);

// Copies all it is given but `base`, `set` and `arg`. `carry_over` (or NULL): the verdict to start from; the
// first answers confirm or refute it. Without one the state is unknown and the first verdict quick.
struct checker *checker_new(struct event_base *base, struct prober_set *set, const char *name,
			    const struct model_probe *const *probes, size_t n_probes, unsigned need,
			    const struct checker_binding *binding, const struct verdict *carry_over,
			    checker_cb cb, void *arg);
void checker_free(struct checker *checker); // NULL is fine

// After a reload: probes that are the same as before go on as if nothing had happened.
void checker_configure(struct checker *checker, const struct model_probe *const *probes, size_t n_probes,
		       unsigned need);

// Cheap when nothing changed: call it whenever facts did.
void checker_rebind(struct checker *checker, const struct checker_binding *binding);

// True while nothing else is usable: the first answer then is enough for `up`, without hold.
void checker_set_urgent(struct checker *checker, bool urgent);

// Something hints that things have changed (a link came up, flows get no replies): ask at once, and
// at the fast pace until there is an answer or a verdict.
void checker_probe_now(struct checker *checker);

const char *checker_name(const struct checker *checker);
enum fam checker_fam(const struct checker *checker);
const struct verdict *checker_verdict(const struct checker *checker); // valid until the checker changes

// False: all of its probes' targets are of the other family, so nothing is being probed and the
// state stays unknown.
bool checker_has_targets(const struct checker *checker);

#endif
