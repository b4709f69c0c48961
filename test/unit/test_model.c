// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>

#include "gwd/core/model.h"

Test(model, interface_patterns)
{
	cr_expect(model_interface_matches("eth0", "eth0"));
	cr_expect(!model_interface_matches("eth0", "eth01"));
	cr_expect(!model_interface_matches("eth01", "eth0"));
	cr_expect(model_interface_matches("vlan*", "vlan7"));
	cr_expect(model_interface_matches("vlan*", "vlan"));
	cr_expect(!model_interface_matches("vlan*", "vla"));
	cr_expect(model_interface_matches("*", "anything"));
	cr_expect(!model_interface_matches("", "eth0"));
}

Test(model, ids_of_a_mask)
{
	cr_expect_eq(model_max_ids(0xff000000), 254);
	cr_expect_eq(model_max_ids(0x3f), 62);
	cr_expect_eq(model_max_ids(0xfe00), 126);
	cr_expect_eq(model_max_ids(0xffff0000), 254, "no more than tables and ip rules in a short range");
	cr_expect_eq(model_max_ids(0xffffffff), 254);
	cr_expect_eq(model_max_ids(0), 0);
	cr_expect_eq(model_max_ids(1), 0);
}

Test(model, find_gateway)
{
	struct model_gateway gateways[] = {{.name = "a"}, {.name = "b"}};
	struct model m = {.gateways = gateways, .n_gateways = 2};
	cr_expect_eq(model_find_gateway(&m, "b"), 1);
	cr_expect_eq(model_find_gateway(&m, "c"), -1);
	model_free(NULL);
}

Test(model, scheduler_names)
{
	cr_expect_str_eq(scheduler_name(SCHED_RR), "rr");
	cr_expect_str_eq(scheduler_name(SCHED_FO), "fo");
}
