// SPDX-License-Identifier: GPL-2.0-or-later
// What the service may do, as systemd judges its unit: 0 is nothing at all, 10 everything.
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

Test(unit_file, the_service_is_locked_in)
{
	if (system("command -v systemd-analyze >/dev/null") != 0)
		cr_skip_test("no systemd-analyze");
	cr_expect_eq(
		system("systemd-analyze security --offline=true --no-pager --threshold=19 conf/gwd.service "
		       ">/dev/null 2>&1"),
		0, "its exposure is above 1.9: systemd-analyze security --offline=true conf/gwd.service");
	cr_expect_neq(
		system("systemd-analyze security --offline=true --no-pager --threshold=10 conf/gwd.service "
		       ">/dev/null 2>&1"),
		0, "systemd judges nothing");
}
