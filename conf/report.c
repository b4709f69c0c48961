// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"

void report_init(struct report *report)
{
	*report = (struct report){.arena = arena_new()};
}

void report_free(struct report *report)
{
	vec_free(&report->files);
	vec_free(&report->findings);
	arena_free(report->arena);
}

unsigned report_file(struct report *report, const char *name)
{
	vec_push(&report->files, arena_strdup(report->arena, name));
	return (unsigned)report->files.n - 1;
}

static const char *printable(struct report *report, const char *text)
{
	char *copy = arena_strdup(report->arena, text);
	for (char *s = copy; *s; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
	return copy;
}

__attribute__((format(printf, 3, 0))) static void report_add(struct report *report, struct finding finding,
							     const char *fmt, va_list ap)
{
	char *text;
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	finding.order = report->findings.n;
	finding.text = printable(report, text);
	free(text);
	if (finding.section)
		finding.section = printable(report, finding.section);
	vec_push(&report->findings, finding);
}

void report_error(struct report *report, struct place at, const char *section, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	report_add(report, (struct finding){.at = at, .section = section}, fmt, ap);
	va_end(ap);
	report->errors++;
}

void report_warning(struct report *report, struct place at, const char *section, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	report_add(report, (struct finding){.at = at, .warning = true, .section = section}, fmt, ap);
	va_end(ap);
	report->warnings++;
}

void report_locate(struct report *report, size_t n, const char *section)
{
	for (; report->located < n; report->located++)
		if (!report->findings.v[report->located].section)
			report->findings.v[report->located].section = printable(report, section);
}

static int finding_compare(const void *va, const void *vb)
{
	const struct finding *a = va, *b = vb;
	if (a->at.file != b->at.file)
		return a->at.file < b->at.file ? -1 : 1;
	if (a->at.line != b->at.line)
		return a->at.line < b->at.line ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

void report_print(struct report *report, struct buf *out)
{
	// glibc's qsort() is a merge sort where memory allows, but its stability is no promise
	if (report->findings.n > 1)
		qsort(report->findings.v, report->findings.n, sizeof(struct finding), finding_compare);
	vec_each(&report->findings, f) {
		buf_puts(out, report->files.v[f->at.file]);
		if (f->at.line)
			buf_printf(out, ":%u", f->at.line);
		buf_printf(out, ": %s%s: %s\n", f->warning ? "warning: " : "",
			   f->section ? f->section : "global options", f->text);
	}
}
