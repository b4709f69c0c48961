// SPDX-License-Identifier: GPL-2.0-or-later
// report: what was found in the configuration, kept until all of it is known, then printed in the
// order of files and lines.
//
// Every step of conf/ writes into one report; conf.c prints it. A message is printed in plain ASCII
// whatever the file contained, so it can go to a terminal or into JSON.
#ifndef GWD_CONF_REPORT_H
#define GWD_CONF_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "gwd/base/vec.h"

struct arena;
struct buf;

struct place {
	unsigned file; // index into report.files
	unsigned line; // 1..; 0: of the file as a whole
};

struct finding {
	struct place at;
	size_t order; // of discovery
	bool warning;
	const char *section; // "gateway fiber"; NULL: not known yet (report_locate)
	const char *text;
};

struct report {
	struct arena *arena;
	VEC(const char *) files; // in the order of reading
	VEC(struct finding) findings;
	unsigned errors, warnings;
	size_t located; // the findings before this one have their section
};

void report_init(struct report *report);
void report_free(struct report *report);

unsigned report_file(struct report *report, const char *name); // a new file; its index

// `section` may be NULL for a finding of a step that doesn't know sections yet.
void report_error(struct report *report, struct place at, const char *section, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void report_warning(struct report *report, struct place at, const char *section, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

// Gives `section` to those of the first `n` findings that were not located yet.
void report_locate(struct report *report, size_t n, const char *section);

void report_print(struct report *report, struct buf *out);

#endif
