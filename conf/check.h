// SPDX-License-Identifier: GPL-2.0-or-later
// check: what only shows when the whole model is there: options that contradict each other, numbers
// that depend on other numbers, things nobody uses. Reads the model, writes into the report.
#ifndef GWD_CONF_CHECK_H
#define GWD_CONF_CHECK_H

struct loader;
struct reader;

void check(const struct loader *ld);

// Warns when the program can't be run now; NULL is fine.
void check_program(const struct reader *r, const char *option, const char *program);

void check_probes(const struct loader *ld);   // check_probe.c
void check_gateways(const struct loader *ld); // check_gateway.c
void check_rules(const struct loader *ld);    // check_rule.c
void check_loads(const struct loader *ld);    // check_load.c

#endif
