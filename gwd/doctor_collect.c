// SPDX-License-Identifier: GPL-2.0-or-later
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/err.h"
#include "gwd/core/plan.h"
#include "gwd/doctor.h"
#include "gwd/engine.h"
#include "gwd/sysctl.h"
#include "nft/conntrack.h"

static void collect_file(struct doctor_host *host, const char *path)
{
	char line[512];
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		struct doctor_setting setting;
		if (!doctor_parse_setting(line, &setting))
			continue;
		snprintf(setting.file, sizeof(setting.file), "%s", path);
		vec_push(&host->settings, setting);
	}
	if (file)
		fclose(file);
}

static void collect_files(struct doctor_host *host)
{
	static const char *const patterns[] = {"/usr/lib/sysctl.d/*.conf", "/run/sysctl.d/*.conf",
					       "/etc/sysctl.d/*.conf", "/etc/sysctl.conf"};
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		glob_t found;
		if (glob(patterns[i], 0, NULL, &found) != 0)
			continue;
		for (size_t k = 0; k < found.gl_pathc; k++)
			collect_file(host, found.gl_pathv[k]);
		globfree(&found);
	}
}

static void collect_sysctls(struct doctor_host *host, const struct plan *plan)
{
	vec_each(&plan->sysctls, want) {
		struct doctor_setting now = {.file = ""};
		memcpy(now.path, want->path, sizeof(now.path));
		if (sysctl_read(want->path, now.value, sizeof(now.value)) == 0)
			vec_push(&host->kernel, now);
	}
}

static uint64_t collect_number(const char *path)
{
	char text[32];
	return sysctl_read(path, text, sizeof(text)) == 0 ? strtoull(text, NULL, 10) : 0;
}

static bool collect_legacy(void)
{
	static const char *const paths[] = {"/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"};
	bool any = false;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		FILE *file = fopen(paths[i], "re");
		any |= file && fgetc(file) != EOF;
		if (file)
			fclose(file);
	}
	return any;
}

void doctor_collect(struct doctor_host *host, struct doctor *doctor, const struct engine *engine)
{
	static const char again[] = "try again; if it stays, see gwd's log";
	struct err err;
	collect_files(host);
	collect_sysctls(host, engine_applied(engine));
	host->flows = collect_number("net/netfilter/nf_conntrack_count");
	host->flows_max = collect_number("net/netfilter/nf_conntrack_max");
	host->legacy = collect_legacy();
	if (foreign_read(&host->foreign, engine_nft(engine), &err) < 0)
		doctor_find(doctor, again, "other programs' rules can't be read: %s", err.text);
	if (conntrack_read_drops(engine_conntrack(engine), &host->insert_failed, &host->dropped, &err) < 0)
		doctor_find(doctor, again, "conntrack's counters can't be read: %s", err.text);
}
