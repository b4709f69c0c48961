// SPDX-License-Identifier: GPL-2.0-or-later
// monitor: one checker for each gateway and family that is meant to work, kept in step with the
// model and the facts.
//
// The engine calls it: monitor_update() after a reload or when facts changed, monitor_verdict()
// when it builds a plan. Health is carried over a reload by the gateway's name.
#ifndef GWD_MONITOR_H
#define GWD_MONITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "gwd/base/addr.h"

struct checker;
struct checker_binding;
struct event_base;
struct facts;
struct ids;
struct model;
struct model_probe;
struct monitor;
struct prober_set;
struct verdict;

// `changed` is called from the event loop when a verdict changed in a way that matters to anybody, with the
// name of whom it is about.
struct monitor *monitor_new(struct event_base *base, void (*changed)(void *arg, const char *name), void *arg);
void monitor_free(struct monitor *monitor); // NULL is fine

// Starts and rebinds checkers. Cheap when nothing changed. Those of gateways that are not in the model any more go
// on, with what they know, until monitor_drop_unseen(): the kernel may yet refuse this model.
void monitor_update(struct monitor *monitor, const struct model *model, const struct facts *facts,
		    const struct ids *ids);

void monitor_drop_unseen(struct monitor *monitor);

// A checker of anything else (real_monitor.c), whose news go where the gateways' go. The caller's.
struct checker *monitor_checker(struct monitor *monitor, const char *name,
				const struct model_probe *const *probes, size_t n_probes, unsigned need,
				const struct checker_binding *binding);

struct prober_set *monitor_probers(const struct monitor *monitor);

// By gateway name; never NULL. Where nothing is probed in this family, the other family's verdict
// counts, and without that one the state is unknown. Valid until the monitor changes.
const struct verdict *monitor_verdict(const struct monitor *monitor, const char *gateway, enum fam fam);

// Something hints that it is dead: it is probed at once.
void monitor_suspect(struct monitor *monitor, const char *gateway, enum fam fam);

// `nothing_usable`: no gateway of the family is, so the first one to answer serves at once.
void monitor_set_urgent(struct monitor *monitor, enum fam fam, bool nothing_usable);

#endif
