// SPDX-License-Identifier: GPL-2.0-or-later
// syntax: the tokens as statements: NAME = VALUE, NAME = { VALUE, … }, NAME [TITLE] { STATEMENTS }.
//
// libconfuse knows this grammar too, but stops at the first mistake and accepts a section that is
// never closed at the end of the file. So the shape is made here, whatever the file looks like:
// a brace that is missing is put where the next section or the end of the file proves it missing,
// what makes no statement is reported and left out. What comes out is always well-formed.
#ifndef GWD_CONF_SYNTAX_H
#define GWD_CONF_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/report.h"

struct arena;
struct cfg_opt_t;
struct text;
struct token;

enum stmt_kind { STMT_VALUE, STMT_LIST, STMT_SECTION };

struct stmt {
	enum stmt_kind kind;
	const char *name;                        // "" for the file itself and for a section that has none
	const struct token *title;               // of a section, or NULL
	struct place at;                         // of the name
	const struct cfg_opt_t *opt;             // what it is in the schema, once fit has found it
	bool append;                             // += instead of =
	bool dropped;                            // reported as wrong: the later steps pass it by
	const struct token *values, *values_end; // the words between these are the values
	struct stmt *parent, *first, *last, *next;
	const struct stmt *shown; // the section as it goes by in messages: itself, or what it stands in
	unsigned depth;           // 0: the file itself
	unsigned order;           // of appearance
};

#define stmt_each(section, it) for (struct stmt *it = (section)->first; it; it = it->next)

// The whole file as a section without a name. Everything lives in the arena, except that the
// statements point to the text's tokens.
struct stmt *syntax_read(const struct text *text, struct arena *arena, struct report *report);

// The next value of a statement: start with stmt->values; NULL behind the last one.
const struct token *stmt_value(const struct stmt *stmt, const struct token *from);

// "gateway fiber", "balance default use lte"; "global options" for the file itself. Whatever is nested
// deeper than anything of the language goes by what it stands in.
const char *stmt_label(const struct stmt *section, struct arena *arena);

#endif
