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

// Ends a line.
static void put_end(struct tree *tree, struct buf *out, struct tree_line line)
{
	buf_add(out, "\n", 1);
	vec_push(&tree->lines, line);
}

// In '…' libconfuse knows two escapes and expands nothing.
static void put_value(struct tree *tree, struct buf *out, const struct token *value)
{
	buf_add(out, "'", 1);
	const char *s = value->broken ? "" : value->text;
	for (size_t n = strcspn(s, "'\\"); s[n]; n = strcspn(s, "'\\")) {
		buf_add(out, s, n);
		buf_add(out, "\\", 1);
		buf_add(out, s + n, 1);
		s += n + 1;
	}
	buf_puts(out, s);
	buf_add(out, "'", 1);
	put_end(tree, out, (struct tree_line){.value = value});
}

static void put_option(struct tree *tree, struct buf *out, const struct stmt *stmt)
{
	buf_puts(out, stmt->name);
	buf_puts(out, stmt->append ? "+=" : "=");
	if (stmt->kind == STMT_LIST)
		buf_puts(out, "{");
	const struct token *value = stmt_value(stmt, stmt->values);
	for (bool first = true; value; value = stmt_value(stmt, value + 1), first = false) {
		if (!first)
			buf_puts(out, ",");
		put_value(tree, out, value);
	}
	if (stmt->kind == STMT_LIST)
		buf_puts(out, "}");
}

// An empty table with room for all entries of `schema`.
static cfg_opt_t *table_new(const struct tree *tree, const cfg_opt_t *schema)
{
	size_t n = 0;
	while (schema[n].name)
		n++;
	return arena_alloc(tree->arena, (n + 1) * sizeof(*schema));
}

// The entry of libconfuse's table for one of the schema; made when it is first used.
static const cfg_opt_t *table_use(const struct tree *tree, cfg_opt_t *table, const cfg_opt_t *schema)
{
	while (table->name && table->name != schema->name)
		table++;
	if (table->name)
		return table;
	*table = *schema;
	table->flags &= ~CFGF_TITLE;
	if (table->type == CFGT_SEC)
		table->subopts = table_new(tree, schema->subopts);
	return table;
}

// The statements as text, and into `table` what libconfuse has to know to read it.
static void put_section(struct tree *tree, struct buf *out, const struct stmt *section, cfg_opt_t *table)
{
	stmt_each(section, s) {
		if (s->dropped)
			continue;
		const cfg_opt_t *opt = table_use(tree, table, s->opt);
		if (s->kind != STMT_SECTION) {
			put_option(tree, out, s);
			continue;
		}
		buf_puts(out, s->name);
		buf_puts(out, "{");
		put_section(tree, out, s, opt->subopts);
		buf_puts(out, "}");
		put_end(tree, out, (struct tree_line){.section = s});
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
	cfg_opt_t *table = table_new(tree, schema_root());
	put_section(tree, &text, file, table);
	tree->root = cfg_init(table, CFGF_NONE);
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

// NULL: it is nowhere in the file.
static cfg_opt_t *find(const struct section *section, const char *name)
{
	for (cfg_opt_t *opt = section->cfg->opts; opt->name; opt++)
		if (strcmp(opt->name, name) == 0)
			return opt;
	return NULL;
}

static size_t entries(const struct section *section, const char *name)
{
	cfg_opt_t *opt = find(section, name);
	return opt ? cfg_opt_size(opt) : 0;
}

struct section tree_root(const struct tree *tree)
{
	return (struct section){
		.cfg = tree->root,
		.title = "",
		.at.line = 1,
		.stmt = tree->file,
	};
}

size_t tree_count(const struct section *in, const char *kind)
{
	return entries(in, kind);
}

struct section tree_section(const struct tree *tree, const struct section *in, const char *kind, size_t i)
{
	cfg_t *cfg = cfg_opt_getnsec(find(in, kind), (unsigned)i);
	const struct stmt *stmt = line_at(tree, cfg->line)->section; // where libconfuse saw it end
	return (struct section){
		.cfg = cfg,
		.title = stmt->title ? stmt->title->text : "",
		.at = stmt->at,
		.stmt = stmt,
	};
}

const char *tree_label(const struct tree *tree, const struct section *section)
{
	return stmt_label(section->stmt, tree->arena);
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
	return entries(section, option);
}

const struct token *tree_value(const struct tree *tree, const struct section *section, const char *option,
			       size_t i)
{
	cfg_opt_t *opt = find(section, option);
	if (!opt || i >= cfg_opt_size(opt))
		return NULL;
	return line_at(tree, cfg_opt_getnint(opt, (unsigned)i))->value;
}

struct place tree_place(const struct tree *tree, const struct section *section, const char *option)
{
	const struct token *value = tree_value(tree, section, option, 0);
	return value ? value->at : section->at;
}
