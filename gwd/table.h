// SPDX-License-Identifier: GPL-2.0-or-later
// table: text in columns for a terminal of a given width.
//
// Every column is as wide as its widest cell. The first and the last column give way when a line
// would be too long, so that nothing a person must be able to copy is ever cut: a first cell that
// doesn't fit stands on a line of its own, above its row; the last cell is wrapped at its words
// under itself, or below its row where there is no room beside it.
#ifndef GWD_TABLE_H
#define GWD_TABLE_H

#include <stddef.h>

#include "gwd/base/vec.h"

struct buf;

#define TABLE_WIDTH 80
#define TABLE_COLUMNS 12

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_row {
	char *cell[TABLE_COLUMNS]; // NULL: empty
	char *note;                // text of its own below the row, or NULL
};

struct table {
	size_t n_columns, n_cells; // of the row being filled
	enum table_align align[TABLE_COLUMNS];
	VEC(struct table_row) rows; // the first is the title
};

// Give a zeroed table. The first column's title may be "" for rows of a name and its values.
void table_column(struct table *table, enum table_align align, const char *title);
void table_row(struct table *table); // begins the next row
void table_cell(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void table_note(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Appends the table to `out`; no line is longer than `width`, unless a single word is, or the
// columns between the first and the last are by themselves.
void table_print(const struct table *table, size_t width, struct buf *out);
void table_free(struct table *table);

#endif
