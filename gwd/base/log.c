// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum log_level log_level = LOG_LEVEL_INFO;
static const char *log_topics[16];
static unsigned log_n_topics;

void log_set_level(enum log_level level)
{
	log_level = level;
}

bool log_raise_topic(const char *topic)
{
	if (log_n_topics == sizeof(log_topics) / sizeof(log_topics[0]))
		return false;
	log_topics[log_n_topics++] = topic;
	return true;
}

static bool log_wanted(enum log_level level, const char *topic)
{
	if (level <= log_level)
		return true;
	for (unsigned i = 0; i < log_n_topics; i++)
		if (!strcmp(log_topics[i], topic))
			return true;
	return false;
}

void log_print(enum log_level level, const char *topic, const char *fmt, ...)
{
	// journald reads the <N> in front as the syslog priority; a terminal would only show it
	static const char *const priority[] = {"<3>", "<4>", "<6>", "<7>"};
	static const char *const word[] = {"error: ", "warning: ", "", ""};
	if (!log_wanted(level, topic))
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
