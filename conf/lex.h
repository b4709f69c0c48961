// SPDX-License-Identifier: GPL-2.0-or-later
// lex: the characters of one file as tokens. text.c calls it for each file; include("FILE") calls
// back into text.c.
#ifndef GWD_CONF_LEX_H
#define GWD_CONF_LEX_H

#include <stddef.h>

struct text;

// Appends the tokens of file number `file` of the report to the text.
void lex(struct text *text, unsigned file, const char *bytes, size_t size);

#endif
