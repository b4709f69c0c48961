// SPDX-License-Identifier: GPL-2.0-or-later
#include <criterion/criterion.h>
#include <stdio.h>

#include "gwd/base/words.h"

Test(words, one_text_is_one_word_until_its_last_user_drops_it)
{
	char text[] = "not probed";
	const char *a = word_take(text), *b = word_take("not probed"), *other = word_take("down");
	cr_expect_eq(a, b);
	cr_expect_neq(a, (const char *)text);
	cr_expect_neq(a, other);
	cr_expect_str_eq(a, "not probed");
	cr_expect_eq(words_n(), 2);
	word_drop(a);
	cr_expect_str_eq(b, "not probed");
	word_drop(b);
	word_drop(other);
	cr_expect_eq(words_n(), 0);
}

Test(words, nothing_is_kept_of_an_empty_one)
{
	cr_expect_str_eq(word_take(""), "");
	cr_expect_eq(words_n(), 0);
	word_drop(word_take(""));
	word_drop(NULL);
}

Test(words, many_come_and_go)
{
	enum { N = 5000 };
	const char *word[N];
	char text[32];
	for (unsigned i = 0; i < N; i++) {
		snprintf(text, sizeof(text), "answer after %u ms", i);
		word[i] = word_take(text);
	}
	cr_expect_eq(words_n(), N);
	for (unsigned i = 0; i < N; i += 2)
		word_drop(word[i]);
	cr_expect_eq(words_n(), N / 2);
	for (unsigned i = 1; i < N; i += 2) {
		snprintf(text, sizeof(text), "answer after %u ms", i);
		cr_expect_str_eq(word[i], text);
		cr_expect_eq(word_take(text), word[i]);
		word_drop(word[i]);
		word_drop(word[i]);
	}
	cr_expect_eq(words_n(), 0);
}
