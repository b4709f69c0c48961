// SPDX-License-Identifier: GPL-2.0-or-later
#include "conf/nearest.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "gwd/base/buf.h"

#define NAME_SIZE 40 // no name of the language or of a section is longer
#define LIST_MAX 16  // names in a message

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;
	return least < c ? least : c;
}

// Edits (insert, delete, change, swap two neighbours) that lead from `a` to `b`.
static size_t distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b), d[NAME_SIZE + 1][NAME_SIZE + 1];
	if (na > NAME_SIZE || nb > NAME_SIZE)
		return NAME_SIZE;
	for (size_t i = 0; i <= na; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= nb; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= na; i++)
		for (size_t j = 1; j <= nb; j++) {
			size_t changed = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1, changed);
			bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
			if (swapped && d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	return d[na][nb];
}

const char *nearest(const char *word, const char *const *names, size_t n)
{
	const char *best = NULL;
	size_t len = strlen(word), best_distance = len < 2 ? 1 : len < 6 ? 2 : 3; // not as far as this
	for (size_t i = 0; i < n; i++) {
		size_t d = strcasecmp(word, names[i]) == 0 ? 0 : distance(word, names[i]);
		bool closer = d < best_distance ||
			      (best && d == best_distance && word[0] == names[i][0] && word[0] != best[0]);
		if (closer) {
			best_distance = d;
			best = names[i];
		}
	}
	return best;
}

void nearest_list(struct buf *out, const char *const *names, size_t n)
{
	size_t shown = n > LIST_MAX ? LIST_MAX : n;
	if (!n)
		buf_puts(out, "none");
	for (size_t i = 0; i < shown; i++)
		buf_printf(out, "%s%s", i == 0 ? "" : i + 1 == n ? " and " : ", ", names[i]);
	if (shown < n)
		buf_printf(out, " and %zu more", n - shown);
}
