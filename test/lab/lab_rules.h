// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_rules: the nftables ruleset of an ISP, as text. Internal. The names in it are used by lab_fault and
 * lab_watch.
 */
#ifndef GWD_TEST_LAB_LAB_RULES_H
#define GWD_TEST_LAB_LAB_RULES_H

struct lab;
struct lab_isp;

/* The ruleset of a new ISP: text that the caller frees. */
char *lab_rules_text(const struct lab *lab, const struct lab_isp *isp);

#endif
