// SPDX-License-Identifier: GPL-2.0-or-later
// doctor: what on this host would keep gwd from working, each with its remedy.
//
// doctor_collect() reads the host (files, nftables, conntrack); doctor_judge() is pure: what was read, the plan and the
// facts in, findings out. A check is a function in doctor.c, and what it needs of the host a field of doctor_host.
#ifndef GWD_DOCTOR_H
#define GWD_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/vec.h"
#include "gwd/core/model.h"
#include "nft/foreign.h"

struct buf;
struct engine;
struct err;
struct facts;
struct plan;

// A line "key = value" of a file of sysctl.d(5).
struct doctor_setting {
	char file[96];
	char path[96]; // as plan_sysctl.path
	char value[32];
};

// New flows whose client could not be pinned (gwd/unpinned.h).
struct doctor_unpinned {
	char balance[MODEL_NAME_MAX + 1];
	uint64_t flows;
};

struct doctor_module {
	char name[32];
};

struct doctor_host {
	VEC(struct doctor_setting) settings; // of the files, in the order in which they count
	VEC(struct doctor_setting) kernel;   // of what the plan wants: the value now; no file
	struct foreign foreign;
	VEC(struct doctor_unpinned) unpinned; // of balances that have any
	uint64_t flows, flows_max;            // of conntrack; max 0: not known
	uint64_t insert_failed, dropped;      // since the start of the kernel
	bool legacy;                          // iptables-legacy has tables
	VEC(struct doctor_module) modules;    // that are loaded, of netfilter: what is built in is none
};

struct doctor_finding {
	char *what, *remedy;
};

struct doctor {
	VEC(struct doctor_finding) findings;
};

// Fills `host` (give it zeroed). What can't be read is left out, and said in `doctor`.
void doctor_collect(struct doctor_host *host, struct doctor *doctor, const struct engine *engine);
void doctor_host_free(struct doctor_host *host);

void doctor_judge(struct doctor *doctor, const struct doctor_host *host, const struct model *model,
		  const struct plan *plan, const struct facts *facts);
void doctor_free(struct doctor *doctor);

void doctor_find(struct doctor *doctor, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// A line of sysctl.d(5) or sysctl.conf(5). False: it sets nothing.
bool doctor_parse_setting(const char *line, struct doctor_setting *setting);

void doctor_text(const struct doctor *doctor, struct buf *out);
void doctor_json(const struct doctor *doctor, struct buf *out);

#endif
