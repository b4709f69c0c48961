// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/figure.h"

#include <stdio.h>
#include <time.h>

const char *figure_age(int64_t ms, char text[FIGURE_TEXT])
{
	long long s = ms > 0 ? ms / 1000 : 0;
	if (s < 60)
		snprintf(text, FIGURE_TEXT, "%llds", s);
	else if (s < 3600)
		snprintf(text, FIGURE_TEXT, "%lldm%02llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, FIGURE_TEXT, "%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		snprintf(text, FIGURE_TEXT, "%lldd%02lldh", s / 86400, s / 3600 % 24);
	return text;
}

// As the configuration writes it: the largest unit that divides it.
const char *figure_duration(unsigned ms, char text[FIGURE_TEXT])
{
	static const struct {
		unsigned ms;
		const char *unit;
	} units[] = {{3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
	size_t u = 0;
	while (ms % units[u].ms)
		u++;
	snprintf(text, FIGURE_TEXT, "%u%s", ms / units[u].ms, units[u].unit);
	return text;
}

const char *figure_amount(double value, char text[FIGURE_TEXT])
{
	static const char unit[] = {0, 'k', 'M', 'G', 'T', 'P', 'E'};
	size_t u = 0;
	if (value < 0)
		return "-";
	for (; value >= 999.5 && u + 1 < sizeof(unit); u++)
		value /= 1000;
	snprintf(text, FIGURE_TEXT, u && value < 99.95 ? "%.1f%c" : "%.0f%c", value, unit[u]);
	return text;
}

const char *figure_latency(double ms, char text[FIGURE_TEXT])
{
	if (ms < 0)
		return "-";
	snprintf(text, FIGURE_TEXT, ms < 0.995 ? "%.2f ms" : ms < 9.95 ? "%.1f ms" : "%.0f ms", ms);
	return text;
}

const char *figure_share(double share, char text[FIGURE_TEXT])
{
	if (share < 0)
		return "-";
	snprintf(text, FIGURE_TEXT, "%.0f%%", share * 100);
	return text;
}

const char *figure_count(int64_t n, char text[FIGURE_TEXT])
{
	if (n < 0)
		return "-";
	snprintf(text, FIGURE_TEXT, "%lld", (long long)n);
	return text;
}

const char *figure_date(int64_t wall_s, char text[FIGURE_TEXT])
{
	time_t then = (time_t)wall_s;
	struct tm tm;
	gmtime_r(&then, &tm);
	strftime(text, FIGURE_TEXT, "%Y-%m-%d %H:%M:%S UTC", &tm);
	return text;
}
