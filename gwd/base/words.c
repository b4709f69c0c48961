// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/base/words.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/hash.h"

#define WORDS_LEAST 64

struct word {
	struct word *next; // in its bucket
	uint64_t hash;
	size_t users;
	char text[];
};

static struct {
	struct word **buckets;
	size_t size, n; // size: a power of two
} words;

static struct word **words_bucket(uint64_t hash)
{
	return &words.buckets[hash & (words.size - 1)];
}

// With as many buckets as this; 0 words need none.
static void words_resize(size_t size)
{
	struct word **old = words.buckets;
	size_t n = words.size;
	words.size = size;
	words.buckets = size ? xcalloc(size, sizeof(*words.buckets)) : NULL;
	for (size_t i = 0; i < n; i++)
		for (struct word *word = old[i], *next; word; word = next) {
			next = word->next;
			word->next = *words_bucket(word->hash);
			*words_bucket(word->hash) = word;
		}
	free(old);
}

static struct word *words_add(const char *text, uint64_t hash)
{
	size_t size = strlen(text) + 1;
	if (++words.n > words.size)
		words_resize(words.size ? 2 * words.size : WORDS_LEAST);
	struct word *word = xcalloc(1, sizeof(*word) + size);
	word->hash = hash;
	memcpy(word->text, text, size);
	word->next = *words_bucket(hash);
	*words_bucket(hash) = word;
	return word;
}

const char *word_take(const char *text)
{
	uint64_t hash = hash_str(text);
	if (!*text)
		return "";
	struct word *word = words.size ? *words_bucket(hash) : NULL;
	while (word && (word->hash != hash || strcmp(word->text, text) != 0))
		word = word->next;
	if (!word)
		word = words_add(text, hash);
	word->users++;
	return word->text;
}

void word_drop(const char *text)
{
	if (!text || !*text)
		return;
	struct word *word = (struct word *)((uintptr_t)text - offsetof(struct word, text));
	assert(word->users);
	if (--word->users)
		return;
	struct word **at = words_bucket(word->hash);
	while (*at != word)
		at = &(*at)->next;
	*at = word->next;
	free(word);
	if (!--words.n)
		words_resize(0);
	else if (words.size > WORDS_LEAST && words.n < words.size / 8)
		words_resize(words.size / 2);
}

size_t words_n(void)
{
	return words.n;
}
