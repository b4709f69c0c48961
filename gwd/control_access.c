// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/control_access.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gwd/base/alloc.h"
#include "gwd/base/err.h"

void control_group_find(struct control_group *group, const char *name)
{
	const struct group *found = *name ? getgrnam(name) : NULL;
	*group = (struct control_group){.exists = found, .gid = found ? found->gr_gid : 0};
	snprintf(group->name, sizeof(group->name), "%s", name);
}

// The peer's supplementary groups when it connected, as the kernel would check them for a file:
// no name service is asked, which could keep the daemon waiting.
static bool peer_has_group(int fd, gid_t gid)
{
	gid_t few[32], *gids = few;
	socklen_t size = sizeof(few);
	bool found = false;
	int rc = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &size);
	if (rc < 0 && errno == ERANGE) {
		gids = xcalloc(1, size);
		rc = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &size);
	}
	for (size_t i = 0; rc == 0 && i < size / sizeof(*gids); i++)
		found |= gids[i] == gid;
	if (gids != few)
		free(gids);
	return found;
}

static int refusal(uid_t uid, const struct control_group *group, struct err *err)
{
	const struct passwd *user = getpwuid(uid);
	char name[64];
	if (user)
		snprintf(name, sizeof(name), "%s", user->pw_name);
	else
		snprintf(name, sizeof(name), "%u", uid);
	if (!*group->name)
		return err_set(err, EACCES, "user %s is not root", name);
	return err_set(err, EACCES, "user %s is neither root nor in group %s%s", name, group->name,
		       group->exists ? "" : ", which this host does not have");
}

int control_access_check(int fd, const struct control_group *group, struct err *err)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return err_errno(err, errno, "the peer's credentials can't be read");
	if (peer.uid == 0 || peer.uid == geteuid())
		return 0;
	if (group->exists && (peer.gid == group->gid || peer_has_group(fd, group->gid)))
		return 0;
	return refusal(peer.uid, group, err);
}
