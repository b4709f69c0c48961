// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/bench/news.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "test/bench/bench.h"

void news_open(struct news *news, struct lab *lab, bool gwd)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	*news = (struct news){
		.lab = lab,
		.told = lab_path(lab, "told"),
		.wall_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 - lab_now_ms(),
		.gwd = gwd,
	};
}

const char *news_recorder(struct news *news)
{
	const char *script =
		lab_file(news->lab, "tell", "#!/bin/sh\necho \"$(date +%%s%%N) $1 $2\" >>%s\n", news->told);
	lab_do(lab_router(news->lab), "chmod 755 %s && : >%s", script, news->told);
	return script;
}

// "2026-01-01T00:00:00.000Z"
static int64_t news_time(const char *text)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	return rest ? timegm(&tm) * 1000 + (int64_t)(strtod(rest, NULL) * 1000 + 0.5) : 0;
}

static bool news_understand(const char *line, int64_t *wall_ms, char state[16], int *link)
{
	char date[32];
	long long ns;
	if (sscanf(line,
		   "{\"time\":\"%31[^\"]\",\"kind\":\"gateway\",\"name\":\"g%d\",\"old\":\"%*[^\"]\","
		   "\"new\":\"%15[^\"]\"",
		   date, link, state) == 3) {
		*wall_ms = news_time(date);
		return true;
	}
	if (sscanf(line, "%lld %15s g%d", &ns, state, link) != 3)
		return false;
	*wall_ms = ns / 1000000;
	return true;
}

static char *news_read(struct news *news)
{
	char *text = NULL;
	if (news->gwd)
		bench_gwctl(news->lab, lab_router(news->lab), &text, "-j events");
	else
		lab_run(lab_router(news->lab), &text, "cat %s", news->told);
	return text;
}

size_t news_heard(struct news *news, const char *wanted, int64_t since_ms, int64_t when_ms[], int links)
{
	char *text = news_read(news), *rest = text, *line, state[16];
	size_t n = 0;
	int64_t wall_ms;
	int link;
	memset(when_ms, 0, ((size_t)links + 1) * sizeof(*when_ms));
	while ((line = strsep(&rest, "\n"))) {
		if (!news_understand(line, &wall_ms, state, &link) || strcmp(state, wanted) != 0 ||
		    link < 1 || link > links || wall_ms - news->wall_ms < since_ms - 1 || when_ms[link])
			continue;
		when_ms[link] = wall_ms - news->wall_ms;
		n++;
	}
	free(text);
	return n;
}
