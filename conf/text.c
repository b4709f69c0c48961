// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/lex.h"
#include "gwd/base/alloc.h"
#include "gwd/base/buf.h"

#define FILE_SIZE_MAX (16u << 20) // a thousand services of a hundred reals take 6
#define DEPTH_MAX 10              // of includes; libconfuse's own limit
#define FILES_MAX 100             // so that ten files that include each other twice come to an end

void text_init(struct text *text, struct arena *arena, struct report *report)
{
	*text = (struct text){.arena = arena, .report = report};
}

void text_free(struct text *text)
{
	vec_free(&text->tokens);
	vec_free(&text->open);
}

// Reads what is behind `fd` into `out`. A main file may be a pipe (`gwd -t -c <(generate)`).
static int read_all(int fd, struct buf *out)
{
	char chunk[16384];
	ssize_t n;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		buf_add(out, chunk, (size_t)n);
		if (out->n > FILE_SIZE_MAX)
			return -EFBIG;
	}
	return n < 0 ? -errno : 0;
}

static void lex_opened(struct text *text, struct text_file file, const char *bytes, size_t size)
{
	vec_push(&text->open, file);
	lex(text, file.file, bytes, size);
	text->open.n--;
}

static int read_file(const char *path, bool only_regular, struct buf *bytes, struct text_file *file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | (only_regular ? O_NONBLOCK : 0));
	if (fd < 0)
		return -errno;
	struct stat st = {0};
	int rc = fstat(fd, &st) < 0 ? -errno : 0;
	if (!rc && S_ISDIR(st.st_mode))
		rc = -EISDIR;
	if (!rc && only_regular && !S_ISREG(st.st_mode))
		rc = -EINVAL;
	if (!rc)
		rc = read_all(fd, bytes);
	close(fd);
	*file = (struct text_file){.dev = st.st_dev, .ino = st.st_ino};
	return rc;
}

static const char *why(int rc)
{
	if (rc == -EINVAL)
		return "Not a file";
	if (rc == -EFBIG)
		return "More than 16 MiB";
	return strerror(-rc);
}

int text_read(struct text *text, const char *path)
{
	struct buf bytes = {0};
	struct text_file file;
	unsigned number = report_file(text->report, path);
	int rc = read_file(path, false, &bytes, &file);
	if (rc) {
		report_error(text->report, (struct place){.file = number}, "configuration",
			     "can't be read: %s", why(rc));
	} else {
		file.file = number;
		lex_opened(text, file, buf_text(&bytes), bytes.n);
	}
	buf_free(&bytes);
	return rc;
}

void text_scan(struct text *text, const char *name, const char *bytes, size_t size)
{
	struct text_file file = {.file = report_file(text->report, name)};
	lex_opened(text, file, bytes, size);
}

static bool is_open(const struct text *text, const struct text_file *file)
{
	vec_each(&text->open, f)
		if (f->dev == file->dev && f->ino == file->ino)
			return true;
	return false;
}

static const char *beside(struct text *text, unsigned file, const char *name)
{
	const char *includer = text->report->files.v[file];
	const char *slash = strrchr(includer, '/');
	if (name[0] == '/' || !slash)
		return name;
	return arena_printf(text->arena, "%.*s%s", (int)(slash - includer + 1), includer, name);
}

void text_include(struct text *text, struct place at, const char *name)
{
	struct buf bytes = {0};
	struct text_file file;
	const char *path = beside(text, at.file, name);
	bool too_many = text->open.n > DEPTH_MAX || text->report->files.n >= FILES_MAX;
	int rc = too_many ? 0 : read_file(path, true, &bytes, &file);
	if (too_many) {
		report_error(text->report, at, NULL, "include: more than %d files deep or %d in all",
			     DEPTH_MAX, FILES_MAX);
	} else if (rc) {
		report_error(text->report, at, NULL, "include: %s can't be read: %s", path, why(rc));
	} else if (is_open(text, &file)) {
		report_error(text->report, at, NULL,
			     "include: %s includes itself, directly or through another file", path);
	} else {
		file.file = report_file(text->report, path);
		lex_opened(text, file, buf_text(&bytes), bytes.n);
	}
	text->lost |= rc || too_many;
	buf_free(&bytes);
}
