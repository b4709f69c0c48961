// SPDX-License-Identifier: GPL-2.0-or-later
// nearest: the name that someone who mistyped probably meant.
#ifndef GWD_CONF_NEAREST_H
#define GWD_CONF_NEAREST_H

#include <stddef.h>

struct buf;

// The one of `names` that is a slip or two away from `word`, or NULL.
const char *nearest(const char *word, const char *const *names, size_t n);

// "a, b and c"; "none" for an empty list. Long lists are cut.
void nearest_list(struct buf *out, const char *const *names, size_t n);

#endif
