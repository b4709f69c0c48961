// SPDX-License-Identifier: GPL-2.0-or-later
// diff_real: which reals' connections have to end when one plan follows another. plan_diff() asks.
//
// A real that was usable and isn't ends them: it is dead, or was disabled by hand. One that is taken out of
// the configuration, or is another address now, does where the service says `on-removal = cut`; otherwise
// they go on, as conntrack knows where to.
#ifndef GWD_CORE_DIFF_REAL_H
#define GWD_CORE_DIFF_REAL_H

struct ops;
struct plan;
struct plan_service;

// Adds an OP_END for each; it points into `from`.
void diff_ends(struct ops *ops, const struct plan *from, const struct plan *to);

// The same for one service; `now` NULL: it is gone.
void diff_ends_service(struct ops *ops, const struct plan_service *old, const struct plan_service *now);

#endif
