// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/table.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/buf.h"

#define WORD "a23456789012345678901234567890" // of 30 characters

static void expect(struct table *table, size_t width, const char *want)
{
	struct buf out = {0};
	table_print(table, width, &out);
	cr_expect_str_eq(buf_text(&out), want, "got:\n%s\nwanted:\n%s", buf_text(&out), want);
	buf_free(&out);
	table_free(table);
}

static void fill_three(struct table *t, const char *name, const char *value, const char *last)
{
	table_row(t);
	table_cell(t, "%s", name);
	table_cell(t, "%s", value);
	table_cell(t, "%s", last);
}

static struct table three_columns(void)
{
	struct table t = {0};
	table_column(&t, TABLE_LEFT, "NAME");
	table_column(&t, TABLE_RIGHT, "N");
	table_column(&t, TABLE_LEFT, "VIA");
	return t;
}

Test(table, columns_are_as_wide_as_their_widest_cell)
{
	struct table t = three_columns();
	fill_three(&t, "fiber", "7", "eth1");
	fill_three(&t, "x", "1234", "ppp0");
	expect(&t, 80,
	       "NAME      N  VIA\n"
	       "fiber     7  eth1\n"
	       "x      1234  ppp0\n");
}

Test(table, no_line_ends_in_a_space_and_missing_cells_are_empty)
{
	struct table t = three_columns();
	fill_three(&t, "fiber", "7", "");
	table_row(&t);
	table_cell(&t, "dsl");
	expect(&t, 80, "NAME   N  VIA\nfiber  7\ndsl\n");
}

Test(table, width_counts_characters_not_bytes)
{
	struct table t = three_columns();
	fill_three(&t, "größe", "7", "a");
	fill_three(&t, "123456", "7", "b");
	expect(&t, 80, "NAME    N  VIA\ngröße   7  a\n123456  7  b\n");
}

Test(table, a_first_cell_too_long_stands_above_its_row)
{
	struct table t = three_columns();
	fill_three(&t, WORD, "7", "eth1");
	fill_three(&t, "x", "8", "eth2");
	expect(&t, 20,
	       "NAME  N  VIA\n" WORD "\n"
	       "      7  eth1\n"
	       "x     8  eth2\n");
}

Test(table, a_long_last_cell_is_wrapped_under_itself)
{
	struct table t = three_columns();
	fill_three(&t, "x", "7", "one two three four five six");
	expect(&t, 30,
	       "NAME  N  VIA\n"
	       "x     7  one two three four\n"
	       "         five six\n");
}

Test(table, a_last_cell_without_room_stands_below)
{
	struct table t = three_columns();
	fill_three(&t, "x", "7777777777", "alpha beta");
	expect(&t, 22,
	       "NAME           N  VIA\n"
	       "x     7777777777\n"
	       "      alpha beta\n");
}

Test(table, notes_are_wrapped_below_their_row)
{
	struct table t = three_columns();
	fill_three(&t, "fiber", "7", "eth1");
	table_note(&t, "no answer from 9.9.9.9 (3 in a row)");
	expect(&t, 30,
	       "NAME   N  VIA\n"
	       "fiber  7  eth1\n"
	       "       no answer from 9.9.9.9\n"
	       "       (3 in a row)\n");
}

Test(table, without_titles_there_is_no_title_line)
{
	struct table t = {0};
	table_column(&t, TABLE_LEFT, "");
	table_column(&t, TABLE_LEFT, "");
	table_row(&t);
	table_cell(&t, "state");
	table_cell(&t, "up");
	expect(&t, 80, "state  up\n");
}

Test(table, a_single_column_is_wrapped_text)
{
	struct table t = {0};
	table_column(&t, TABLE_LEFT, "");
	table_row(&t);
	table_cell(&t, "one two three four five six seven");
	expect(&t, 20, "one two three four\nfive six seven\n");
}

// ---- any content -----------------------------------------------------------------------------

static uint32_t seed = 1;

static uint32_t draw(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static void random_words(char *text, size_t size, unsigned n_words, unsigned longest)
{
	size_t n = 0;
	for (unsigned i = 0; i < n_words && n + longest + 2 < size; i++) {
		if (i)
			text[n++] = ' ';
		for (unsigned k = 1 + draw(longest); k; k--)
			text[n++] = (char)('a' + draw(26));
	}
	text[n] = 0;
}

static size_t letters(const char *text)
{
	size_t n = 0;
	for (; *text; text++)
		n += *text >= 'a' && *text <= 'z';
	return n;
}

static size_t longest_line(const char *text)
{
	size_t longest = 0;
	for (; *text; text += strcspn(text, "\n") + 1)
		if (strcspn(text, "\n") > longest)
			longest = strcspn(text, "\n");
	return longest;
}

// Shaped like status: a name of up to 31, bounded figures between, an interface of up to 15, a note.
Test(table, whatever_stands_in_it_no_line_is_too_long_and_nothing_is_cut)
{
	for (int round = 0; round < 2000; round++) {
		struct table t = {0};
		struct buf out = {0};
		char text[256];
		size_t put = 0;
		table_column(&t, TABLE_LEFT, "");
		for (int c = 0; c < 8; c++)
			table_column(&t, TABLE_RIGHT, "");
		table_column(&t, TABLE_LEFT, "");
		for (unsigned row = 1 + draw(6); row; row--) {
			table_row(&t);
			for (int c = 0; c < 10; c++) {
				random_words(text, sizeof(text), 1, c == 0 ? 31 : c == 9 ? 15 : 5);
				put += letters(text);
				table_cell(&t, "%s", text);
			}
			random_words(text, sizeof(text), draw(12), 15);
			put += letters(text);
			if (*text)
				table_note(&t, "%s", text);
		}
		table_print(&t, 80, &out);
		cr_assert_leq(longest_line(buf_text(&out)), 80, "round %d:\n%s", round, buf_text(&out));
		cr_assert_eq(letters(buf_text(&out)), put, "round %d:\n%s", round, buf_text(&out));
		buf_free(&out);
		table_free(&t);
	}
}
