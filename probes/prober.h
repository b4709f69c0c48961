// SPDX-License-Identifier: GPL-2.0-or-later
// prober: one way of asking a target whether it is alive, and what all of them share.
//
// A prober knows how to put one question (an *ask*) and to recognise its true answer; when to ask,
// how long to wait and what to conclude is the health machine's business (watch.h). The checker is
// the only caller.
//
// Guarantees: an ask either is answered through its callback exactly once, from the event loop and
// never from inside prober_ask(), or is cancelled. Resources are shared and bounded (one ICMP socket
// per link and family); when they run out an ask ends as ANSWER_CANT, which is no evidence against
// the target, and the next ask tries again.
#ifndef GWD_PROBES_PROBER_H
#define GWD_PROBES_PROBER_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/addr.h"

struct ask; // a question on its way; owned by its prober
struct check_pool;
struct event_base;
struct model_probe;
struct prober_set;
struct turn_wait;

// Whom to ask. A name is looked up through the link, in the link's family.
struct prober_target {
	struct addr addr; // none while there is a name
	const char *name; // NULL: the address
};

// How packets are kept on one link.
struct prober_link {
	enum fam fam;
	char ifname[16];    // device to bind to; "": none
	uint32_t ifindex;   // its index; a change means that the device was made anew
	uint32_t mark;      // SO_MARK: selects the gateway's routing table; 0: none
	struct addr source; // address to speak from; none: the kernel's choice
};

bool prober_link_same(const struct prober_link *a, const struct prober_link *b);

enum answer_kind {
	ANSWER_ALIVE, // the target answered what it should
	ANSWER_DEAD,  // something says that it won't: unreachable, refused, no route
	ANSWER_CANT,  // could not ask, for a reason of our own (no descriptors, no memory)
};

#define ANSWER_TEXT 128

struct answer {
	enum answer_kind kind;
	double rtt_ms;          // ALIVE: from question to answer
	char text[ANSWER_TEXT]; // in words; may be empty when ALIVE
};

// `id` is what was given to prober_ask().
typedef void (*answer_cb)(void *arg, uint64_t id, const struct answer *answer);

struct prober_set *prober_set_new(struct event_base *base);
void prober_set_free(struct prober_set *set); // after the last ask was answered or cancelled

// Who asks through this set and how, so that two who would ask the same do it as one (check.h).
struct check_pool *prober_set_checks(const struct prober_set *set);

struct turn_wait *prober_set_wait(const struct prober_set *set);

// A check has its turn so much later than it should; the longest of them since the last time that somebody asked.
void prober_set_overdue(struct prober_set *set, int64_t late_ms);
int64_t prober_set_take_overdue_ms(struct prober_set *set);

// Asks. Returns NULL when it failed at once: then `failed` (DEAD or CANT) says why, and `cb` won't
// be called. `probe` and `target` must live until the answer or the cancellation.
struct ask *prober_ask(struct prober_set *set, const struct model_probe *probe,
		       const struct prober_link *link, const struct prober_target *target, answer_cb cb,
		       void *arg, uint64_t id, struct answer *failed);

// The answer is no longer wanted. Not after the callback was called.
void prober_cancel(struct ask *ask);

#endif
