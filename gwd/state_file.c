// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/state_file.h"

#include <errno.h>
#include <stdio.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"

int state_file_read(const char *path, struct buf *text, struct err *err)
{
	char part[4096];
	size_t n;
	FILE *file = fopen(path, "re");
	if (!file && errno == ENOENT)
		return 0;
	if (!file)
		return err_errno(err, errno, "can't read %s", path);
	while ((n = fread(part, 1, sizeof(part), file)) > 0)
		buf_add(text, part, n);
	fclose(file);
	return 0;
}

static int state_file_write_to(const char *path, const struct buf *text)
{
	FILE *file = fopen(path, "we");
	if (!file)
		return -errno;
	fputs(buf_text(text), file);
	return fclose(file) ? -errno : 0;
}

int state_file_write(const char *path, const struct buf *text)
{
	char fresh[4096];
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	int rc = state_file_write_to(fresh, text);
	if (!rc && rename(fresh, path) < 0)
		rc = -errno;
	return rc;
}
