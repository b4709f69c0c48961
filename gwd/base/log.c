// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static enum log_level log_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	log_level = level;
}

void log_print(enum log_level level, const char *topic, const char *fmt, ...)
{
	// journald reads the <N> in front as the syslog priority; a terminal would only show it
	static const char *const priority[] = {"<3>", "<4>", "<6>", "<7>"};
	static const char *const word[] = {"error: ", "warning: ", "", ""};
	if (level > log_level)
		return;
	char line[1024];
	int n = snprintf(line, sizeof(line), "%s%s: %s", isatty(STDERR_FILENO) ? "" : priority[level], topic,
			 word[level]);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s\n", line);
}
