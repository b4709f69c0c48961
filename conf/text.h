// SPDX-License-Identifier: GPL-2.0-or-later
// text: the bytes of the configuration file as tokens, each with its true FILE:LINE.
//
// The rules are libconfuse's (# // and /* */ comments, words, "…" and '…' strings), without what has
// no use in gwd.conf and would only hide a mistake: a string ends on the line on which it begins,
// and ${VAR} is refused rather than expanded. include("FILE") puts the tokens of that file in its
// place, between TOKEN_BEGIN and TOKEN_END. Reading never stops: a finding goes into the report and
// the token is marked `broken`, so that nobody complains about it a second time.
#ifndef GWD_CONF_TEXT_H
#define GWD_CONF_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/report.h"
#include "gwd/base/vec.h"

struct arena;

enum token_kind {
	TOKEN_WORD, // a name or a value, quoted or not
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_EQUAL,
	TOKEN_APPEND, // +=
	TOKEN_COMMA,
	TOKEN_PAREN, // ( or )
	TOKEN_BEGIN, // of a file
	TOKEN_END,   // of a file
};

struct token {
	const char *text;
	struct place at;
	unsigned findings; // in the report when it was read: they stand before it or in it
	enum token_kind kind;
	bool quoted;
	bool broken; // already reported
};

struct text_file {
	unsigned long long dev, ino; // 0, 0: not a file
	unsigned file;               // index into report.files
};

struct text {
	struct arena *arena; // holds the words
	struct report *report;
	VEC(struct token) tokens;
	VEC(struct text_file) open; // files that are being read, outermost first
	bool lost;                  // a comment or a file swallowed what may be whole sections
};

void text_init(struct text *text, struct arena *arena, struct report *report);
void text_free(struct text *text);

// Reads a file and all that it includes. 0, or the -errno of why `path` itself can't be read (which
// is then reported); anything else that is wrong is in the report only.
int text_read(struct text *text, const char *path);

// The same for bytes in memory.
void text_scan(struct text *text, const char *name, const char *bytes, size_t size);

// For lex: the tokens of include("NAME"), which stands at `at`.
void text_include(struct text *text, struct place at, const char *name);

#endif
