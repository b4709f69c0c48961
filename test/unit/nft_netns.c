// SPDX-License-Identifier: GPL-2.0-or-later
#include "test/unit/nft_netns.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void nft_netns_enter(void)
{
	char map[64];
	unsigned uid = geteuid();
	int length = snprintf(map, sizeof(map), "0 %u 1", uid);
	cr_assert_eq(unshare(uid ? CLONE_NEWUSER | CLONE_NEWNET : CLONE_NEWNET), 0);
	if (!uid)
		return;
	int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	cr_assert(fd >= 0 && write(fd, map, (size_t)length) == length);
	close(fd);
}
