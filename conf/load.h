// SPDX-License-Identifier: GPL-2.0-or-later
// load: libconfuse's tree as a model: every value parsed, every default filled in, every reference
// an index. What is wrong goes into the report; the model is then whole in shape, so that check can
// still run over it, but must not be used.
//
// The i-th section of a kind is the i-th element of the model's array. What the file leaves out and
// the model promises is added behind: the probe `next-hop` when a gateway names no probes, the
// balance `default`. A section of that name takes the place of either.
#ifndef GWD_CONF_LOAD_H
#define GWD_CONF_LOAD_H

#include "conf/read.h"
#include "conf/tree.h"

struct model;
struct report;

#define LOAD_DEFAULT_BALANCE "default"
#define LOAD_DEFAULT_PROBE "next-hop"
#define LOAD_WEIGHT_MAX 65535
#define LOAD_SLOW_START_MS 10000 // of a gateway
#define LOAD_SLOW_START_MAX_MS 3600000

struct loader {
	const struct tree *tree;
	struct report *report;
	struct model *model;
	struct section root;
	struct names probes, gateways, balances; // as in the model's arrays
	bool lan_whole;    // nothing in it was refused, so what is not there is not inside
	bool *rules_whole; // the same of each rule: a refused selector makes it match too much
};

struct model *load(struct loader *ld, const struct tree *tree, const char *path, struct report *report);

// For the parts of load and for check: the i-th section of a kind at the top level.
struct reader load_section(const struct loader *ld, const char *kind, size_t i);
size_t load_count(const struct loader *ld, const char *kind);

// Titles of all sections of a kind, and `extra` (or NULL) behind them unless it is one of them.
struct names load_names(const struct loader *ld, const char *kind, const char *extra);

void load_probes(struct loader *ld);   // load_probe.c
void load_balances(struct loader *ld); // load_balance.c
void load_rules(struct loader *ld);    // load_rule.c

#endif
