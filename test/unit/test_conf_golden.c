// SPDX-License-Identifier: GPL-2.0-or-later
// The exact report of every file in test/golden/conf: NAME.conf is read, NAME.err is what must be
// printed. A file whose report holds only warnings must give a model, any other must not.
// GOLDEN_WRITE=1 in the environment writes the .err files anew, for a person to read and judge.
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "gwd/base/buf.h"
#include "gwd/core/model.h"

static bool read_all(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "re");
	char chunk[4096];
	size_t n;
	if (!f)
		return false;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(out, chunk, n);
	fclose(f);
	return true;
}

static void write_all(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");
	cr_assert(f != NULL, "%s can't be written", path);
	fputs(text, f);
	fclose(f);
}

static bool has_error(const char *report)
{
	for (const char *line = report; *line; line = strchr(line, '\n') + 1) {
		size_t n = (size_t)(strchr(line, '\n') - line);
		if (!memmem(line, n, ": warning: ", 11))
			return true;
	}
	return false;
}

static void check_file(const char *conf)
{
	struct buf report = {0}, expected = {0};
	struct model *model = NULL;
	char err[300];
	snprintf(err, sizeof(err), "%.*s.err", (int)(strlen(conf) - strlen(".conf")), conf);
	int rc = conf_load(conf, &model, &report);
	if (getenv("GOLDEN_WRITE"))
		write_all(err, buf_text(&report));
	cr_expect(read_all(err, &expected), "%s is missing", err);
	cr_expect_str_eq(buf_text(&report), buf_text(&expected), "%s: the report is\n%sand should be\n%s",
			 conf, buf_text(&report), buf_text(&expected));
	bool bad = has_error(buf_text(&report));
	cr_expect(rc == (bad ? -EINVAL : 0), "%s: returned %d", conf, rc);
	cr_expect((model == NULL) == bad, "%s: a model exactly where there is no error", conf);
	model_free(model);
	buf_free(&report);
	buf_free(&expected);
}

static int is_conf(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');
	return dot && strcmp(dot, ".conf") == 0;
}

Test(conf_golden, reports)
{
	struct dirent **all;
	cr_assert(chdir("test/golden/conf") == 0, "run the tests from the top of the tree");
	int n = scandir(".", &all, is_conf, alphasort);
	cr_assert(n >= 60, "only %d golden files found", n);
	for (int i = 0; i < n; i++) {
		check_file(all[i]->d_name);
		free(all[i]);
	}
	free(all);
}
