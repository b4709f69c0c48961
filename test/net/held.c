// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/net/held.h"

#include "test/net/net.h"

static struct lab_burst *held_start(struct lab *lab, const struct lab_burst_spec *spec)
{
	struct lab_burst_spec stay = *spec;
	stay.hold = true;
	struct lab_burst *held = lab_burst_start(lab, &stay);
	lab_burst_wait(held);
	return held;
}

struct lab_burst *held_all(struct lab *lab, const struct lab_burst_spec *spec)
{
	struct lab_burst *held = held_start(lab, spec);
	held_expect(held, spec->count ? spec->count : 1, 0);
	return held;
}

struct lab_burst *held_open(struct net *net, const char *to, uint16_t port, int count, bool udp)
{
	return held_start(net->lab, &(struct lab_burst_spec){
					    .flow = {.from = lab_internet(net->lab), .to = to, .port = port},
					    .count = count,
					    .at_once = count,
					    .timeout_ms = 10000,
					    .udp = udp});
}

void held_expect(struct lab_burst *held, int answered, int refused)
{
	struct lab_tally tally = lab_burst_tally(held);
	cr_assert_eq(tally.answered, answered, "%d answered, %d refused, %d timed out", tally.answered,
		     tally.outcome[LAB_REFUSED], tally.outcome[LAB_TIMEOUT]);
	cr_assert_eq(tally.outcome[LAB_REFUSED], refused);
}
