// SPDX-License-Identifier: GPL-2.0-or-later
// check: what only shows when the whole model is there: options that contradict each other, numbers
// that depend on other numbers, things nobody uses. Reads the model, writes into the report.
#ifndef GWD_CONF_CHECK_H
#define GWD_CONF_CHECK_H

#include <stddef.h>

#include "conf/report.h"
#include "conf/tree.h"

struct loader;
struct reader;

// A finding about an option: on the line of its value, or that on which its section opens.
#define option_error(r, option, ...) \
	report_error((r)->report, tree_place(&(r)->section, option), tree_label((r)->tree, &(r)->section), \
		     __VA_ARGS__)
#define option_warning(r, option, ...) \
	report_warning((r)->report, tree_place(&(r)->section, option), tree_label((r)->tree, &(r)->section), \
		       __VA_ARGS__)

void check(const struct loader *ld);

// Warns when the program can't be run now; NULL is fine.
void check_program(const struct reader *r, const char *option, const char *program);

void check_probes(const struct loader *ld);         // check_probe.c
void check_gateways(const struct loader *ld);       // check_gateway.c
void check_rules(const struct loader *ld);          // check_rule.c
void check_loads(const struct loader *ld);          // check_load.c
void check_services(const struct loader *ld);       // check_service.c
void check_listens(const struct loader *ld);        // check_listen.c
void check_reals(const struct loader *ld);          // check_real.c
void check_fullnat(const struct loader *ld);        // check_fullnat.c
void check_vip_interfaces(const struct loader *ld); // check_vip.c

// Options about clients that are kept where nobody is.
void check_persistence(const struct reader *r, unsigned persistence_ms);

// More probes needed than the section lists, or than there are `otherwise`.
void check_need(const struct reader *r, unsigned need, size_t otherwise);

#endif
