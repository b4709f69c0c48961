// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/client.h"

#include <errno.h>
#include <grp.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/request.h"

#define ANSWER_S 30 // gwd itself gives up on us after that

static int explain_connect(const char *path, int code, struct err *err)
{
	struct stat st;
	const struct group *group = NULL;
	switch (code) {
	case ENOENT:
	case ECONNREFUSED:
		return err_set(err, code, "no gwd answers on %s: is it running? systemctl status gwd", path);
	case EAGAIN:
		return err_set(err, code, "gwd on %s is too busy to answer", path);
	case EACCES:
		if (stat(path, &st) == 0 && (st.st_mode & 0060))
			group = getgrgid(st.st_gid);
		if (group)
			return err_set(err, code, "only root and members of group %s may use %s",
				       group->gr_name, path);
		return err_set(err, code, "only root may use %s", path);
	default:
		return err_errno(err, code, "can't connect to %s", path);
	}
}

static int connect_to(const char *path, struct err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = ANSWER_S};
	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(err, ENAMETOOLONG, "the socket's path is longer than %zu characters",
			       sizeof(addr.sun_path) - 1);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_errno(err, errno, "can't make a socket");
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int rc = explain_connect(path, errno, err);
		close(fd);
		return rc;
	}
	return fd;
}

// A gwd that refuses us answers and closes before it has read anything: so a failure to send, or a
// reset at the end, is no failure while there is an answer.
static void send_all(int fd, const struct buf *line)
{
	for (size_t sent = 0; sent < line->n;) {
		ssize_t n = send(fd, line->text + sent, line->n - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return;
		sent += n > 0 ? (size_t)n : 0;
	}
}

// 1: there was something; 0: the end.
static int receive(int fd, struct buf *answer, struct err *err)
{
	char part[65536];
	for (;;) {
		ssize_t n = recv(fd, part, sizeof(part), 0);
		if (n > 0) {
			buf_add(answer, part, (size_t)n);
			return 1;
		}
		if (n == 0 || errno == ECONNRESET)
			return 0;
		if (errno == EAGAIN)
			return err_set(err, ETIMEDOUT, "gwd took more than %d s to answer", ANSWER_S);
		if (errno != EINTR)
			return err_errno(err, errno, "can't read gwd's answer");
	}
}

struct answer_head {
	int exit, follow;
	size_t size;      // of the line, with its newline
	json_int_t bytes; // behind it
};

static int parse_head(const char *path, const struct buf *answer, struct answer_head *head, struct err *err)
{
	const char *text = buf_text(answer), *end = memchr(text, '\n', answer->n);
	json_t *root = end ? json_loadb(text, (size_t)(end - text), 0, NULL) : NULL;
	*head = (struct answer_head){.size = end ? (size_t)(end + 1 - text) : 0};
	int rc = json_unpack(root, "{s:i, s:I, s?b}", "exit", &head->exit, "bytes", &head->bytes, "follow",
			     &head->follow);
	json_decref(root);
	if (!answer->n)
		return err_set(err, EPIPE, "gwd on %s ended without an answer", path);
	if (rc < 0)
		return err_set(err, EPROTO, "what answers on %s is not gwd", path);
	return 0;
}

// Reads until the end, or until the answer proper is there and more is to follow.
static int receive_answer(int fd, const char *path, struct buf *answer, struct answer_head *head,
			  struct err *err)
{
	int more;
	while ((more = receive(fd, answer, err)) > 0)
		if (memchr(answer->text, '\n', answer->n) && !parse_head(path, answer, head, err) &&
		    head->follow && answer->n >= head->size + (size_t)head->bytes)
			return 0;
	int rc = more < 0 ? more : parse_head(path, answer, head, err);
	if (!rc && head->size + (size_t)head->bytes != answer->n)
		rc = err_set(err, EPIPE, "gwd's answer was cut short");
	return rc;
}

static int follow_on(int fd, struct buf *part, size_t skip, void (*follow)(const char *text, size_t n),
		     struct err *err)
{
	struct timeval for_ever = {0};
	int more;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &for_ever, sizeof(for_ever));
	follow(part->text + skip, part->n - skip);
	do {
		buf_clear(part);
		more = receive(fd, part, err);
		if (more > 0)
			follow(part->text, part->n);
	} while (more > 0);
	return more;
}

int client_ask(const char *path, const struct request *request, int *exit, struct buf *body,
	       void (*follow)(const char *text, size_t n), struct err *err)
{
	struct buf line = {0}, answer = {0};
	struct answer_head head;
	int fd = -1, rc = request_write(request, &line, err);
	if (rc < 0)
		goto out;
	rc = fd = connect_to(path, err);
	if (rc < 0)
		goto out;
	send_all(fd, &line);
	rc = receive_answer(fd, path, &answer, &head, err);
	if (rc < 0)
		goto out;
	*exit = head.exit;
	if (head.follow)
		rc = follow_on(fd, &answer, head.size, follow, err);
	else
		buf_add(body, answer.text + head.size, (size_t)head.bytes);
out:
	if (fd >= 0)
		close(fd);
	buf_free(&line);
	buf_free(&answer);
	return rc;
}
