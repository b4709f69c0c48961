// SPDX-License-Identifier: GPL-2.0-or-later
// sysctl on a real kernel: what was there before comes back, whoever was killed in between.
#include <criterion/criterion.h>
#include <string.h>

#include "gwd/base/err.h"
#include "gwd/core/plan.h"
#include "gwd/sysctl.h"
#include "test/lab/lab.h"

static struct lab *lab;
static const char *state;

static struct plan_sysctl want(const char *path, const char *value, const char *only_if)
{
	struct plan_sysctl want = {.why = "so that the test has something to say"};
	strcpy(want.path, path);
	strcpy(want.value, value);
	strcpy(want.only_if, only_if);
	return want;
}

static const char *value_of(const char *path)
{
	static char value[64];
	return sysctl_read(path, value, sizeof(value)) ? "" : value;
}

static void begin(void)
{
	if (lab_missing())
		cr_skip("no lab can be built here: %s", lab_missing());
	lab = lab_create(&(struct lab_spec){.isps = 1});
	lab_ns_enter(lab_router(lab)); // also where /proc/sys/net is looked up
	state = lab_path(lab, "sysctl");
	lab_do(lab_router(lab), "ip link add w1.7 type veth peer name p1; sysctl -qw net.ipv4.ip_forward=0 "
				"net.ipv6.conf.w1/7.accept_ra=1 net.ipv6.conf.wan1.accept_ra=0");
}

static void apply(const struct plan_sysctl *want)
{
	struct err err;
	struct sysctl *sysctl = sysctl_open(state, &err);
	cr_assert_eq(sysctl_apply(sysctl, want, &err), 0, "%s", err.text);
	sysctl_close(sysctl); // as a kill: nothing is put back
}

static void restore(void)
{
	struct err err;
	struct sysctl *sysctl = sysctl_open(state, &err);
	cr_expect_eq(sysctl_restore(sysctl, &err), 0, "%s", err.text);
	sysctl_close(sysctl);
}

Test(sysctl_kernel, what_was_there_comes_back_after_a_kill)
{
	begin();
	struct plan_sysctl forward = want("net/ipv4/ip_forward", "1", "");
	struct plan_sysctl dotted = want("net/ipv6/conf/w1.7/accept_ra", "2", "1");
	struct plan_sysctl other = want("net/ipv6/conf/wan1/accept_ra", "2", "1"); // has 0: stays
	for (int i = 0; i < 2; i++) { // the second finds it right, and must not remember that
		apply(&forward);
		apply(&dotted);
		apply(&other);
	}
	cr_expect_str_eq(value_of("net/ipv4/ip_forward"), "1");
	cr_expect_str_eq(value_of("net/ipv6/conf/w1.7/accept_ra"), "2");
	cr_expect_str_eq(value_of("net/ipv6/conf/wan1/accept_ra"), "0");
	restore();
	cr_expect_str_eq(value_of("net/ipv4/ip_forward"), "0");
	cr_expect_str_eq(value_of("net/ipv6/conf/w1.7/accept_ra"), "1");
	lab_destroy(lab);
}

Test(sysctl_kernel, what_somebody_changed_since_or_is_gone_stays)
{
	begin();
	struct plan_sysctl forward = want("net/ipv4/ip_forward", "1", "");
	struct plan_sysctl vmark = want("net/ipv4/conf/all/src_valid_mark", "1", "");
	struct plan_sysctl dotted = want("net/ipv6/conf/w1.7/accept_ra", "2", "1");
	apply(&forward);
	apply(&vmark);
	apply(&dotted);
	lab_do(lab_router(lab), "sysctl -qw net.ipv4.ip_forward=2; ip link del w1.7");
	restore();
	cr_expect_str_eq(value_of("net/ipv4/ip_forward"), "2");
	cr_expect_str_eq(value_of("net/ipv4/conf/all/src_valid_mark"), "0");
	lab_destroy(lab);
}

Test(sysctl_kernel, a_refusal_says_what_is_needed_and_why)
{
	begin();
	struct plan_sysctl nonsense = want("net/ipv4/ip_forward", "many", "");
	struct err err;
	struct sysctl *sysctl = sysctl_open(state, &err);
	cr_assert_lt(sysctl_apply(sysctl, &nonsense, &err), 0);
	cr_expect(strstr(err.text, "net/ipv4/ip_forward") && strstr(err.text, "many") &&
			  strstr(err.text, nonsense.why),
		  "%s", err.text);
	sysctl_close(sysctl);
	lab_destroy(lab);
}
