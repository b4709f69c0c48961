// SPDX-License-Identifier: GPL-2.0-or-later
// real_flows: live connections of reals, as conntrack lists them. What counts as live is said here once, for
// counting all the time (real_loads.h) and for status, which lists when it is asked.
//
// A TCP connection that both sides have closed, or that was reset, is over, though conntrack remembers it for
// a while (conntrack_is_over()): its place is free.
#ifndef GWD_REAL_FLOWS_H
#define GWD_REAL_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conntrack;
struct ct_flow;
struct err;
struct model;
struct tuples;

// Its real's number (tuples_find()); SIZE_MAX: nobody's.
size_t real_flow_whose(const struct tuples *tuples, const struct ct_flow *flow);

// IPS_* bits that every connection of a real has: what leads to this host without another port has none.
uint32_t real_flows_status(const struct model *model);

// counts[real's number], of `n`: the live ones. 0 or -errno.
int real_flows_list(struct conntrack *ct, const struct model *model, const struct tuples *tuples,
		    uint64_t *counts, size_t n, struct err *err);

#endif
