// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/lex.h"

#include <stdio.h>
#include <string.h>

#include "conf/text.h"
#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"

#define WORD_MAX 1000 // longer than any path that a socket or a program can have

struct lexer {
	struct text *text;
	const char *p, *end;
	struct place at;
};

#define lex_error(lx, ...) report_error((lx)->text->report, (lx)->at, NULL, __VA_ARGS__)

static char peek(const struct lexer *lx, size_t ahead)
{
	return (size_t)(lx->end - lx->p) > ahead ? lx->p[ahead] : 0;
}

static struct token *push(struct lexer *lx, enum token_kind kind, const char *word)
{
	vec_push(&lx->text->tokens, (struct token){
					    .kind = kind,
					    .at = lx->at,
					    .text = word,
					    .findings = (unsigned)lx->text->report->findings.n,
				    });
	return &lx->text->tokens.v[lx->text->tokens.n - 1];
}

static void push_word(struct lexer *lx, const char *bytes, size_t size, bool quoted, bool broken)
{
	if (size > WORD_MAX) {
		if (!broken)
			lex_error(lx, "a word of %zu characters: no value is longer than %d", size, WORD_MAX);
		size = WORD_MAX;
		broken = true;
	}
	char *word = arena_alloc(lx->text->arena, size + 1);
	memcpy(word, bytes, size);
	struct token *token = push(lx, TOKEN_WORD, word);
	token->quoted = quoted;
	token->broken = broken;
}

static bool is_control(char c)
{
	return (c >= 0 && c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}

static bool starts_comment(const struct lexer *lx)
{
	return peek(lx, 0) == '#' || (peek(lx, 0) == '/' && (peek(lx, 1) == '/' || peek(lx, 1) == '*'));
}

static bool in_word(const struct lexer *lx)
{
	switch (peek(lx, 0)) {
	case ' ':
	case '\t':
	case '\n':
	case '\r':
	case '"':
	case '\'':
	case '=':
	case '{':
	case '}':
	case '(':
	case ')':
	case '+':
	case ',':
	case ';':
		return false;
	case '#':
	case '/':
		return !starts_comment(lx);
	default:
		return !is_control(peek(lx, 0)); // as the 0 at the end is, too
	}
}

static void skip_line(struct lexer *lx)
{
	while (lx->p < lx->end && *lx->p != '\n')
		lx->p++;
}

static void lex_comment(struct lexer *lx)
{
	if (peek(lx, 1) != '*' || peek(lx, 0) == '#') {
		skip_line(lx);
		return;
	}
	struct place opened = lx->at;
	for (lx->p += 2; lx->p < lx->end; lx->p++) {
		if (peek(lx, 0) == '*' && peek(lx, 1) == '/') {
			lx->p += 2;
			return;
		}
		lx->at.line += *lx->p == '\n';
	}
	report_error(lx->text->report, opened, NULL, "this comment is never closed: end it with */");
	lx->text->lost = true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Up to `digits` digits of a number in `base` (8 or 16) at p.
static char lex_code(struct lexer *lx, int base, int digits)
{
	int value = 0;
	for (int digit; digits-- && (digit = hex_digit(peek(lx, 0))) >= 0 && digit < base; lx->p++)
		value = value * base + digit;
	return (char)value;
}

// What stands behind a backslash in a "…" string; p is behind the backslash.
static char lex_escape(struct lexer *lx)
{
	static const char names[] = "nrbfaetv", codes[] = "\n\r\b\f\a\033\t\v";
	char c = *lx->p;
	if (c >= '0' && c <= '7')
		return lex_code(lx, 8, 3);
	lx->p++;
	if (c == 'x' && hex_digit(peek(lx, 0)) >= 0)
		return lex_code(lx, 16, 2);
	const char *name = c ? strchr(names, c) : NULL;
	return name ? codes[name - names] : c;
}

// Adds the next character of a string that ends with `quote` to the word.
static void lex_string_char(struct lexer *lx, char quote, struct buf *word)
{
	char c = *lx->p++;
	bool escapes = quote == '"' || peek(lx, 0) == '\'' || peek(lx, 0) == '\\';
	if (c == '\\' && escapes && lx->p < lx->end && *lx->p != '\n')
		c = quote == '"' ? lex_escape(lx) : *lx->p++;
	buf_add(word, &c, 1);
}

// Most strings hold nothing that needs a second look: their bytes are the word.
static bool lex_plain_string(struct lexer *lx)
{
	const char *from = lx->p + 1, *to = from;
	while (to < lx->end && *to != '"' && *to != '\'' && *to != '\\' && *to != '$' && *to != '\t' &&
	       *to != '\n' && *to != '\r' && !is_control(*to))
		to++;
	if (to == lx->end || *to != *lx->p)
		return false;
	lx->p = to + 1;
	push_word(lx, from, (size_t)(to - from), true, false);
	return true;
}

// A string ends with its line even when the quote is missing, so that a forgotten quote does not
// turn the rest of the file inside out.
static void lex_string(struct lexer *lx)
{
	if (lex_plain_string(lx))
		return;
	char quote = *lx->p++;
	struct buf word = {0};
	bool closed = false, variable = false, control = false;
	while (lx->p < lx->end && *lx->p != '\n' && !closed) {
		if (*lx->p == quote) {
			closed = true;
			lx->p++;
			continue;
		}
		variable |= quote == '"' && peek(lx, 0) == '$' && peek(lx, 1) == '{';
		lex_string_char(lx, quote, &word);
		control |= is_control(word.text[word.n - 1]) || strchr("\t\n\r", word.text[word.n - 1]);
	}
	if (!closed)
		lex_error(lx, "this string is never closed: end it with %c on the same line", quote);
	else if (variable)
		lex_error(lx, "${...} is not expanded in this file: write the value itself");
	else if (control)
		lex_error(lx, "a control character in a string: write printable characters only");
	push_word(lx, buf_text(&word), word.n, true, !closed || variable || control);
	buf_free(&word);
}

static void lex_word(struct lexer *lx)
{
	const char *from = lx->p;
	while (in_word(lx))
		lx->p++;
	bool variable = peek(lx, 0) == '{' && lx->p[-1] == '$';
	if (variable) {
		lex_error(lx, "${...} is not expanded in this file: write the value itself");
		while (lx->p < lx->end && *lx->p != '\n' && *lx->p++ != '}')
			;
	}
	push_word(lx, from, (size_t)(lx->p - from), false, variable);
}

static bool is_punctuation(const struct token *token, const char *text)
{
	return token->kind == TOKEN_PAREN && strcmp(token->text, text) == 0;
}

// Behind a `)`: if it closes include("FILE") where a statement may stand, reads that file.
static void lex_include(struct lexer *lx)
{
	struct text *text = lx->text;
	size_t n = text->tokens.n;
	if (n < 5) // the file's TOKEN_BEGIN is one
		return;
	const struct token *t = &text->tokens.v[n - 4];
	bool value = t[-1].kind == TOKEN_EQUAL || t[-1].kind == TOKEN_APPEND || t[-1].kind == TOKEN_COMMA;
	if (value || t[0].kind != TOKEN_WORD || t[0].quoted || strcmp(t[0].text, "include") != 0 ||
	    !is_punctuation(&t[1], "(") || t[2].kind != TOKEN_WORD)
		return;
	struct token name = t[2];
	text->tokens.n -= 4;
	if (!name.broken)
		text_include(text, name.at, name.text);
}

static bool lex_punctuation(struct lexer *lx)
{
	static const struct {
		const char *text;
		enum token_kind kind;
	} all[] = {
		{"{", TOKEN_OPEN},  {"}", TOKEN_CLOSE}, {"=", TOKEN_EQUAL}, {"+=", TOKEN_APPEND},
		{",", TOKEN_COMMA}, {"(", TOKEN_PAREN}, {")", TOKEN_PAREN},
	};
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		size_t size = strlen(all[i].text);
		if (*lx->p != *all[i].text || (size == 2 && peek(lx, 1) != all[i].text[1]))
			continue;
		push(lx, all[i].kind, all[i].text);
		lx->p += size;
		if (strcmp(all[i].text, ")") == 0)
			lex_include(lx);
		return true;
	}
	return false;
}

static void lex_stranger(struct lexer *lx)
{
	unsigned char c = (unsigned char)*lx->p++;
	if (c == ';')
		lex_error(lx, "a semicolon has no place here: an option ends with its value");
	else if (c == '+')
		lex_error(lx, "a lone + has no place here: += adds to a list");
	else
		lex_error(lx, "a control character (0x%02x) has no place here", c);
}

static void lex_next(struct lexer *lx)
{
	char c = *lx->p;
	if (c == '\n')
		lx->at.line++;
	if (c == '\n' || c == ' ' || c == '\t' || c == '\r')
		lx->p++;
	else if (starts_comment(lx))
		lex_comment(lx);
	else if (c == '"' || c == '\'')
		lex_string(lx);
	else if (in_word(lx))
		lex_word(lx);
	else if (!lex_punctuation(lx))
		lex_stranger(lx);
}

void lex(struct text *text, unsigned file, const char *bytes, size_t size)
{
	struct lexer lx = {.text = text, .p = bytes, .end = bytes + size, .at = {.file = file, .line = 1}};
	push(&lx, TOKEN_BEGIN, "the beginning of the file");
	if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) // a byte order mark
		lx.p += 3;
	while (lx.p < lx.end)
		lex_next(&lx);
	push(&lx, TOKEN_END, "the end of the file");
}
