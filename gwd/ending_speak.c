// SPDX-License-Identifier: GPL-2.0-or-later
// Clients that only listen are made to speak: a bare ACK from the listener, by the link that they came in on.
#include "gwd/base/err.h"
#include "gwd/base/log.h"
#include "gwd/base/vec.h"
#include "gwd/core/plan.h"
#include "gwd/ending_priv.h"
#include "gwd/wake.h"

static struct wake *ending_wake(struct ending *ending, uint32_t mark, unsigned priority, struct err *err)
{
	vec_each(&ending->wakes, known)
		if (known->mark == mark)
			return known->wake;
	struct wake *wake = wake_open(ending->base, mark, priority, err);
	if (wake)
		vec_push(&ending->wakes, (struct ending_wake){mark, wake});
	return wake;
}

// Those of one link. A client that came by none is reached as the LAN's hosts are.
static int ending_wake_link(struct ending *ending, const struct ending_flow *all, size_t n, uint32_t link,
			    uint32_t mask, struct err *err)
{
	struct wake *wake = ending_wake(ending, link ? link : mask, link ? PLAN_WAKE_PRIORITY : 0, err);
	VEC(struct wake_flow) flows = {0};
	if (!wake)
		return -1;
	for (size_t i = 0; i < n; i++)
		if ((all[i].mark & mask) == link)
			vec_push(&flows, all[i].wake);
	int r = wake_send(wake, flows.v, flows.n, err);
	vec_free(&flows);
	return r;
}

void ending_speak(struct ending *ending, const char *name, const struct ending_flow *flows, size_t n,
		  uint32_t mask)
{
	VEC(uint32_t) done = {0};
	struct err err;
	for (size_t i = 0; i < n; i++) {
		uint32_t link = flows[i].mark & mask;
		bool known = false;
		vec_each(&done, other)
			known |= *other == link;
		if (known)
			continue;
		vec_push(&done, link);
		if (ending_wake_link(ending, flows, n, link, mask, &err) < 0)
			log_warn("real", "%s: idle clients are not told: %s", name, err.text);
	}
	vec_free(&done);
}
