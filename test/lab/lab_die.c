// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_die: one sentence and the end. See the header for why the lab has no error returns.
 */
#include "test/lab/lab_die.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lab_die(const char *format, ...)
{
	va_list args;

	fputs("lab: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\n", stderr);
	abort();
}

int lab_must(int result, const char *what)
{
	if (result < 0)
		lab_die("%s: %s", what, strerror(errno));
	return result;
}

void *lab_alloc(unsigned long count, unsigned long size)
{
	void *memory = calloc(count, size);

	if (!memory)
		lab_die("out of memory");
	return memory;
}
