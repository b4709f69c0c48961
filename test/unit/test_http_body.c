// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/http_body.h"

#include <criterion/criterion.h>
#include <string.h>

static bool found_in_pieces(const char *text, const char *body, size_t piece)
{
	struct http_body b;
	size_t n = strlen(body);

	http_body_init(&b, text);
	for (size_t at = 0; at < n; at += piece)
		if (!http_body_add(&b, body + at, n - at < piece ? n - at : piece))
			break;
	bool found = http_body_found(&b);
	http_body_free(&b);
	return found;
}

Test(http_body, a_text_is_found_however_the_body_is_cut)
{
	static const char *const bodies[] = {"all is well", "is well", "well", "aaab",
					     "abababac is wel is well"};
	static const char *const texts[] = {"is well", "well", "aab", "ababac", "a", "l", "wells", "x"};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++)
		for (size_t j = 0; j < sizeof(texts) / sizeof(*texts); j++)
			for (size_t piece = 1; piece <= strlen(bodies[i]); piece++)
				cr_expect_eq(found_in_pieces(texts[j], bodies[i], piece),
					     strstr(bodies[i], texts[j]) != NULL, "%s in %s by %zu", texts[j],
					     bodies[i], piece);
}

Test(http_body, it_gives_up_after_64_KiB)
{
	static char piece[1000];
	struct http_body b;
	size_t n = 0;

	memset(piece, 'x', sizeof(piece));
	http_body_init(&b, "needle");
	while (http_body_add(&b, piece, sizeof(piece)))
		n++;
	cr_expect_eq(n, HTTP_BODY_MAX / sizeof(piece));
	cr_expect_eq(b.seen, HTTP_BODY_MAX);
	cr_expect_not(http_body_add(&b, "needle", 6), "nothing more is looked at");
	cr_expect_not(http_body_found(&b));
	http_body_free(&b);
}

Test(http_body, it_wants_no_more_once_it_is_found)
{
	struct http_body b;

	http_body_init(&b, "ok");
	cr_expect_not(http_body_add(&b, "it is ok, really", 16));
	cr_expect(http_body_found(&b));
	http_body_free(&b);
}
