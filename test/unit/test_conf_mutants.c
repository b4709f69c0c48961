// SPDX-License-Identifier: GPL-2.0-or-later
// What a slip of the finger does: every mutant of the sample file, one change each, either loads or
// is refused with at least one finding, and every finding names a line that the file has.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"
#include "gwd/core/model.h"

static struct buf sample;

static void read_sample(void)
{
	FILE *f = fopen("conf/gwd.conf", "re");
	char chunk[4096];
	size_t n;
	cr_assert(f != NULL, "run the tests from the top of the tree");
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&sample, chunk, n);
	fclose(f);
}

static unsigned count_lines(const char *text, size_t size)
{
	unsigned lines = 1;
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	return lines;
}

static void check_mutant(const char *text, size_t size, const char *what, size_t where)
{
	struct buf report = {0};
	struct model *model;
	unsigned lines = count_lines(text, size), findings = 0;
	int rc = conf_load_text("m", text, size, &model, &report);
	cr_assert((rc == 0) == (model != NULL));
	char *rest = NULL;
	char *copy = xstrdup(buf_text(&report));
	for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		unsigned number = 0;
		cr_assert(sscanf(line, "m:%u: ", &number) == 1 && number >= 1 && number <= lines,
			  "%s at %zu: no line of this file: %s", what, where, line);
		findings++;
	}
	cr_assert(rc == 0 || findings, "%s at %zu: refused without a word", what, where);
	free(copy);
	model_free(model);
	buf_free(&report);
}

static void replace(size_t at, size_t remove, const char *insert, size_t n_insert, const char *what)
{
	struct buf mutant = {0};
	buf_add(&mutant, sample.text, at);
	buf_add(&mutant, insert, n_insert);
	buf_add(&mutant, sample.text + at + remove, sample.n - at - remove);
	check_mutant(mutant.text, mutant.n, what, at);
	buf_free(&mutant);
}

Test(conf_mutants, a_character_is_missing, .init = read_sample, .timeout = 300)
{
	for (size_t i = 0; i < sample.n; i++)
		replace(i, 1, "", 0, "without the character");
	buf_free(&sample);
}

Test(conf_mutants, a_character_is_wrong, .init = read_sample, .timeout = 300)
{
	static const char wrong[] = "{}=\"'#,/*(+;$0x \n\\\0\xff";
	for (size_t i = 0; i < sample.n; i++)
		replace(i, 1, &wrong[i % (sizeof(wrong) - 1)], 1, "another character");
	buf_free(&sample);
}

Test(conf_mutants, a_bit_flips, .init = read_sample, .timeout = 300)
{
	for (size_t i = 0; i < sample.n; i++) {
		char flipped = (char)(sample.text[i] ^ (1 << i % 8));
		replace(i, 1, &flipped, 1, "a flipped bit");
	}
	buf_free(&sample);
}

Test(conf_mutants, a_line_twice_or_not_at_all, .init = read_sample, .timeout = 300)
{
	for (size_t from = 0; from < sample.n;) {
		size_t n = strcspn(sample.text + from, "\n") + 1;
		replace(from, 0, sample.text + from, n, "the line twice");
		replace(from, n, "", 0, "without the line");
		from += n;
	}
	buf_free(&sample);
}

Test(conf_mutants, the_end_is_missing, .init = read_sample, .timeout = 300)
{
	for (size_t n = 0; n < sample.n; n++)
		check_mutant(sample.text, n, "cut off", n);
	buf_free(&sample);
}

// A duplicated option or section must never pass.
Test(conf_mutants, a_doubled_option_is_refused, .init = read_sample)
{
	static const char *const lines[] = {"	weight    = 10",
					    "	need    = 1",
					    "	scheduler = fo",
					    "	protocol = udp",
					    "	use fiber { weight = 2 }",
					    "	listen   = {",
					    "	real www1 {",
					    "	sorry {"};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *at = strstr(sample.text, lines[i]);
		cr_assert(at != NULL, "the sample has no line \"%s\"", lines[i]);
		size_t n = strcspn(at, "\n") + 1;
		struct buf mutant = {0}, report = {0};
		struct model *model;
		buf_add(&mutant, sample.text, (size_t)(at - sample.text));
		buf_add(&mutant, at, n);
		buf_puts(&mutant, at);
		cr_expect(conf_load_text("m", mutant.text, mutant.n, &model, &report) < 0, "%s passes twice",
			  lines[i]);
		cr_expect(strstr(buf_text(&report), "given twice"));
		buf_free(&mutant);
		buf_free(&report);
	}
	buf_free(&sample);
}
