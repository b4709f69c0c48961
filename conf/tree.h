// SPDX-License-Identifier: GPL-2.0-or-later
// tree: the statements checked against the schema and read by libconfuse, and how load finds them.
//
// libconfuse 3.3 stops at its first error, silently takes the last of two equal options, merges
// sections of one title, expands ${VAR}, reads 010 as 8 and "" as 0, and miscounts lines after
// comments. So it is given a text in which none of this can matter: what its tables refuse was
// reported and left out before, no two values stand on one line (which is how a value is found
// again, see schema.h), every value is quoted, and titles stay here.
//
// It also copies a section's whole table, name by name, for each section that it opens, and compares
// every title with all before. A hundred thousand reals have one option or two of eight, so its tables
// hold only what occurs in the file, and it gets the file in pieces: what it has read of one is kept
// here, in a tenth of its memory.
#ifndef GWD_CONF_TREE_H
#define GWD_CONF_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/report.h"
#include "gwd/base/vec.h"

struct arena;
struct stmt;
struct token;
struct tree_node;

struct tree_line {                  // of the text that libconfuse reads
	const struct token *value;  // that stands there, or NULL
	const struct stmt *section; // that is closed there, or NULL
};

struct tree {
	struct arena *arena;
	struct report *report;
	const struct tree_node *root;
	VEC(struct tree_line) lines; // of the piece that is read; [0] is line 1
	bool lost;                   // a section of the top level was left out
};

struct section {
	const struct tree_node *node;
	const char *title; // "" when it has none
	struct place at;   // where it opens
	const struct stmt *stmt;
};

// Everything that `file` holds. Errors go into the report; the tree then holds what was right.
// It lives in the arena.
void tree_read(struct tree *tree, struct stmt *file, struct arena *arena, struct report *report);

struct section tree_root(const struct tree *tree);
size_t tree_count(const struct section *in, const char *kind); // sections of this kind
struct section tree_section(const struct section *in, const char *kind, size_t i);

const char *tree_label(const struct tree *tree,
		       const struct section *section); // for the report: "gateway fiber"

bool tree_given(const struct section *section, const char *option); // at all, right or wrong
size_t tree_values(const struct section *section, const char *option);
const struct token *tree_value(const struct section *section, const char *option,
			       size_t i); // NULL: there are not that many

// Where a finding about an option belongs: its (first) value, or the section's first line.
struct place tree_place(const struct section *section, const char *option);

#endif
