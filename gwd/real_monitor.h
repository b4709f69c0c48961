// SPDX-License-Identifier: GPL-2.0-or-later
// real_monitor: the health of reals: one checker for each that has probes, asking the real itself, at its
// own port, by whatever way this host has to it. The gateways' part, and all that both share, is monitor.h;
// a probe that several reals have in common is put once (probes/check.h).
//
// A listener on this host (forward = local) is asked on the loopback interface: the service's own address
// would lead into the service.
#ifndef GWD_REAL_MONITOR_H
#define GWD_REAL_MONITOR_H

#include <stdbool.h>
#include <stddef.h>

#include "gwd/base/addr.h"

struct model;
struct model_probe;
struct model_real;
struct model_service;
struct monitor;
struct reals;

// After reals_configure(): starts, adapts and stops checkers, and sets the verdicts in reals->now.
void real_monitor_update(struct monitor *monitor, struct reals *reals, const struct model *model);

// `nothing_usable`: nobody of that service (by index) is, so the first one to answer serves at once.
void real_monitor_set_urgent(struct reals *reals, size_t service, bool nothing_usable);

// Whom that real's probes ask unless they name somebody.
struct addr real_monitor_target(const struct model_service *service, const struct model_real *real);

// The probe as it is put to that real: where it names no port, to the real's if that is known.
struct model_probe real_monitor_probe(const struct model_probe *probe, const struct model_service *service,
				      const struct model_real *real);

#endif
