// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/base/vec.h"
#include "gwd/core/plan.h"
#include "gwd/state_file.h"

#define SYSCTL_VALUE 64 // room for any value that we meet
#define SYSCTL_ROOT "/proc/sys/"

struct sysctl_kept {
	char path[96];
	char ours[SYSCTL_VALUE];   // what we set it to
	char before[SYSCTL_VALUE]; // what it was
};

struct sysctl {
	char *state_path;
	VEC(struct sysctl_kept) kept;
};

// ---- one setting ---------------------------------------------------------------------------------

static int sysctl_open_key(const char *path, int flags)
{
	char full[sizeof(SYSCTL_ROOT) + 96];
	snprintf(full, sizeof(full), SYSCTL_ROOT "%s", path);
	int fd = open(full, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int sysctl_read(const char *path, char *value, size_t size)
{
	int fd = sysctl_open_key(path, O_RDONLY);
	if (fd < 0)
		return fd;
	ssize_t n = read(fd, value, size - 1);
	int code = errno;
	close(fd);
	if (n < 0)
		return -code;
	value[n] = 0;
	value[strcspn(value, "\n")] = 0;
	return 0;
}

static int sysctl_write(const char *path, const char *value)
{
	int fd = sysctl_open_key(path, O_WRONLY);
	if (fd < 0)
		return fd;
	ssize_t n = write(fd, value, strlen(value));
	int code = errno;
	close(fd);
	return n < 0 ? -code : 0;
}

bool sysctl_holds(const struct plan_sysctl *want)
{
	char value[SYSCTL_VALUE];
	if (sysctl_read(want->path, value, sizeof(value)))
		return false;
	return !strcmp(value, want->value) || (want->only_if[0] && strcmp(value, want->only_if) != 0);
}

// ---- what was there before -----------------------------------------------------------------------

static bool sysctl_parse_kept(char *line, struct sysctl_kept *out)
{
	char *path = strtok(line, " \n"), *ours = strtok(NULL, " \n"), *before = strtok(NULL, "\n");
	if (!path || !ours || !before)
		return false;
	snprintf(out->path, sizeof(out->path), "%s", path);
	snprintf(out->ours, sizeof(out->ours), "%s", ours);
	snprintf(out->before, sizeof(out->before), "%s", before);
	return true;
}

static int sysctl_load(struct sysctl *sysctl, struct err *err)
{
	struct buf text = {0};
	int rc = state_file_read(sysctl->state_path, &text, err);
	for (char *line, *rest = text.text; (line = strsep(&rest, "\n"));) {
		struct sysctl_kept kept = {0};
		if (sysctl_parse_kept(line, &kept))
			vec_push(&sysctl->kept, kept);
	}
	buf_free(&text);
	return rc;
}

static int sysctl_save(const struct sysctl *sysctl, struct err *err)
{
	struct buf text = {0};
	vec_each(&sysctl->kept, kept)
		buf_printf(&text, "%s %s %s\n", kept->path, kept->ours, kept->before);
	int rc = state_file_write(sysctl->state_path, &text);
	buf_free(&text);
	return rc ? err_errno(err, -rc, "can't note the kernel's settings in %s", sysctl->state_path) : 0;
}

// Notes the value before it is changed: killed in between, we still know it.
static int sysctl_keep(struct sysctl *sysctl, const struct plan_sysctl *want, const char *before,
		       struct err *err)
{
	struct sysctl_kept *kept = NULL;
	vec_each(&sysctl->kept, old)
		if (!strcmp(old->path, want->path))
			kept = old; // the first value that was found is the one to go back to
	if (!kept) {
		vec_add(&sysctl->kept, kept);
		snprintf(kept->path, sizeof(kept->path), "%s", want->path);
		snprintf(kept->before, sizeof(kept->before), "%s", before);
	}
	snprintf(kept->ours, sizeof(kept->ours), "%s", want->value);
	return sysctl_save(sysctl, err);
}

// ---- what the engine asks for ----------------------------------------------------------------------

struct sysctl *sysctl_open(const char *state_path, struct err *err)
{
	struct sysctl *sysctl = xcalloc(1, sizeof(*sysctl));
	sysctl->state_path = xstrdup(state_path);
	if (sysctl_load(sysctl, err) < 0) {
		sysctl_close(sysctl);
		return NULL;
	}
	return sysctl;
}

void sysctl_close(struct sysctl *sysctl)
{
	if (!sysctl)
		return;
	vec_free(&sysctl->kept);
	free(sysctl->state_path);
	free(sysctl);
}

int sysctl_move(struct sysctl *sysctl, const char *state_path, struct err *err)
{
	char *old = sysctl->state_path;
	if (!strcmp(old, state_path))
		return 0;
	sysctl->state_path = xstrdup(state_path);
	int rc = sysctl_save(sysctl, err);
	if (rc) {
		free(sysctl->state_path);
		sysctl->state_path = old;
		return rc;
	}
	unlink(old);
	free(old);
	return 0;
}

int sysctl_apply(struct sysctl *sysctl, const struct plan_sysctl *want, struct err *err)
{
	char value[SYSCTL_VALUE];
	int rc = sysctl_read(want->path, value, sizeof(value));
	if (rc)
		return err_errno(err, -rc, "can't read %s, which must be %s %s", want->path, want->value,
				 want->why);
	if (sysctl_holds(want))
		return 0;
	size_t n_kept = sysctl->kept.n;
	rc = sysctl_keep(sysctl, want, value, err);
	if (rc)
		return rc;
	rc = sysctl_write(want->path, want->value);
	if (!rc)
		return 0;
	sysctl->kept.n = n_kept; // not ours to put back, should the operator set it by hand
	sysctl_save(sysctl, NULL);
	return err_errno(err, -rc, "%s is %s and must be %s %s, but can't be written", want->path, value,
			 want->value, want->why);
}

static int sysctl_put_back(const struct sysctl_kept *kept, struct err *err)
{
	char value[SYSCTL_VALUE];
	int rc = sysctl_read(kept->path, value, sizeof(value));
	if (rc == -ENOENT || (!rc && strcmp(value, kept->ours) != 0))
		return 0;
	if (!rc)
		rc = sysctl_write(kept->path, kept->before);
	return rc ? err_errno(err, -rc, "can't set %s back to %s", kept->path, kept->before) : 0;
}

int sysctl_restore(struct sysctl *sysctl, struct err *err)
{
	int first = 0;
	for (size_t i = sysctl->kept.n; i > 0; i--) { // the last one first
		struct err other;
		int rc = sysctl_put_back(&sysctl->kept.v[i - 1], first ? &other : err);
		first = first ? first : rc;
	}
	sysctl->kept.n = 0;
	if (unlink(sysctl->state_path) < 0 && errno != ENOENT && !first)
		first = err_errno(err, errno, "can't remove %s", sysctl->state_path);
	return first;
}
