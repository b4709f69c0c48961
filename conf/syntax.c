// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/syntax.h"

#include <ctype.h>
#include <string.h>

#include "conf/schema.h"
#include "conf/text.h"
#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"
#include "gwd/base/vec.h"

#define LABEL_DEPTH 2 // `use` in a balance

struct syntax {
	struct arena *arena;
	struct report *report;
	const struct token *t, *end; // the next token; the last one is the main file's TOKEN_END
	struct stmt *section;        // that is being read
	VEC(struct stmt *) bases;    // the section in which each open file began
	unsigned count;              // statements so far
};

#define syntax_error(sx, at, ...) \
	report_error((sx)->report, at, stmt_label((sx)->section, (sx)->arena), __VA_ARGS__)

static void syntax_label(struct buf *out, const struct stmt *section)
{
	if (section->parent->parent) {
		syntax_label(out, section->parent->shown);
		buf_puts(out, " ");
	}
	buf_puts(out, section->name);
	if (section->title) {
		buf_puts(out, " ");
		buf_puts(out, *section->title->text ? section->title->text : "\"\"");
	}
}

const char *stmt_label(const struct stmt *section, struct arena *arena)
{
	struct buf label = {0};
	if (!section->shown->parent)
		return "global options";
	syntax_label(&label, section->shown);
	const char *kept = arena_strdup(arena, buf_text(&label));
	buf_free(&label);
	return kept;
}

const struct token *stmt_value(const struct stmt *stmt, const struct token *from)
{
	while (from < stmt->values_end && from->kind != TOKEN_WORD)
		from++;
	return from < stmt->values_end ? from : NULL;
}

static enum token_kind peek(const struct syntax *sx, int ahead)
{
	return sx->end - sx->t > ahead ? sx->t[ahead].kind : TOKEN_END;
}

static bool is_assignment(enum token_kind kind)
{
	return kind == TOKEN_EQUAL || kind == TOKEN_APPEND;
}

// NAME { or NAME TITLE {
static bool at_section(const struct syntax *sx)
{
	if (peek(sx, 0) != TOKEN_WORD)
		return false;
	return peek(sx, 1) == TOKEN_OPEN || (peek(sx, 1) == TOKEN_WORD && peek(sx, 2) == TOKEN_OPEN);
}

// A section of the top level: where it stands inside of another one, that one was not closed.
static bool at_outer_section(const struct syntax *sx)
{
	return at_section(sx) && schema_is_section(sx->t->text);
}

// NAME =
static bool is_option(const struct token *t)
{
	return t[0].kind == TOKEN_WORD && isalpha((unsigned char)t[0].text[0]) && is_assignment(t[1].kind);
}

// Here a new statement begins without doubt, so a value or a list that goes on to here has an end missing.
static bool at_statement(const struct syntax *sx)
{
	return is_option(sx->t) || at_outer_section(sx);
}

static struct stmt *stmt_add(struct syntax *sx, enum stmt_kind kind, const struct token *name)
{
	struct stmt *stmt = arena_alloc(sx->arena, sizeof(*stmt));
	struct stmt *parent = sx->section;
	*stmt = (struct stmt){
		.kind = kind,
		.name = name->text,
		.at = name->at,
		.parent = parent,
		.depth = parent->depth + 1,
		.order = sx->count++,
	};
	if (parent->last)
		parent->last->next = stmt;
	else
		parent->first = stmt;
	parent->last = stmt;
	return stmt;
}

static void section_enter(struct syntax *sx, const struct token *name, const struct token *title)
{
	struct stmt *section = stmt_add(sx, STMT_SECTION, name);
	if (name->kind != TOKEN_WORD) { // a brace without a name; what it holds can't be judged
		section->name = "";
		section->dropped = true;
	}
	section->title = title;
	section->shown = section->depth > LABEL_DEPTH ? section->parent->shown : section;
	sx->section = section;
}

// Leaves every section that was opened in the current file.
static void sections_leave_unclosed(struct syntax *sx)
{
	struct stmt *base = sx->bases.v[sx->bases.n - 1];
	for (; sx->section != base; sx->section = sx->section->parent)
		syntax_error(sx, sx->section->at, "this section is never closed: } is missing");
}

// A list in a list: nothing of it is taken.
static void skip_list(struct syntax *sx)
{
	while (sx->t->kind == TOKEN_WORD || sx->t->kind == TOKEN_COMMA)
		if (at_statement(sx))
			return;
		else
			sx->t++;
	if (sx->t->kind == TOKEN_CLOSE)
		sx->t++;
}

// One token of a list. Returns false at its end.
static bool read_list_item(struct syntax *sx, bool *comma, int *files)
{
	const struct token *t = sx->t;
	*files += t->kind == TOKEN_BEGIN;
	if (t->kind == TOKEN_CLOSE || at_statement(sx) || (t->kind == TOKEN_END && (*files)-- == 0))
		return false;
	sx->t++;
	if (t->kind == TOKEN_BEGIN || t->kind == TOKEN_END)
		return true;
	if (t->kind == TOKEN_WORD && !*comma)
		syntax_error(sx, t->at, "a comma is missing before \"%s\"", t->text);
	else if (t->kind == TOKEN_COMMA && *comma)
		syntax_error(sx, t->at, "a comma without a value before it");
	else if (t->kind != TOKEN_WORD && t->kind != TOKEN_COMMA)
		syntax_error(sx, t->at, "\"%s\" has no place in a list", t->text);
	if (t->kind == TOKEN_OPEN)
		skip_list(sx);
	*comma = t->kind == TOKEN_COMMA;
	return true;
}

static void read_list(struct syntax *sx, struct stmt *stmt)
{
	bool comma = true; // as if: no value needs one before the first
	int files = 0;
	stmt->kind = STMT_LIST;
	const struct token *open = sx->t++;
	stmt->values = sx->t;
	while (read_list_item(sx, &comma, &files))
		;
	stmt->values_end = sx->t;
	if (sx->t->kind == TOKEN_CLOSE)
		sx->t++;
	else
		syntax_error(sx, open->at, "the list %s is never closed: } is missing", stmt->name);
}

static void skip_call(struct syntax *sx)
{
	const struct token *name = sx->t - 1;
	syntax_error(sx, name->at,
		     "%s( has no place here: include(\"FILE\") is the only call, and a statement "
		     "of its own",
		     name->text);
	while (sx->t->kind == TOKEN_PAREN || sx->t->kind == TOKEN_COMMA ||
	       (sx->t->kind == TOKEN_WORD && sx->t[-1].kind != TOKEN_WORD && !at_statement(sx)))
		if (strcmp(sx->t++->text, ")") == 0)
			return;
}

// A word on the line of the token before it that is no statement's first.
static bool at_leftover(const struct syntax *sx)
{
	return peek(sx, 0) == TOKEN_WORD && sx->t->at.line == sx->t[-1].at.line && !at_statement(sx) &&
	       !at_section(sx);
}

// Behind a value: what looks like more of it. "weight 10" looks like a statement without its =.
static void skip_leftover(struct syntax *sx)
{
	const struct token *value = sx->t - 1;
	if (peek(sx, 0) == TOKEN_PAREN) {
		skip_call(sx);
		return;
	}
	bool more = at_leftover(sx) || peek(sx, 0) == TOKEN_COMMA;
	bool statement = more && isalpha((unsigned char)sx->t[0].text[0]) && sx->t[1].kind == TOKEN_WORD &&
			 sx->t[1].at.line == sx->t[0].at.line && !is_option(sx->t + 1);
	if (!more || statement)
		return;
	syntax_error(
		sx, sx->t->at,
		"\"%s\" is left over behind %s: write several values as { A, B }, a value with spaces in "
		"quotes",
		sx->t->text, value->text);
	while (at_leftover(sx) || peek(sx, 0) == TOKEN_COMMA ||
	       (peek(sx, 0) == TOKEN_WORD && sx->t[-1].kind == TOKEN_COMMA && !at_statement(sx)))
		sx->t++;
}

// NAME = …; the next token is the =.
static void read_assignment(struct syntax *sx, const struct token *name)
{
	struct stmt *stmt = stmt_add(sx, STMT_VALUE, name);
	stmt->append = sx->t->kind == TOKEN_APPEND;
	const struct token *equal = sx->t++;
	if (is_assignment(peek(sx, 0))) {
		syntax_error(sx, sx->t->at, "%s: one %s is enough", name->text, sx->t->text);
		sx->t++;
	}
	if (peek(sx, 0) == TOKEN_OPEN) {
		read_list(sx, stmt);
	} else if (peek(sx, 0) == TOKEN_WORD && !at_statement(sx)) {
		stmt->values = sx->t++;
		stmt->values_end = sx->t;
		skip_leftover(sx);
	} else {
		syntax_error(sx, equal->at, "%s: there is no value behind the %s", name->text, equal->text);
		stmt->dropped = true;
	}
}

// A word that begins neither an assignment nor a section.
static void read_lone_word(struct syntax *sx, const struct token *name)
{
	struct stmt *stmt = stmt_add(sx, STMT_VALUE, name);
	if (at_leftover(sx)) {
		syntax_error(sx, name->at, "= is missing between \"%s\" and \"%s\"", name->text, sx->t->text);
		stmt->values = sx->t++;
		stmt->values_end = sx->t;
		return;
	}
	syntax_error(sx, name->at, "\"%s\" says nothing by itself: write NAME = VALUE or NAME { ... }",
		     name->text);
	stmt->dropped = true;
}

// Behind a section's kind: TITLE {, unless a word was forgotten in the line before a section.
static bool at_title(const struct syntax *sx)
{
	const struct token *name = sx->t - 1;
	bool forgotten = sx->t->at.line != name->at.line && schema_is_section(sx->t->text) &&
			 !schema_is_section(name->text);
	return peek(sx, 0) == TOKEN_WORD && peek(sx, 1) == TOKEN_OPEN && !forgotten;
}

// Behind a section's kind: TITLE that goes on {
static bool at_long_title(const struct syntax *sx)
{
	return schema_is_section(sx->t[-1].text) && peek(sx, 0) == TOKEN_WORD && peek(sx, 1) == TOKEN_WORD &&
	       peek(sx, 2) == TOKEN_OPEN;
}

static void read_word(struct syntax *sx)
{
	if (at_outer_section(sx) && sx->section != sx->bases.v[sx->bases.n - 1])
		sections_leave_unclosed(sx);
	const struct token *name = sx->t++;
	if (is_assignment(peek(sx, 0))) {
		read_assignment(sx, name);
	} else if (peek(sx, 0) == TOKEN_OPEN) {
		sx->t++;
		section_enter(sx, name, NULL);
	} else if (at_title(sx)) {
		sx->t += 2;
		section_enter(sx, name, name + 1);
	} else if (at_long_title(sx)) {
		sx->t += 3;
		section_enter(sx, name, name + 1);
		syntax_error(sx, name->at, "a name is one word: \"%s\" is too much", name[2].text);
	} else if (peek(sx, 0) == TOKEN_PAREN) {
		skip_call(sx);
	} else {
		read_lone_word(sx, name);
	}
}

static void read_close(struct syntax *sx)
{
	const struct token *t = sx->t++;
	if (sx->section == sx->bases.v[sx->bases.n - 1])
		syntax_error(sx, t->at, "this } closes nothing");
	else
		sx->section = sx->section->parent;
}

static void read_token(struct syntax *sx)
{
	const struct token *t = sx->t;
	if (sx->report->located < t->findings)
		report_locate(sx->report, t->findings, stmt_label(sx->section, sx->arena));
	switch (t->kind) {
	case TOKEN_WORD:
		read_word(sx);
		return;
	case TOKEN_CLOSE:
		read_close(sx);
		return;
	case TOKEN_BEGIN:
		vec_push(&sx->bases, sx->section);
		break;
	case TOKEN_END:
		sections_leave_unclosed(sx);
		sx->bases.n--;
		break;
	case TOKEN_OPEN:
		syntax_error(sx, t->at, "this { belongs to nothing: write NAME { or NAME = {");
		section_enter(sx, t, NULL);
		break;
	case TOKEN_EQUAL:
	case TOKEN_APPEND:
	case TOKEN_COMMA:
	case TOKEN_PAREN:
		syntax_error(sx, t->at, "\"%s\" has no place here", t->text);
		break;
	}
	sx->t++;
}

struct stmt *syntax_read(const struct text *text, struct arena *arena, struct report *report)
{
	struct stmt *root = arena_alloc(arena, sizeof(*root));
	*root = (struct stmt){.kind = STMT_SECTION, .name = "", .shown = root};
	struct syntax sx = {
		.arena = arena,
		.report = report,
		.t = text->tokens.v,
		.end = text->tokens.v + text->tokens.n,
		.section = root,
	};
	while (sx.t < sx.end)
		read_token(&sx);
	vec_free(&sx.bases);
	return root;
}
