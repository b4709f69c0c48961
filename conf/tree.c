// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/tree.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/fit.h"
#include "conf/schema.h"
#include "conf/syntax.h"
#include "conf/text.h"
#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"

// ---- the text for libconfuse -----------------------------------------------------------------

static void put(struct tree *tree, struct buf *out, const char *text, struct tree_line line)
{
	buf_puts(out, text);
	buf_puts(out, "\n");
	vec_push(&tree->lines, line);
}

// In '…' libconfuse knows two escapes and expands nothing.
static void put_value(struct tree *tree, struct buf *out, const struct token *value)
{
	buf_puts(out, "'");
	const char *s = value->broken ? "" : value->text;
	for (size_t n = strcspn(s, "'\\"); s[n]; n = strcspn(s, "'\\")) {
		buf_add(out, s, n);
		buf_puts(out, "\\");
		buf_add(out, s + n, 1);
		s += n + 1;
	}
	buf_puts(out, s);
	put(tree, out, "'", (struct tree_line){.value = value});
}

static void put_option(struct tree *tree, struct buf *out, const struct stmt *stmt)
{
	put(tree, out, stmt->name, (struct tree_line){0});
	put(tree, out, stmt->append ? "+=" : "=", (struct tree_line){0});
	if (stmt->kind == STMT_LIST)
		put(tree, out, "{", (struct tree_line){0});
	const struct token *value = stmt_value(stmt, stmt->values);
	for (bool first = true; value; value = stmt_value(stmt, value + 1), first = false) {
		if (!first)
			put(tree, out, ",", (struct tree_line){0});
		put_value(tree, out, value);
	}
	if (stmt->kind == STMT_LIST)
		put(tree, out, "}", (struct tree_line){0});
}

static void put_section(struct tree *tree, struct buf *out, const struct stmt *section,
			const cfg_opt_t *table)
{
	stmt_each(section, s) {
		const cfg_opt_t *opt = s->dropped ? NULL : schema_find(table, s->name);
		if (!opt)
			continue;
		if (s->kind != STMT_SECTION) {
			put_option(tree, out, s);
			continue;
		}
		buf_puts(out, s->name);
		if (opt->flags & CFGF_TITLE) // the number of its line, so that no two are equal
			buf_printf(out, " %zu", tree->lines.n + 1);
		put(tree, out, " {", (struct tree_line){0});
		put_section(tree, out, s, opt->subopts);
		put(tree, out, "}", (struct tree_line){.section = s});
	}
}

// ---- libconfuse ------------------------------------------------------------------------------

// libconfuse has no place for a caller's pointer and is not reentrant either.
static struct tree *refused_by;

__attribute__((format(printf, 2, 0))) static void libconfuse_refused(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct place at = {0};
	size_t line = cfg->line > 0 ? (size_t)cfg->line - 1 : 0;
	char why[200];
	if (line < refused_by->lines.n && refused_by->lines.v[line].value)
		at = refused_by->lines.v[line].value->at;
	vsnprintf(why, sizeof(why), fmt, ap);
	report_error(refused_by->report, at, "configuration", "libconfuse refuses it: %s", why);
}

void tree_read(struct tree *tree, struct stmt *file, struct arena *arena, struct report *report)
{
	struct buf text = {0};
	*tree = (struct tree){.arena = arena, .report = report, .file = file};
	tree->lost = !fit(file, arena, report);
	put_section(tree, &text, file, schema_root());
	tree->root = cfg_init(schema_root(), CFGF_NONE);
	if (!tree->root)
		abort(); // out of memory
	refused_by = tree;
	cfg_set_error_function(tree->root, libconfuse_refused);
	unsigned errors = report->errors;
	int rc = cfg_parse_buf(tree->root, buf_text(&text));
	assert(rc == CFG_SUCCESS || report->errors > errors);
	(void)errors;
	(void)rc;
	buf_free(&text);
}

void tree_free(struct tree *tree)
{
	cfg_free(tree->root);
	vec_free(&tree->lines);
}

// ---- for load --------------------------------------------------------------------------------

static const struct tree_line *line_at(const struct tree *tree, long number)
{
	assert(number > 0 && (size_t)number <= tree->lines.n);
	return &tree->lines.v[number - 1];
}

struct section tree_root(const struct tree *tree)
{
	return (struct section){
		.cfg = tree->root,
		.title = "",
		.label = "global options",
		.at.line = 1,
		.stmt = tree->file,
	};
}

size_t tree_count(const struct section *in, const char *kind)
{
	return cfg_size(in->cfg, kind);
}

struct section tree_section(const struct tree *tree, const struct section *in, const char *kind, size_t i)
{
	cfg_t *cfg = cfg_getnsec(in->cfg, kind, (unsigned)i);
	const struct stmt *stmt = line_at(tree, cfg->line)->section; // where libconfuse saw it end
	return (struct section){
		.cfg = cfg,
		.title = stmt->title ? stmt->title->text : "",
		.label = stmt_label(stmt, tree->arena),
		.at = stmt->at,
		.stmt = stmt,
	};
}

bool tree_given(const struct section *section, const char *option)
{
	stmt_each(section->stmt, s)
		if (strcmp(s->name, option) == 0)
			return true;
	return false;
}

size_t tree_values(const struct section *section, const char *option)
{
	return cfg_size(section->cfg, option);
}

const struct token *tree_value(const struct tree *tree, const struct section *section, const char *option,
			       size_t i)
{
	if (i >= tree_values(section, option))
		return NULL;
	return line_at(tree, cfg_getnint(section->cfg, option, (unsigned)i))->value;
}

struct place tree_place(const struct tree *tree, const struct section *section, const char *option)
{
	const struct token *value = tree_value(tree, section, option, 0);
	return value ? value->at : section->at;
}
