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

#define PIECE_SIZE 32768 // of text that libconfuse reads at a time

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

// A statement as text, and into `table` what libconfuse has to know to read it.
static void put_stmt(struct tree *tree, struct buf *out, const struct stmt *stmt, cfg_opt_t *table)
{
	if (stmt->dropped)
		return;
	const cfg_opt_t *opt = table_use(tree, table, stmt->opt);
	if (stmt->kind != STMT_SECTION) {
		put_option(tree, out, stmt);
		return;
	}
	buf_puts(out, stmt->name);
	buf_puts(out, "{");
	stmt_each(stmt, s)
		put_stmt(tree, out, s, opt->subopts);
	buf_puts(out, "}");
	put_end(tree, out, (struct tree_line){.section = stmt});
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

static const struct tree_line *line_at(const struct tree *tree, long number)
{
	assert(number > 0 && (size_t)number <= tree->lines.n);
	return &tree->lines.v[number - 1];
}

// ---- what it has read ------------------------------------------------------------------------

struct tree_part { // all that a section has of one name
	const char *name;
	size_t n;
	const struct token **values; // of an option
	struct tree_node *sections;  // of a kind of sections
};

struct tree_node { // a section
	const struct stmt *stmt;
	struct tree_part *parts;
	size_t n_parts;
};

// NULL: it is not in the section.
static struct tree_part *find(const struct tree_node *node, const char *name)
{
	for (size_t i = 0; i < node->n_parts; i++)
		if (strcmp(node->parts[i].name, name) == 0)
			return &node->parts[i];
	return NULL;
}

static void keep_section(struct tree *tree, struct tree_node *node, const cfg_t *cfg, const cfg_opt_t *table);

static void keep_part(struct tree *tree, struct tree_part *part, cfg_opt_t *opt, const cfg_opt_t *table)
{
	for (unsigned i = 0; i < cfg_opt_size(opt); i++, part->n++) {
		if (opt->type != CFGT_SEC) {
			part->values[part->n] = line_at(tree, cfg_opt_getnint(opt, i))->value;
			continue;
		}
		const cfg_t *section = cfg_opt_getnsec(opt, i);
		struct tree_node *node = &part->sections[part->n];
		node->stmt = line_at(tree, section->line)->section; // where libconfuse saw it end
		keep_section(tree, node, section, table->subopts);
	}
}

static void part_new(struct tree *tree, struct tree_node *node, const cfg_opt_t *opt, size_t room)
{
	struct tree_part *part = &node->parts[node->n_parts++];
	part->name = opt->name;
	if (opt->type == CFGT_SEC)
		part->sections = arena_alloc(tree->arena, room * sizeof(*part->sections));
	else
		part->values = arena_alloc(tree->arena, room * sizeof(*part->values));
}

// Libconfuse's options are the table's, in its order, under names of its own.
static void keep_section(struct tree *tree, struct tree_node *node, const cfg_t *cfg, const cfg_opt_t *table)
{
	size_t n = 0;
	for (cfg_opt_t *opt = cfg->opts; opt->name; opt++)
		n += cfg_opt_size(opt) > 0;
	node->parts = arena_alloc(tree->arena, n * sizeof(*node->parts));
	for (cfg_opt_t *opt = cfg->opts; opt->name; opt++, table++) {
		if (!cfg_opt_size(opt))
			continue;
		part_new(tree, node, table, cfg_opt_size(opt));
		keep_part(tree, &node->parts[node->n_parts - 1], opt, table);
	}
}

// ---- in pieces -------------------------------------------------------------------------------

// Room for all that the file has at its top level, whichever piece it comes in.
static struct tree_node *root_new(struct tree *tree, const struct stmt *file)
{
	struct tree_node *root = arena_alloc(tree->arena, sizeof(*root));
	size_t n = 0;
	for (const cfg_opt_t *opt = schema_root(); opt->name; opt++)
		n++;
	root->stmt = file;
	root->parts = arena_alloc(tree->arena, n * sizeof(*root->parts));
	for (const cfg_opt_t *opt = schema_root(); opt->name; opt++) {
		size_t room = 0;
		stmt_each(file, s)
			room += s->opt == opt ? (size_t)(s->values_end - s->values) + 1 : 0;
		part_new(tree, root, opt, room);
	}
	return root;
}

static void read_piece(struct tree *tree, const struct buf *text, cfg_opt_t *table)
{
	cfg_t *cfg = cfg_init(table, CFGF_NONE);
	if (!cfg)
		abort(); // out of memory
	refused_by = tree;
	cfg_set_error_function(cfg, libconfuse_refused);
	unsigned errors = tree->report->errors;
	int rc = cfg_parse_buf(cfg, buf_text(text));
	assert(rc == CFG_SUCCESS || tree->report->errors > errors);
	(void)errors;
	for (cfg_opt_t *opt = cfg->opts; rc == CFG_SUCCESS && opt->name; opt++, table++)
		keep_part(tree, find(tree->root, opt->name), opt, table);
	cfg_free(cfg);
}

void tree_read(struct tree *tree, struct stmt *file, struct arena *arena, struct report *report)
{
	struct buf text = {0};
	*tree = (struct tree){.arena = arena, .report = report};
	tree->lost = !fit(file, arena, report);
	tree->root = root_new(tree, file);
	cfg_opt_t *table = table_new(tree, schema_root());
	stmt_each(file, s) {
		put_stmt(tree, &text, s, table);
		if (text.n < PIECE_SIZE && s->next)
			continue;
		read_piece(tree, &text, table);
		buf_clear(&text);
		tree->lines.n = 0;
	}
	buf_free(&text);
	vec_free(&tree->lines);
}

// ---- for load --------------------------------------------------------------------------------

static struct section section_of(const struct tree_node *node)
{
	const struct stmt *stmt = node->stmt;
	return (struct section){
		.node = node,
		.title = stmt->title ? stmt->title->text : "",
		.at = stmt->at,
		.stmt = stmt,
	};
}

struct section tree_root(const struct tree *tree)
{
	struct section root = section_of(tree->root);
	root.at.line = 1;
	return root;
}

static size_t entries(const struct section *section, const char *name)
{
	const struct tree_part *part = find(section->node, name);
	return part ? part->n : 0;
}

size_t tree_count(const struct section *in, const char *kind)
{
	return entries(in, kind);
}

struct section tree_section(const struct section *in, const char *kind, size_t i)
{
	const struct tree_part *part = find(in->node, kind);
	assert(part && i < part->n);
	return section_of(&part->sections[i]);
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

const struct token *tree_value(const struct section *section, const char *option, size_t i)
{
	const struct tree_part *part = find(section->node, option);
	return part && i < part->n ? part->values[i] : NULL;
}

struct place tree_place(const struct section *section, const char *option)
{
	const struct token *value = tree_value(section, option, 0);
	return value ? value->at : section->at;
}
