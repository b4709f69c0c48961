// SPDX-License-Identifier: GPL-2.0-or-later
// load: libconfuse's tree as a model: every value parsed, every default filled in, every reference
// an index. What is wrong goes into the report; the model is then whole in shape, so that check can
// still run over it, but must not be used.
//
// The i-th section of a kind is the i-th element of the model's array. What the file leaves out and
// the model promises is added behind: the probe `next-hop` when a gateway names no probes, the
// probes `own-port` and `own-address` when a real does not; the balance `default`. A section of that name
// takes the place of each.
#ifndef GWD_CONF_LOAD_H
#define GWD_CONF_LOAD_H

#include "conf/read.h"
#include "conf/tree.h"
#include "gwd/core/model.h"

struct report;

#define LOAD_DEFAULT_BALANCE "default"
#define LOAD_DEFAULT_PROBE "next-hop"
#define LOAD_PORT_PROBE "own-port"       // a connection to a real's own port
#define LOAD_ADDRESS_PROBE "own-address" // an echo request to a real's own address
#define LOAD_IMPLICIT_PROBES 3
#define LOAD_WEIGHT_MAX 65535
#define LOAD_NEED_MAX 100        // of probes
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

// The probes that `option` of a section names, none twice, and how many of them must be up: `need`, or
// all.
struct load_judges {
	size_t *probes, n_probes;
	unsigned need;
	bool none; // `probes = none`, of a service or a real
};
void load_judges(const struct loader *ld, const struct reader *r, struct load_judges *out);

// The index of the probe of that name; it is made unless the file has one.
size_t load_implicit_probe(struct loader *ld, const char *name, enum probe_type type);

void load_require(const struct reader *r, const char *option, const char *example);

void load_probes(struct loader *ld);                                            // load_probe.c
void load_balances(struct loader *ld);                                          // load_balance.c
void load_rules(struct loader *ld);                                             // load_rule.c
void load_services(struct loader *ld);                                          // load_service.c
struct place load_listen_place(const struct reader *service_section, size_t i); // of model_service.listens

// load_real.c: the real, backup and sorry sections of a service, in the order of model_service.reals.
void load_reals(struct loader *ld, const struct reader *service_section, struct model_service *service);
struct reader load_real_section(const struct reader *service_section, size_t i);
void load_forward(const struct reader *r, enum forward *out);

#endif
