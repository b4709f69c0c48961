// SPDX-License-Identifier: GPL-2.0-or-later
// probe_copy: a probe's options that outlive the model they come from, and whether two are the same.
//
// A check keeps asking while a reload replaces the model, so it needs options of its own; and it goes
// on undisturbed if the new model says the same. Whoever adds a field to struct model_probe adds it to
// probe_is_same(), and if it is a pointer to probe_copy().
#ifndef GWD_PROBES_PROBE_COPY_H
#define GWD_PROBES_PROBE_COPY_H

#include <stdbool.h>

struct arena;
struct model_probe;

struct model_probe *probe_copy(struct arena *arena, const struct model_probe *probe); // lives in the arena
bool probe_is_same(const struct model_probe *a, const struct model_probe *b);

#endif
