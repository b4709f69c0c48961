// SPDX-License-Identifier: GPL-2.0-or-later
// What can be shown without changing a setting of this machine; the rest is in test/net.
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gwd/base/err.h"
#include "gwd/core/plan.h"
#include "gwd/sysctl.h"

static char state_path[] = "/tmp/gwd-sysctl-XXXXXX";

static void with_state(const char *text)
{
	int fd = mkstemp(state_path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void without_state(void)
{
	unlink(state_path);
}

Test(sysctl, a_value_is_read_without_its_newline)
{
	char value[16];
	cr_assert_eq(sysctl_read("kernel/ostype", value, sizeof(value)), 0);
	cr_assert_str_eq(value, "Linux");
	cr_assert_eq(sysctl_read("kernel/no_such_key", value, sizeof(value)), -ENOENT);
}

Test(sysctl, what_is_right_holds)
{
	struct plan_sysctl want = {.path = "kernel/ostype", .value = "Linux"};
	cr_assert(sysctl_holds(&want));
	strcpy(want.value, "Plan9");
	cr_assert_not(sysctl_holds(&want));
	strcpy(want.only_if, "Minix"); // it is not, so nothing is wanted
	cr_assert(sysctl_holds(&want));
	strcpy(want.only_if, "Linux");
	cr_assert_not(sysctl_holds(&want));
}

Test(sysctl, what_is_right_is_not_written_nor_noted)
{
	struct err err = {""};
	struct plan_sysctl want = {.path = "kernel/ostype", .value = "Linux"};
	struct sysctl *sysctl = sysctl_open("/nowhere/at/all", &err);
	cr_assert_not_null(sysctl);
	cr_assert_eq(sysctl_apply(sysctl, &want, &err), 0, "%s", err.text);
	sysctl_close(sysctl);
}

Test(sysctl, an_error_names_key_value_need_and_reason)
{
	struct err err = {""};
	struct plan_sysctl want = {.path = "kernel/ostype", .value = "Plan9", .why = "to test"};
	with_state(""); // a read-only key, for root too
	struct sysctl *sysctl = sysctl_open(state_path, &err);
	cr_assert_not_null(sysctl);
	cr_assert_lt(sysctl_apply(sysctl, &want, &err), 0);
	cr_assert_str_eq(err.text, "kernel/ostype is Linux and must be Plan9 to test, but can't be written: "
				   "Permission denied");
	strcpy(want.path, "kernel/no_such_key");
	cr_assert_eq(sysctl_apply(sysctl, &want, &err), -ENOENT);
	cr_assert_str_eq(err.text, "can't read kernel/no_such_key, which must be Plan9 to test: "
				   "No such file or directory");
	sysctl_close(sysctl);
	without_state();
}

Test(sysctl, what_is_no_longer_as_we_set_it_is_left_alone)
{
	struct err err = {""};
	with_state("kernel/ostype Plan9 Minix\nkernel/no_such_key 1 0\nnonsense\n");
	struct sysctl *sysctl = sysctl_open(state_path, &err);
	cr_assert_not_null(sysctl);
	cr_assert_eq(sysctl_restore(sysctl, &err), 0, "%s", err.text);
	cr_assert_neq(access(state_path, F_OK), 0);
	sysctl_close(sysctl);
	without_state();
}

Test(sysctl, what_is_still_ours_is_put_back)
{
	struct err err = {""};
	with_state("kernel/ostype Linux Minix and more\n"); // can't be, which shows that it is tried
	struct sysctl *sysctl = sysctl_open(state_path, &err);
	cr_assert_not_null(sysctl);
	cr_assert_lt(sysctl_restore(sysctl, &err), 0);
	cr_assert_str_eq(err.text, "can't set kernel/ostype back to Minix and more: Permission denied");
	sysctl_close(sysctl);
	without_state();
}
