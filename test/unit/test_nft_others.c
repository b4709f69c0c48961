// SPDX-License-Identifier: GPL-2.0-or-later
// Others: who listens, changes, lists or left our tables behind.
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gwd/core/names.h"
#include "nft/nft.h"
#include "test/unit/fixture.h"
#include "test/unit/nft_kernel.h"
#include "test/unit/nft_netns.h"

Test(nft_others, the_listener_tells_others_changes_of_our_table_from_all_else)
{
	struct fixture *f = fixture_new(3);
	struct plan plan = {0};
	struct err err;
	nft_netns_enter();
	struct nft *nft = kernel_open();
	struct nft_listener *listener = nft_listener_open(nft, &err);
	cr_assert_not_null(listener, "%s", err.text);
	fixture_build(f, &plan);
	kernel_must_apply(nft, &kernel_nothing, &plan);
	cr_expect(!nft_listener_read(listener), "our own change");
	cr_assert(kernel_does("nft add table inet other && nft add table ip gwd && nft add table inet gwd2"));
	cr_expect(!nft_listener_read(listener), "other tables");
	nft_close(nft); // without an owner the table lies open
	cr_assert(kernel_does("nft add counter inet gwd foreign"));
	cr_expect(nft_listener_read(listener));
	cr_expect(!nft_listener_read(listener), "once is enough");
	cr_assert(kernel_does("nft flush ruleset"));
	cr_expect(nft_listener_read(listener));
	nft_listener_close(listener);
	plan_free(&plan);
	fixture_free(f);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct plan_set *)a)->name, ((const struct plan_set *)b)->name);
}

static void add_many(struct plan *plan, uint32_t n)
{
	struct plan_set set = {.name = "many", .key = {PLAN_T_MARK}};
	for (uint32_t i = 0; i < n; i++) {
		struct plan_elem elem = {0};
		memcpy(elem.key, &i, sizeof(i));
		vec_push(&set.elems, elem);
	}
	vec_push(&plan->sets, set);
	qsort(plan->sets.v, plan->sets.n, sizeof(set), by_name);
}

// The kernel tells nobody of ours of that one.
Test(nft_others, the_listener_hears_others_again_after_a_large_change_of_ours)
{
	struct fixture *f = fixture_new(1);
	struct plan plan = {0}, more = {0};
	struct err err;
	nft_netns_enter();
	struct nft *nft = kernel_open();
	struct nft_listener *listener = nft_listener_open(nft, &err);
	cr_assert_not_null(listener, "%s", err.text);
	fixture_build(f, &plan);
	fixture_build(f, &more);
	add_many(&more, 20000);
	kernel_must_apply(nft, &kernel_nothing, &plan);
	kernel_must_apply(nft, &plan, &more);
	cr_expect(!nft_listener_read(listener), "our own change");
	kernel_must_apply(nft, &more, &plan);
	cr_expect(!nft_listener_read(listener), "nor the way back, in the generation that is known");
	nft_close(nft); // without an owner the table lies open
	cr_assert(kernel_does("nft add counter inet gwd foreign"));
	cr_expect(nft_listener_read(listener));
	nft_listener_close(listener);
	plan_free(&plan);
	plan_free(&more);
	fixture_free(f);
}

Test(nft_others, rules_that_somebody_took_away_or_added_are_put_right)
{
	static const char *const harms[] = {"nft flush chain inet gwd lan",
					    "nft insert rule inet gwd pre counter accept",
					    "nft flush table inet gwd", "nft delete table inet gwd"};
	struct fixture *f = fixture_new(2);
	struct plan plan = {0};
	nft_netns_enter();
	fixture_build(f, &plan);
	for (size_t i = 0; i < ARRAY_SIZE(harms); i++) {
		struct plan read = {0};
		struct err err;
		struct nft *nft = kernel_open();
		cr_assert_eq(nft_read(nft, &read, &err), 0, "%s", err.text);
		kernel_must_apply(nft, &read, &plan);
		plan_free(&read);
		nft_close(nft);
		nft = kernel_open();
		kernel_expect(nft, &plan);
		cr_assert(kernel_does(harms[i]), "%s", harms[i]);
		cr_assert_eq(nft_read(nft, &read, &err), 0, "%s", err.text);
		cr_expect_eq(read.shape, 0, "%s was not noticed", harms[i]);
		plan_free(&read);
		nft_close(nft);
	}
	plan_free(&plan);
	fixture_free(f);
}

Test(nft_others, a_table_that_was_left_behind_is_adopted_and_a_used_one_is_not)
{
	struct fixture *f = fixture_pinned(2);
	struct plan plan = {0};
	struct err err;
	nft_netns_enter();
	struct nft *first = kernel_open();
	fixture_build(f, &plan);
	cr_expect_eq(nft_adopt(first, &err), 0, "there is nothing to adopt");
	kernel_must_apply(first, &kernel_nothing, &plan);
	bool owned = !kernel_does("nft add counter inet gwd foreign && nft delete counter inet gwd foreign");
	struct nft *second = kernel_open();
	cr_expect_eq(nft_adopt(second, &err), owned ? -EBUSY : 0);
	kernel_expect(second, &plan); // it may look
	nft_close(first);
	cr_expect_eq(nft_adopt(second, &err), 0, "%s", err.text);
	kernel_expect(second, &plan);
	cr_expect_eq(!kernel_does("nft delete table inet gwd"), owned);
	nft_close(second);
	plan_free(&plan);
	fixture_free(f);
}

Test(nft_others, nft_lists_it_and_takes_the_listing)
{
	struct fixture *f = fixture_pinned(3);
	struct plan plan = {0};
	char path[] = "/tmp/gwd-listing-XXXXXX", command[256];
	nft_netns_enter();
	int fd = mkstemp(path);
	cr_assert(fd >= 0);
	close(fd);
	f->balances[0].persist_mask[FAM_4] = 24;
	for (int by = 0; by < 2; by++) {
		f->balances[0].persist_by = by ? PERSIST_SOURCE_DESTINATION : PERSIST_SOURCE;
		struct nft *nft = kernel_open();
		struct plan read = {0};
		struct err err;
		fixture_build(f, &plan);
		cr_assert_eq(nft_read(nft, &read, &err), 0);
		kernel_must_apply(nft, &read, &plan);
		snprintf(command, sizeof(command), "nft list ruleset > %s", path);
		cr_expect(system(command) == 0, "nft can't list it");
		// nft 1.0.6 lists pins by two IPv6 addresses, but can't compile them
		snprintf(command, sizeof(command),
			 "grep -v '[te] @pin6sd' %s | grep -v 'flags owner' | unshare -n nft -c -f -", path);
		cr_expect(system(command) == 0, "nft can't read its own listing");
		plan_free(&read);
		plan_free(&plan);
		nft_close(nft);
	}
	unlink(path);
	fixture_free(f);
}
