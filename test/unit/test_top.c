// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/top_view.h"

static void take(struct top_view *view, const char *names, double rx)
{
	struct buf json = {0};
	struct err err = {""};
	buf_puts(&json, "{\"gateways\":[");
	for (const char *name = names; *name; name++)
		buf_printf(&json,
			   "%s{\"name\":\"%c\",\"state\":\"up\",\"latency_ms\":7.1,\"loss\":0.0,\"weight\":1,"
			   "\"flows\":812,\"rx_bps\":%f,\"tx_bps\":0,\"interface\":\"eth1\"}",
			   name > names ? "," : "", *name, rx);
	buf_puts(&json, "]}");
	cr_assert_eq(top_view_take(view, buf_text(&json), &err), 0, "%s", err.text);
	buf_free(&json);
}

static void expect(const struct top_view *view, size_t lines, const char *picture)
{
	struct buf out = {0};
	top_view_draw(view, lines, &out);
	cr_expect_str_eq(buf_text(&out), picture, "%s", buf_text(&out));
	buf_free(&out);
}

Test(top, shows_every_gateway_with_its_curves)
{
	struct top_view *view = top_view_new(false);
	for (int i = 0; i < 16; i++) // the highest of four counts
		take(view, "ab", i < 8 ? 0 : i < 12 ? 4e6 : i == 14 ? 8e6 : 1e6);
	expect(view, 20,
	       "gwd, the last 2 minutes, bits per second; q ends\n"
	       "GATEWAY  STATE  LATENCY  LOSS  WEIGHT  FLOWS    RX  TX  VIA\n"
	       "a        up      7.1 ms    0%       1    812  1.0M   0  eth1\n"
	       "  rx                           __=#   tx                           ____\n"
	       "b        up      7.1 ms    0%       1    812  1.0M   0  eth1\n"
	       "  rx                           __=#   tx                           ____\n");
	expect(view, 2,
	       "gwd, the last 2 minutes, bits per second; q ends\n"
	       "GATEWAY  STATE  LATENCY  LOSS  WEIGHT  FLOWS    RX  TX  VIA\n");
	top_view_free(view);
}

Test(top, forgets_what_is_older_and_who_is_gone)
{
	struct top_view *view = top_view_new(true);
	take(view, "ab", 8e6);
	for (int i = 0; i < TOP_SAMPLES; i++)
		take(view, "b", i == 60 ? 2e3 : 0);
	expect(view, 20,
	       "gwd, the last 2 minutes, bits per second; q ends\n"
	       "GATEWAY  STATE  LATENCY  LOSS  WEIGHT  FLOWS  RX  TX  VIA\n"
	       "b        up      7.1 ms    0%       1    812   0   0  eth1\n"
	       "  rx ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁█▁▁▁▁▁▁▁▁▁▁▁▁▁▁   tx ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁\n");
	top_view_free(view);
}

Test(top, takes_no_other_answer)
{
	struct top_view *view = top_view_new(true);
	struct err err = {""};
	cr_expect_lt(top_view_take(view, "{}", &err), 0);
	cr_expect_lt(top_view_take(view, "[", &err), 0);
	cr_expect_str_eq(err.text, "gwd's answer is no status");
	top_view_free(view);
}
