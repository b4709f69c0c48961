// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_ns: creating namespaces, working inside them, and the two things done to interfaces so often (and
 * with a time stamp) that no program is started for them. Called by all of the lab.
 */
#include "test/lab/lab_ns.h"

#include "test/lab/lab_die.h"
#include "test/lab/lab_wait.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char own_ns[] = "/proc/thread-self/ns/net";

void lab_ns_create(struct lab_ns *ns, const char *name)
{
	int home = lab_must(open(own_ns, O_RDONLY | O_CLOEXEC), own_ns);

	lab_must(unshare(CLONE_NEWNET), "a new network namespace");
	ns->fd = lab_must(open(own_ns, O_RDONLY | O_CLOEXEC), own_ns);
	lab_ns_leave(home);
	snprintf(ns->name, sizeof(ns->name), "%s", name);
	snprintf(ns->path, sizeof(ns->path), "/proc/%d/fd/%d", getpid(), ns->fd);
}

void lab_ns_close(struct lab_ns *ns)
{
	if (ns->path[0])
		close(ns->fd);
	memset(ns, 0, sizeof(*ns));
}

int lab_ns_enter(const struct lab_ns *ns)
{
	int before = lab_must(open(own_ns, O_RDONLY | O_CLOEXEC), own_ns);

	lab_must(setns(ns->fd, CLONE_NEWNET), ns->name);
	return before;
}

void lab_ns_leave(int before)
{
	lab_must(setns(before, CLONE_NEWNET), "back to the namespace before");
	close(before);
}

void lab_ns_sysctl(const struct lab_ns *ns, const char *key, const char *value)
{
	int before = lab_ns_enter(ns);
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", key);
	fd = lab_must(open(path, O_WRONLY | O_CLOEXEC), path);
	lab_must((int)write(fd, value, strlen(value)), path);
	close(fd);
	lab_ns_leave(before);
}

/* A socket in `ns` to ask about its interfaces. */
static int link_socket(const struct lab_ns *ns, const char *ifname, struct ifreq *request)
{
	int before = lab_ns_enter(ns);
	int fd = lab_must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "a socket");

	lab_ns_leave(before);
	memset(request, 0, sizeof(*request));
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", ifname);
	return fd;
}

int64_t lab_ns_link_set(const struct lab_ns *ns, const char *ifname, bool up)
{
	struct ifreq request;
	int fd = link_socket(ns, ifname, &request);
	int64_t done;

	lab_must(ioctl(fd, SIOCGIFFLAGS, &request), ifname);
	if (up)
		request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
	else
		request.ifr_flags = (short)(request.ifr_flags & ~IFF_UP);
	lab_must(ioctl(fd, SIOCSIFFLAGS, &request), ifname);
	done = lab_now_ms();
	close(fd);
	return done;
}

bool lab_ns_link_running(const struct lab_ns *ns, const char *ifname)
{
	struct ifreq request;
	int fd = link_socket(ns, ifname, &request);
	bool running = ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_RUNNING);

	close(fd);
	return running;
}
