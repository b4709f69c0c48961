// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/web_page.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "gwd/base/buf.h"
#include "gwd/base/mono.h"
#include "gwd/base/vec.h"
#include "gwd/engine.h"
#include "gwd/events.h"
#include "gwd/metrics.h"
#include "gwd/status.h"

#define LEAST_US 1000000
#define COST_TIMES 60 // there are three pages, which may each be asked for all the time
#define EVENTS_SHOWN 20

static void html_text(struct buf *out, const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c == '<')
			buf_puts(out, "&lt;");
		else if (*c == '>')
			buf_puts(out, "&gt;");
		else if (*c == '&')
			buf_puts(out, "&amp;");
		else
			buf_add(out, c, 1);
}

static void html_events(struct buf *out, const struct events *events)
{
	struct buf lines = {0};
	size_t n = events_count(events), first = n > EVENTS_SHOWN ? n - EVENTS_SHOWN : 0;
	for (size_t i = n; i-- > first;)
		change_text(events_at(events, i), &lines);
	if (n) {
		buf_puts(out, "<h2>Events, the last one first</h2>\n<pre>");
		html_text(out, buf_text(&lines));
		buf_puts(out, "</pre>\n");
	}
	buf_free(&lines);
}

static void page_html(const struct status *status, const struct engine *engine, struct buf *out)
{
	struct buf text = {0};
	char host[HOST_NAME_MAX + 1] = "";
	gethostname(host, sizeof(host) - 1);
	status_text(status, NULL, &text);
	buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		      "<meta http-equiv=\"refresh\" content=\"5\">\n<title>gwd on ");
	html_text(out, host);
	buf_puts(out, "</title>\n<style>body{margin:2em;font-family:sans-serif}pre{font-size:larger;"
		      "overflow-x:auto}h1,h2{font-size:large}</style></head>\n<body><h1>gwd on ");
	html_text(out, host);
	buf_puts(out, "</h1>\n<pre>");
	html_text(out, buf_text(&text));
	buf_puts(out, "</pre>\n");
	html_events(out, engine_events(engine));
	buf_puts(out, "<p><a href=\"/status.json\">status.json</a> <a href=\"/metrics\">metrics</a> "
		      "gwd " GWD_VERSION "</p>\n</body></html>\n");
	buf_free(&text);
}

static void page_json(const struct status *status, const struct engine *engine, struct buf *out)
{
	(void)engine;
	status_json(status, NULL, out);
}

static void page_metrics(const struct status *status, const struct engine *engine, struct buf *out)
{
	(void)engine;
	metrics_text(status, out);
}

static struct page {
	const char *path;
	void (*print)(const struct status *status, const struct engine *engine, struct buf *out);
	struct web_page page;
	struct buf body;
	int64_t until_us; // 0: nothing is kept
} pages[] = {
	{"/", page_html, {.type = "text/html; charset=utf-8"}},
	{"/status.json", page_json, {.type = "application/json"}},
	{"/metrics", page_metrics, {.type = METRICS_TYPE}},
};

struct making {
	struct page *page;
	const struct engine *engine;
};

static void make(void *arg, const struct status *status)
{
	const struct making *making = arg;
	making->page->print(status, making->engine, &making->page->body);
}

const struct web_page *web_page(const struct engine *engine, const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		struct page *page = &pages[i];
		int64_t now_us = mono_now_us(), cost_us;
		if (strcmp(path, page->path) != 0)
			continue;
		page->page.body = &page->body;
		if (now_us < page->until_us)
			return &page->page;
		buf_clear(&page->body);
		status_collect(engine, make, &(struct making){page, engine});
		cost_us = mono_now_us() - now_us;
		page->until_us = now_us + (cost_us * COST_TIMES > LEAST_US ? cost_us * COST_TIMES : LEAST_US);
		return &page->page;
	}
	return NULL;
}

int64_t web_page_tidy(void)
{
	int64_t now_us = mono_now_us(), wait_us = 0;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		int64_t left_us = pages[i].until_us - now_us;
		if (!pages[i].until_us)
			continue;
		if (left_us <= 0) {
			buf_free(&pages[i].body);
			pages[i].until_us = 0;
		} else if (!wait_us || left_us < wait_us) {
			wait_us = left_us;
		}
	}
	return wait_us;
}

void web_page_forget(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		buf_free(&pages[i].body);
		pages[i].until_us = 0;
	}
}
