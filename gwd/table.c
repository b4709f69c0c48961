// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"

#define GAP 2         // between columns
#define WRAP_LEAST 20 // a last column narrower than this is not worth wrapping in

// ---- filling ---------------------------------------------------------------------------------

static __attribute__((format(printf, 1, 0))) char *text_of(const char *fmt, va_list ap)
{
	char *text;
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	return text;
}

void table_column(struct table *table, enum table_align align, const char *title)
{
	assert(table->n_columns < TABLE_COLUMNS && table->rows.n <= 1);
	if (!table->rows.n)
		vec_push(&table->rows, (struct table_row){0});
	table->align[table->n_columns] = align;
	table->rows.v[0].cell[table->n_columns++] = xstrdup(title);
}

void table_row(struct table *table)
{
	vec_push(&table->rows, (struct table_row){0});
	table->n_cells = 0;
}

void table_cell(struct table *table, const char *fmt, ...)
{
	assert(table->rows.n > 1 && table->n_cells < table->n_columns);
	va_list ap;
	va_start(ap, fmt);
	table->rows.v[table->rows.n - 1].cell[table->n_cells++] = text_of(fmt, ap);
	va_end(ap);
}

void table_note(struct table *table, const char *fmt, ...)
{
	struct table_row *row = &table->rows.v[table->rows.n - 1];
	assert(table->rows.n > 1 && !row->note);
	va_list ap;
	va_start(ap, fmt);
	row->note = text_of(fmt, ap);
	va_end(ap);
}

void table_free(struct table *table)
{
	vec_each(&table->rows, row) {
		for (size_t c = 0; c < table->n_columns; c++)
			free(row->cell[c]);
		free(row->note);
	}
	vec_free(&table->rows);
	table->n_columns = table->n_cells = 0;
}

// ---- widths ----------------------------------------------------------------------------------

struct layout {
	const struct table *table;
	size_t width;                 // of the whole table
	size_t column[TABLE_COLUMNS]; // of each column
	size_t indent;                // of what stands below a row
};

static const char *cell_text(const struct table_row *row, size_t column)
{
	return row->cell[column] ? row->cell[column] : "";
}

static size_t text_width(const char *text) // in characters of UTF-8
{
	size_t n = 0;
	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static size_t column_width(const struct table *table, size_t column, size_t limit)
{
	size_t widest = 0;
	vec_each(&table->rows, row) {
		size_t width = text_width(cell_text(row, column));
		if (width > widest && width <= limit)
			widest = width;
	}
	return widest;
}

static void lay_out(struct layout *l)
{
	size_t n = l->table->n_columns, middle = 0;
	for (size_t c = 0; c < n; c++)
		l->column[c] = column_width(l->table, c, SIZE_MAX);
	for (size_t c = 1; c < n; c++)
		middle += GAP + (c < n - 1 ? l->column[c] : 0);
	size_t last = l->column[n - 1], room = last < WRAP_LEAST ? last : WRAP_LEAST;
	if (n > 1 && l->column[0] + middle + room > l->width) {
		size_t title = text_width(cell_text(&l->table->rows.v[0], 0));
		size_t left = middle + last < l->width ? l->width - middle - last : 0;
		l->column[0] = column_width(l->table, 0, left > title ? left : title);
	}
	size_t used = (n > 1 ? l->column[0] : 0) + middle;
	if (used + last > l->width)
		l->column[n - 1] = used < l->width ? l->width - used : 0;
	l->indent = n > 1 ? l->column[0] + GAP : 0;
}

// ---- printing --------------------------------------------------------------------------------

static void end_line(struct buf *line, struct buf *out)
{
	while (line->n && line->text[line->n - 1] == ' ')
		line->n--;
	buf_add(out, line->n ? line->text : "", line->n);
	buf_puts(out, "\n");
	buf_clear(line);
}

static void put_spaces(struct buf *line, size_t n)
{
	buf_printf(line, "%*s", (int)n, "");
}

static void put_cell(struct buf *line, const char *text, size_t width, enum table_align align)
{
	size_t have = text_width(text), pad = have < width ? width - have : 0;
	if (align == TABLE_RIGHT)
		put_spaces(line, pad);
	buf_puts(line, text);
	if (align == TABLE_LEFT)
		put_spaces(line, pad);
}

// Ends the line that is begun; further ones start at `indent`.
static void put_wrapped(struct buf *line, struct buf *out, const char *text, size_t indent, size_t room)
{
	size_t used = 0;
	for (const char *word = text + strspn(text, " "), *next; *word; word = next) {
		size_t bytes = strcspn(word, " ");
		char *copy = strndup(word, bytes);
		size_t width = text_width(copy);
		if (used && used + 1 + width > room) {
			end_line(line, out);
			put_spaces(line, indent);
			used = 0;
		}
		buf_printf(line, used ? " %s" : "%s", copy);
		used += width + (used > 0);
		free(copy);
		next = word + bytes + strspn(word + bytes, " ");
	}
	end_line(line, out);
}

static void put_below(const struct layout *l, struct buf *out, const char *text)
{
	struct buf line = {0};
	put_spaces(&line, l->indent);
	put_wrapped(&line, out, text, l->indent, l->width > l->indent ? l->width - l->indent : 0);
	buf_free(&line);
}

static void put_row(const struct layout *l, const struct table_row *row, struct buf *out)
{
	size_t n = l->table->n_columns, at = 0;
	const char *last = cell_text(row, n - 1);
	bool beside = text_width(last) <= l->column[n - 1] || l->column[n - 1] >= WRAP_LEAST;
	struct buf line = {0};
	for (size_t c = 0; c + 1 < n; c++) {
		if (c == 0 && text_width(cell_text(row, 0)) > l->column[0]) {
			buf_puts(&line, cell_text(row, 0));
			end_line(&line, out);
			put_spaces(&line, l->column[0]);
		} else {
			put_cell(&line, cell_text(row, c), l->column[c], l->table->align[c]);
		}
		put_spaces(&line, GAP);
		at += l->column[c] + GAP;
	}
	if (beside && l->table->align[n - 1] == TABLE_RIGHT)
		put_cell(&line, last, l->column[n - 1], TABLE_RIGHT);
	if (beside && l->table->align[n - 1] == TABLE_LEFT)
		put_wrapped(&line, out, last, at, l->column[n - 1]);
	else
		end_line(&line, out);
	if (!beside)
		put_below(l, out, last);
	if (row->note)
		put_below(l, out, row->note);
	buf_free(&line);
}

static bool row_is_empty(const struct table *table, const struct table_row *row)
{
	for (size_t c = 0; c < table->n_columns; c++)
		if (*cell_text(row, c))
			return false;
	return true;
}

void table_print(const struct table *table, size_t width, struct buf *out)
{
	struct layout l = {.table = table, .width = width};
	assert(table->n_columns);
	lay_out(&l);
	vec_each(&table->rows, row) {
		if (row > table->rows.v || !row_is_empty(table, row)) // no titles: no line of them
			put_row(&l, row, out);
	}
}
