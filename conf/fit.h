// SPDX-License-Identifier: GPL-2.0-or-later
// fit: do the statements fit the schema? Finds what libconfuse would stop at (unknown names, sections
// for options, lists where one value belongs) and what it would let pass (names given twice, empty
// lists), and leaves nothing behind that it could refuse.
//
// A name that is almost right is taken for what was meant once it is reported, so that what it
// holds is checked too and nobody complains that it is missing.
#ifndef GWD_CONF_FIT_H
#define GWD_CONF_FIT_H

#include <stdbool.h>

struct arena;
struct report;
struct stmt;

// Returns false when a section of the top level had to be left out.
bool fit(struct stmt *file, struct arena *arena, struct report *report);

#endif
