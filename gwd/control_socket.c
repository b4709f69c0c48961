// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/control_socket.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gwd/base/err.h"
#include "gwd/base/log.h"

#define BACKLOG 64

static int make_directory(const char *path, struct err *err)
{
	char dir[sizeof(((struct control_socket *)0)->path)];
	snprintf(dir, sizeof(dir), "%s", path);
	char *slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return 0;
	*slash = 0;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_errno(err, errno, "can't make the directory %s", dir);
	return 0;
}

static int take_lock(struct control_socket *s, struct err *err)
{
	char path[sizeof(s->path) + 8];
	snprintf(path, sizeof(path), "%s.lock", s->path);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return err_errno(err, errno, "can't open %s", path);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	int rc = errno == EWOULDBLOCK ? err_set(err, EADDRINUSE, "another gwd runs on %s", s->path)
				      : err_errno(err, errno, "can't lock %s", path);
	close(s->lock_fd);
	s->lock_fd = -1;
	return rc;
}

// Whatever answers at the path although we hold the lock is no gwd of this configuration.
static bool is_answered(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return true;
	int rc = connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
	bool answered = rc == 0 || errno == EAGAIN;
	close(fd);
	return answered;
}

static int remove_stale(const struct sockaddr_un *addr, struct err *err)
{
	struct stat st;
	if (lstat(addr->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : err_errno(err, errno, "can't look at %s", addr->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, EEXIST, "%s exists and is not a socket", addr->sun_path);
	if (is_answered(addr))
		return err_set(err, EADDRINUSE, "another program answers on %s", addr->sun_path);
	if (unlink(addr->sun_path) < 0)
		return err_errno(err, errno, "can't remove the old socket %s", addr->sun_path);
	return 0;
}

static int bind_and_listen(struct control_socket *s, const struct sockaddr_un *addr, struct err *err)
{
	struct stat st;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return err_errno(err, errno, "can't make a socket");
	mode_t old = umask(0177); // ours alone until the group is set
	int rc = bind(s->fd, (const struct sockaddr *)addr, sizeof(*addr));
	int code = errno;
	umask(old);
	if (rc < 0)
		return err_errno(err, code, "can't make the socket %s", s->path);
	if (lstat(s->path, &st) < 0 || listen(s->fd, BACKLOG) < 0)
		return err_errno(err, errno, "can't listen on %s", s->path);
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return 0;
}

int control_socket_regroup(struct control_socket *s, const char *name, struct err *err)
{
	struct control_group group;
	control_group_find(&group, name);
	if (*name && !group.exists)
		log_warn("control", "this host has no group %s: only root may use gwctl", name);
	if (chown(s->path, (uid_t)-1, group.exists ? group.gid : getegid()) < 0)
		return err_errno(err, errno, "can't give %s to group %s", s->path, name);
	if (chmod(s->path, group.exists ? 0660 : 0600) < 0)
		return err_errno(err, errno, "can't set the mode of %s", s->path);
	s->group = group;
	return 0;
}

int control_socket_claim(struct control_socket *s, const char *path, struct err *err)
{
	*s = (struct control_socket){.fd = -1, .lock_fd = -1};
	if (!*path || strlen(path) >= sizeof(s->path))
		return err_set(err, ENAMETOOLONG, "the control socket's path must have 1 to %zu characters",
			       sizeof(s->path) - 1);
	snprintf(s->path, sizeof(s->path), "%s", path);
	int rc = make_directory(path, err);
	return rc < 0 ? rc : take_lock(s, err);
}

int control_socket_open(struct control_socket *s, const char *group, struct err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	assert(s->lock_fd >= 0 && s->fd < 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", s->path);
	int rc = remove_stale(&addr, err);
	if (rc == 0)
		rc = bind_and_listen(s, &addr, err);
	if (rc == 0)
		rc = control_socket_regroup(s, group, err);
	if (rc < 0)
		control_socket_close(s);
	return rc;
}

void control_socket_close(struct control_socket *s)
{
	struct stat st;
	// the file may be somebody else's by now
	if (s->ino && lstat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
		unlink(s->path);
	if (s->fd >= 0)
		close(s->fd);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	*s = (struct control_socket){.fd = -1, .lock_fd = -1};
}
