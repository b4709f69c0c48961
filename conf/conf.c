// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/conf.h"

#include <errno.h>

#include "conf/check.h"
#include "conf/load.h"
#include "conf/report.h"
#include "conf/syntax.h"
#include "conf/text.h"
#include "conf/tree.h"
#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"
#include "gwd/core/model.h"

// From tokens to a model; NULL if there is any error.
static struct model *build(const struct text *text, const char *path)
{
	struct report *report = text->report;
	struct tree tree;
	struct loader ld;
	tree_read(&tree, syntax_read(text, text->arena, report), text->arena, report);
	tree.lost |= text->lost;
	struct model *model = load(&ld, &tree, path, report);
	check(&ld);
	if (report->errors) {
		model_free(model);
		return NULL;
	}
	return model;
}

struct source {
	const char *name;
	const char *bytes; // NULL: read the file
	size_t size;
};

static int conf_build(const struct source *source, struct model **out, struct buf *report_text)
{
	struct report report;
	struct text text;
	struct arena *arena = arena_new();
	report_init(&report);
	text_init(&text, arena, &report);
	int rc = 0;
	*out = NULL;
	if (source->bytes)
		text_scan(&text, source->name, source->bytes, source->size);
	else
		rc = text_read(&text, source->name);
	if (!rc)
		*out = build(&text, source->name);
	if (!rc && !*out)
		rc = -EINVAL;
	report_print(&report, report_text);
	text_free(&text);
	report_free(&report);
	arena_free(arena);
	return rc;
}

int conf_load(const char *path, struct model **out, struct buf *report)
{
	struct source source = {.name = path};
	return conf_build(&source, out, report);
}

int conf_load_text(const char *name, const char *text, size_t size, struct model **out, struct buf *report)
{
	struct source source = {.name = name, .bytes = text, .size = size};
	return conf_build(&source, out, report);
}
