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
#include "nft/nft.h"

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

struct collected_paths {
	VEC(char *) v;
};

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

static int compare_base_names(const void *a, const void *b)
{
	return strcmp(base_name(*(char *const *)a), base_name(*(char *const *)b));
}

// A file of a later directory is masked by one of its name before.
static void collect_paths(struct collected_paths *paths, const char *pattern)
{
	glob_t found;
	size_t before = paths->v.n;
	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		bool masked = false;
		for (size_t k = 0; k < before; k++)
			masked |= !strcmp(base_name(paths->v.v[k]), base_name(found.gl_pathv[i]));
		if (!masked)
			vec_push(&paths->v, xstrdup(found.gl_pathv[i]));
	}
	globfree(&found);
}

// In the order of sysctl.d(5): of two settings the later one counts.
static void collect_files(struct doctor_host *host)
{
	struct collected_paths paths = {0};
	collect_paths(&paths, "/etc/sysctl.d/*.conf");
	collect_paths(&paths, "/run/sysctl.d/*.conf");
	collect_paths(&paths, "/usr/lib/sysctl.d/*.conf");
	if (paths.v.n)
		qsort(paths.v.v, paths.v.n, sizeof(*paths.v.v), compare_base_names);
	vec_each(&paths.v, path) {
		collect_file(host, *path);
		free(*path);
	}
	vec_free(&paths.v);
	collect_file(host, "/etc/sysctl.conf");
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

static void collect_modules(struct doctor_host *host)
{
	char line[512];
	FILE *file = fopen("/proc/modules", "re");
	while (file && fgets(line, sizeof(line), file)) {
		struct doctor_module module;
		if (!strncmp(line, "nf_", 3) && sscanf(line, "%31s", module.name) == 1)
			vec_push(&host->modules, module);
	}
	if (file)
		fclose(file);
}

static void collect_counter(void *arg, const char *name, uint64_t packets, uint64_t bytes)
{
	static const char kind[] = "unpinned.";
	struct doctor_host *host = arg;
	struct doctor_unpinned unpinned = {.flows = packets};
	(void)bytes;
	if (!packets || strncmp(name, kind, strlen(kind)) != 0)
		return;
	snprintf(unpinned.balance, sizeof(unpinned.balance), "%s", name + strlen(kind));
	vec_push(&host->unpinned, unpinned);
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
	collect_modules(host);
	if (engine_applied(engine)->active &&
	    nft_read_counters(engine_nft(engine), collect_counter, host, &err) < 0)
		doctor_find(doctor, again, "gwd's counters can't be read: %s", err.text);
	if (foreign_read(&host->foreign, engine_nft(engine), &err) < 0)
		doctor_find(doctor, again, "other programs' rules can't be read: %s", err.text);
	if (conntrack_read_drops(engine_conntrack(engine), &host->insert_failed, &host->dropped, &err) < 0)
		doctor_find(doctor, again, "conntrack's counters can't be read: %s", err.text);
}
