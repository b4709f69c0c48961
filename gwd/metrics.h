// SPDX-License-Identifier: GPL-2.0-or-later
// metrics: the picture of status.h in the text format that Prometheus and its like scrape.
//
// Names and labels are an interface that dashboards rely on: add, never rename. Units are base units (seconds,
// bytes), totals end in _total; what is not known has no sample. Source: "Exposition formats", text format 0.0.4.
#ifndef GWD_METRICS_H
#define GWD_METRICS_H

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct buf;
struct status;

void metrics_text(const struct status *status, struct buf *out);

#endif
