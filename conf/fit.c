// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/fit.h"

#include <stdlib.h>
#include <string.h>

#include "conf/nearest.h"
#include "conf/report.h"
#include "conf/schema.h"
#include "conf/syntax.h"
#include "conf/text.h"
#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"
#include "gwd/base/vec.h"

#define NAMES_MAX 32 // options of one section

struct fitter {
	struct arena *arena;
	struct report *report;
	struct stmt *section;   // whose statements are looked at
	const cfg_opt_t *table; // of that section
};

// A finding about a section goes by its own name, one about an option by that of its section.
#define fit_error(f, stmt, ...) \
	report_error((f)->report, (stmt)->at, \
		     stmt_label((stmt)->kind == STMT_SECTION ? (stmt) : (f)->section, (f)->arena), \
		     __VA_ARGS__)

// The names of the section's table: options, or sections, or both.
static size_t table_names(const struct fitter *f, bool options, bool sections, const char *names[NAMES_MAX])
{
	size_t n = 0;
	for (const cfg_opt_t *opt = f->table; opt->name && n < NAMES_MAX; opt++)
		if (opt->type == CFGT_SEC ? sections : options)
			names[n++] = opt->name;
	return n;
}

static bool has_sibling(const struct stmt *section, const char *name)
{
	stmt_each(section, s)
		if (strcmp(s->name, name) == 0)
			return true;
	return false;
}

static void report_unknown(struct fitter *f, struct stmt *stmt, const char *meant)
{
	const char *names[NAMES_MAX];
	bool section = stmt->kind == STMT_SECTION;
	size_t n = table_names(f, !section, section, names);
	const char *what = section ? "there is no section of this kind"
				   : arena_printf(f->arena, "there is no option \"%s\"", stmt->name);
	struct buf list = {0};
	nearest_list(&list, names, n);
	if (meant)
		fit_error(f, stmt, "%s: did you mean %s?", what, meant);
	else
		fit_error(f, stmt, "%s here: there is %s", what, n ? buf_text(&list) : "none at all");
	buf_free(&list);
}

// The table's entry for this statement, or for what was probably meant; NULL: reported and dropped.
static const cfg_opt_t *resolve(struct fitter *f, struct stmt *stmt)
{
	const cfg_opt_t *opt = schema_find(f->table, stmt->name);
	stmt->opt = opt;
	if (opt)
		return opt;
	const char *names[NAMES_MAX];
	bool section = stmt->kind == STMT_SECTION;
	const char *meant = nearest(stmt->name, names, table_names(f, !section, section, names));
	report_unknown(f, stmt, meant);
	opt = meant ? schema_find(f->table, meant) : NULL;
	bool many = opt && (opt->flags & CFGF_TITLE);
	if (!opt || (!many && has_sibling(f->section, meant)) || (section && many != !!stmt->title)) {
		stmt->dropped = true;
		return NULL;
	}
	stmt->name = meant;
	stmt->opt = opt;
	return opt;
}

static void fit_section_head(struct fitter *f, struct stmt *stmt, const cfg_opt_t *opt)
{
	if (stmt->kind != STMT_SECTION) {
		fit_error(f, stmt, "%s is a section: write %s %s{ ... }", stmt->name, stmt->name,
			  opt->flags & CFGF_TITLE ? "NAME " : "");
		stmt->dropped = true;
	} else if ((opt->flags & CFGF_TITLE) && !stmt->title) {
		fit_error(f, stmt, "this section has no name: write %s NAME { ... }", stmt->name);
	} else if (!(opt->flags & CFGF_TITLE) && stmt->title) {
		fit_error(f, stmt, "this section takes no name: write %s { ... }", stmt->name);
		stmt->title = NULL;
	}
}

static void fit_option(struct fitter *f, struct stmt *stmt, const cfg_opt_t *opt)
{
	bool list = opt->flags & CFGF_LIST;
	const struct token *value = stmt->kind == STMT_SECTION ? NULL : stmt_value(stmt, stmt->values);
	if (stmt->kind == STMT_SECTION)
		fit_error(f, stmt, "%s is an option: write %s = %s", stmt->name, stmt->name,
			  list ? "{ VALUE, ... }" : "VALUE");
	else if (!value)
		fit_error(f, stmt, "%s lists nothing: leave it out or give it a value", stmt->name);
	else if (stmt->append && !list)
		fit_error(f, stmt, "%s takes one value: write = instead of +=", stmt->name);
	else if (stmt->kind == STMT_LIST && !list)
		fit_error(f, stmt, "%s takes one value, not a list", stmt->name);
	stmt->dropped = stmt->kind == STMT_SECTION || !value;
	if (!list && !stmt->dropped) { // go on with the first value
		stmt->append = false;
		stmt->kind = STMT_VALUE;
		stmt->values = value;
		stmt->values_end = value + 1;
	}
}

static const char *title_of(const struct stmt *stmt)
{
	return stmt->title ? stmt->title->text : "";
}

static int stmt_compare(const void *va, const void *vb)
{
	const struct stmt *a = *(struct stmt *const *)va, *b = *(struct stmt *const *)vb;
	int order = a->opt == b->opt ? 0 : strcmp(a->name, b->name);
	if (!order)
		order = strcmp(title_of(a), title_of(b));
	return order ? order : a->order < b->order ? -1 : 1;
}

static void report_twice(struct fitter *f, const struct stmt *first, const struct stmt *again)
{
	const char *file = first->at.file == again->at.file ? "" : f->report->files.v[first->at.file];
	fit_error(f, again, "%s is given twice: the first one is in %s%sline %u",
		  again->kind == STMT_SECTION ? "this section" : again->name, file, *file ? " " : "",
		  first->at.line);
}

// Of two equal options the second is dropped. Equal sections are both kept: to libconfuse they are not
// equal, and both hold errors to be found.
static void fit_twice(struct fitter *f)
{
	VEC(struct stmt *) all = {0};
	stmt_each(f->section, s) {
		bool nameless = !s->dropped && (s->opt->flags & CFGF_TITLE) && !s->title;
		if (!s->dropped && !nameless)
			vec_push(&all, s);
	}
	if (all.n > 1)
		qsort(all.v, all.n, sizeof(*all.v), stmt_compare);
	for (size_t i = 1, first = 0; i < all.n; i++) {
		bool same = all.v[first]->opt == all.v[i]->opt &&
			    strcmp(title_of(all.v[first]), title_of(all.v[i])) == 0;
		if (!same) {
			first = i;
			continue;
		}
		if (all.v[i]->append) // adds; but a later = would silently take away what += added
			continue;
		report_twice(f, all.v[first], all.v[i]);
		all.v[i]->dropped = all.v[i]->kind != STMT_SECTION;
	}
	vec_free(&all);
}

// Recursion goes only as deep as the schema does.
static void fit_section(struct fitter *outer, struct stmt *section, const cfg_opt_t *table)
{
	struct fitter f = *outer;
	f.section = section;
	f.table = table;
	stmt_each(section, s) {
		const cfg_opt_t *opt = s->dropped ? NULL : resolve(&f, s);
		if (!opt)
			continue;
		if (opt->type != CFGT_SEC) {
			fit_option(&f, s, opt);
			continue;
		}
		fit_section_head(&f, s, opt);
		if (!s->dropped)
			fit_section(&f, s, opt->subopts);
	}
	fit_twice(&f);
}

bool fit(struct stmt *file, struct arena *arena, struct report *report)
{
	struct fitter f = {.arena = arena, .report = report};
	bool whole = true;
	fit_section(&f, file, schema_root());
	stmt_each(file, s) {
		bool section = s->kind == STMT_SECTION || schema_is_section(s->name);
		whole &= !s->dropped || !section;
	}
	return whole;
}
