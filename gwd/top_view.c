// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/top_view.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "gwd/figure.h"
#include "gwd/table.h"

#define CELL_SAMPLES (TOP_SAMPLES / TOP_CELLS)

struct top_curve {
	double sample[TOP_SAMPLES]; // a ring
	size_t n;                   // in all
};

struct top_gateway {
	char name[MODEL_NAME_MAX + 1];
	struct top_curve rx, tx;
	bool seen;
};

struct top_view {
	bool utf8;
	json_t *status; // the last one
	VEC(struct top_gateway) gateways;
};

struct top_view *top_view_new(bool utf8)
{
	struct top_view *view = xcalloc(1, sizeof(*view));
	view->utf8 = utf8;
	return view;
}

void top_view_free(struct top_view *view)
{
	json_decref(view->status);
	vec_free(&view->gateways);
	free(view);
}

// ---- taking ----------------------------------------------------------------------------------

static double number(const json_t *object, const char *key) // negative: null
{
	const json_t *value = json_object_get(object, key);
	return json_is_number(value) ? json_number_value(value) : -1;
}

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "-";
}

static struct top_gateway *view_gateway(struct top_view *view, const char *name)
{
	struct top_gateway *gw;
	vec_each(&view->gateways, old)
		if (!strcmp(old->name, name))
			return old;
	vec_add(&view->gateways, gw);
	snprintf(gw->name, sizeof(gw->name), "%s", name);
	return gw;
}

static void curve_add(struct top_curve *curve, double value)
{
	curve->sample[curve->n++ % TOP_SAMPLES] = value;
}

int top_view_take(struct top_view *view, const char *json, struct err *err)
{
	json_t *status = json_loads(json, 0, NULL), *entry;
	size_t i, kept = 0;
	if (!json_is_array(json_object_get(status, "gateways"))) {
		json_decref(status);
		return err_set(err, EBADMSG, "gwd's answer is no status");
	}
	json_decref(view->status);
	view->status = status;
	vec_each(&view->gateways, gw)
		gw->seen = false;
	json_array_foreach(json_object_get(status, "gateways"), i, entry)
	{
		struct top_gateway *gw = view_gateway(view, word(entry, "name"));
		gw->seen = true;
		curve_add(&gw->rx, number(entry, "rx_bps"));
		curve_add(&gw->tx, number(entry, "tx_bps"));
	}
	for (i = 0; i < view->gateways.n; i++) // a reload may have taken some away
		if (view->gateways.v[i].seen)
			view->gateways.v[kept++] = view->gateways.v[i];
	view->gateways.n = kept;
	return 0;
}

// ---- drawing ---------------------------------------------------------------------------------

// The highest of each cell's samples, the newest cell last; negative: there was none yet.
static double curve_cell(const struct top_curve *curve, size_t cell)
{
	double highest = -1;
	size_t age = (TOP_CELLS - cell) * CELL_SAMPLES; // of its oldest sample, counted from 1
	for (size_t i = 0; i < CELL_SAMPLES; i++, age--)
		if (age <= curve->n && curve->sample[(curve->n - age) % TOP_SAMPLES] > highest)
			highest = curve->sample[(curve->n - age) % TOP_SAMPLES];
	return highest;
}

static void put_curve(const struct top_view *view, const struct top_curve *curve, struct buf *out)
{
	static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const ascii[] = {"_", ".", ":", "-", "=", "+", "*", "#"};
	const char *const *steps = view->utf8 ? blocks : ascii;
	double highest = 1;
	for (size_t i = 0; i < TOP_CELLS; i++)
		if (curve_cell(curve, i) > highest)
			highest = curve_cell(curve, i);
	for (size_t i = 0; i < TOP_CELLS; i++) {
		double value = curve_cell(curve, i);
		size_t step = value > 0 ? (size_t)(value / highest * 7 + 0.5) : 0;
		buf_puts(out, value < 0 ? " " : steps[step]);
	}
}

static void put_curves(const struct top_view *view, const struct top_gateway *gw, struct buf *out)
{
	buf_puts(out, "  rx ");
	put_curve(view, &gw->rx, out);
	buf_puts(out, "   tx ");
	put_curve(view, &gw->tx, out);
	buf_puts(out, "\n");
}

static void put_row(struct table *t, const json_t *gw)
{
	char text[FIGURE_TEXT];
	table_row(t);
	table_cell(t, "%s", word(gw, "name"));
	table_cell(t, "%s", word(gw, "state"));
	table_cell(t, "%s", figure_latency(number(gw, "latency_ms"), text));
	table_cell(t, "%s", figure_share(number(gw, "loss"), text));
	table_cell(t, "%s", figure_count((int64_t)number(gw, "weight"), text));
	table_cell(t, "%s", figure_count((int64_t)number(gw, "flows"), text));
	table_cell(t, "%s", figure_amount(number(gw, "rx_bps"), text));
	table_cell(t, "%s", figure_amount(number(gw, "tx_bps"), text));
	table_cell(t, "%s", word(gw, "interface"));
}

static void put_table(const struct top_view *view, struct buf *out)
{
	static const char *const titles[] = {"GATEWAY", "STATE", "LATENCY", "LOSS", "WEIGHT",
					     "FLOWS",   "RX",    "TX",      "VIA"};
	struct table t = {0};
	json_t *entry;
	size_t i;
	for (i = 0; i < ARRAY_SIZE(titles); i++)
		table_column(&t, i < 2 || i == 8 ? TABLE_LEFT : TABLE_RIGHT, titles[i]);
	json_array_foreach(json_object_get(view->status, "gateways"), i, entry) put_row(&t, entry);
	table_print(&t, TABLE_WIDTH, out);
	table_free(&t);
}

// A gateway's curves stand below its row. (A name too long for its column has a line of its own before it.)
static void put_picture(const struct top_view *view, struct buf *out)
{
	struct buf table = {0};
	size_t next = 0;
	put_table(view, &table);
	for (const char *line = buf_text(&table), *end; *line; line = end) {
		end = line + strcspn(line, "\n") + 1;
		buf_add(out, line, (size_t)(end - line));
		bool title = line == table.text;
		const char *behind = line + strcspn(line, " \n");
		bool alone = *behind == '\n';
		if (!title && !alone && next < view->gateways.n)
			put_curves(view, &view->gateways.v[next++], out);
	}
	buf_free(&table);
}

void top_view_draw(const struct top_view *view, size_t max_lines, struct buf *out)
{
	struct buf all = {0};
	buf_printf(&all, "gwd, the last %d minutes, bits per second; q ends\n", TOP_SAMPLES / 60);
	put_picture(view, &all);
	const char *end = buf_text(&all);
	for (size_t i = 0; i < max_lines && *end; i++)
		end += strcspn(end, "\n") + 1;
	buf_add(out, buf_text(&all), (size_t)(end - buf_text(&all)));
	buf_free(&all);
}
