// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/nearest.h"
#include "conf/text.h"
#include "conf/values.h"
#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/core/model.h"

#define SHOWN_MAX 60 // characters of a wrong value in a message

void read_refuse(const struct reader *r, const char *option, const struct token *value, const struct err *err)
{
	const char *text = *value->text ? value->text : "\"\"";
	bool cut = strlen(text) > SHOWN_MAX;
	report_error(r->report, value->at, tree_label(r->tree, &r->section), "%s = %.*s%s: %s", option,
		     SHOWN_MAX, text, cut ? "..." : "", err->text);
}

// The value if it is there and nobody complained about it yet.
static const struct token *usable(const struct reader *r, const char *option, size_t i)
{
	const struct token *value = tree_value(&r->section, option, i);
	return value && !value->broken ? value : NULL;
}

void read_number(const struct reader *r, const char *option, uint32_t min, uint32_t max, unsigned *out)
{
	struct err err;
	const struct token *value = usable(r, option, 0);
	if (value && value_number(value->text, min, max, out, &err))
		read_refuse(r, option, value, &err);
}

void read_duration(const struct reader *r, const char *option, uint32_t min_ms, uint32_t max_ms,
		   unsigned *out_ms)
{
	struct err err;
	const struct token *value = usable(r, option, 0);
	if (value && value_duration(value->text, min_ms, max_ms, out_ms, &err))
		read_refuse(r, option, value, &err);
}

static int parse_bool(const char *text, void *out, struct err *err)
{
	return value_bool(text, out, err);
}

void read_bool(const struct reader *r, const char *option, bool *out)
{
	read_value(r, option, parse_bool, out);
}

bool read_choice(const struct reader *r, const char *option, const struct read_choice *choice, size_t *out)
{
	struct err err;
	const struct token *value = usable(r, option, 0);
	if (!value)
		return false;
	int rc = value_choice(value->text, choice->names, choice->n, out, &err);
	if (rc)
		read_refuse(r, option, value, &err);
	return !rc;
}

bool read_value(const struct reader *r, const char *option,
		int (*parse)(const char *text, void *out, struct err *err), void *out)
{
	struct err err;
	const struct token *value = usable(r, option, 0);
	if (!value)
		return false;
	int rc = parse(value->text, out, &err);
	if (rc)
		read_refuse(r, option, value, &err);
	return !rc;
}

size_t read_list(const struct reader *r, const char *option, size_t size,
		 int (*parse)(const char *text, void *out, struct err *err), void **out)
{
	size_t n = 0, given = tree_values(&r->section, option);
	if (!given)
		return 0;
	char *all = arena_alloc(r->arena, given * size);
	for (size_t i = 0; i < given; i++) {
		struct err err;
		const struct token *value = usable(r, option, i);
		if (!value)
			continue;
		if (parse(value->text, all + n * size, &err))
			read_refuse(r, option, value, &err);
		else
			n++;
	}
	*out = all;
	return n;
}

static bool is_listed(const char *const *all, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i], text) == 0)
			return true;
	return false;
}

size_t read_strings(const struct reader *r, const char *option,
		    int (*check)(const char *text, struct err *err), const char ***out)
{
	size_t n = 0, given = tree_values(&r->section, option);
	const char **all = arena_alloc(r->arena, given * sizeof(*all));
	for (size_t i = 0; i < given; i++) {
		struct err err;
		const struct token *value = usable(r, option, i);
		if (!value)
			continue;
		if (check(value->text, &err))
			read_refuse(r, option, value, &err);
		else if (!is_listed(all, n, value->text))
			all[n++] = arena_strdup(r->arena, value->text);
	}
	*out = all;
	return n;
}

static int parse_prefix(const char *text, void *out, struct err *err)
{
	return value_prefix(text, out, err);
}

static int prefix_compare(const void *va, const void *vb)
{
	const struct prefix *a = va, *b = vb;
	int order = addr_compare(&a->addr, &b->addr);
	return order ? order : (int)a->len - (int)b->len;
}

size_t read_merge_prefixes(struct prefix *all, size_t n)
{
	size_t kept = 0;
	if (n)
		qsort(all, n, sizeof(*all), prefix_compare);
	for (size_t i = 0; i < n; i++) // what holds a prefix stands right before it
		if (!kept || !prefix_contains(&all[kept - 1], &all[i].addr))
			all[kept++] = all[i];
	return kept;
}

size_t read_prefixes(const struct reader *r, const char *option, struct prefix **out)
{
	void *list = NULL;
	size_t n = read_list(r, option, sizeof(**out), parse_prefix, &list);
	*out = list;
	return read_merge_prefixes(*out, n);
}

static int parse_ports(const char *text, void *out, struct err *err)
{
	return value_ports(text, out, err);
}

static int ports_compare(const void *va, const void *vb)
{
	const struct model_ports *a = va, *b = vb;
	return (int)a->first - (int)b->first;
}

size_t read_ports(const struct reader *r, const char *option, struct model_ports **out)
{
	void *list = NULL;
	size_t n = read_list(r, option, sizeof(**out), parse_ports, &list), kept = 0;
	struct model_ports *all = list;
	if (n)
		qsort(all, n, sizeof(*all), ports_compare);
	for (size_t i = 0; i < n; i++) {
		if (!kept || all[i].first > all[kept - 1].last + 1)
			all[kept++] = all[i];
		else if (all[i].last > all[kept - 1].last)
			all[kept - 1].last = all[i].last;
	}
	*out = all;
	return kept;
}

static bool find_name(const struct names *names, const char *name, size_t *out)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i], name) == 0) {
			*out = i;
			return true;
		}
	return false;
}

// The sentence about an unknown name. If one is almost the same it is taken for it from here on.
static bool explain_reference(const char *name, const char *kind, const struct names *names, size_t *out,
			      struct err *err)
{
	struct buf list = {0};
	const char *meant = nearest(name, names->v, names->n);
	nearest_list(&list, names->v, names->n);
	err_set(err, EINVAL, "there is no %s of this name (there is %s)%s%s%s", kind, buf_text(&list),
		meant ? ": did you mean " : "", meant ? meant : "", meant ? "?" : "");
	buf_free(&list);
	return meant && find_name(names, meant, out);
}

bool read_reference(const struct reader *r, const char *option, const struct token *value, const char *kind,
		    const struct names *names, size_t *out)
{
	if (value->broken)
		return false;
	bool found = find_name(names, value->text, out);
	if (!found && !r->tree->lost) { // else it may be in what was lost
		struct err err;
		found = explain_reference(value->text, kind, names, out, &err);
		read_refuse(r, option, value, &err);
	}
	return found;
}

bool read_title(const struct reader *r, const char *kind, const struct names *names, size_t *out)
{
	bool found = find_name(names, r->section.title, out);
	if (!found && !r->tree->lost) {
		struct err err;
		found = explain_reference(r->section.title, kind, names, out, &err);
		report_error(r->report, r->section.at, tree_label(r->tree, &r->section), "%s", err.text);
	}
	return found;
}
