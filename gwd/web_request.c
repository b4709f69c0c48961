// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/web_request.h"

#include <string.h>

bool web_request_whole(const char *head, size_t n)
{
	return memmem(head, n, "\r\n\r\n", 4) || memmem(head, n, "\n\n", 2);
}

// The next word of the line, up to one space.
static size_t word(const char *text, size_t n)
{
	const char *space = memchr(text, ' ', n);
	return space ? (size_t)(space - text) : n;
}

static bool is(const char *text, size_t n, const char *want)
{
	return n == strlen(want) && !memcmp(text, want, n);
}

int web_request_parse(struct web_request *request, const char *head, size_t n)
{
	const char *end = memchr(head, '\n', n), *target = NULL;
	size_t line = end ? (size_t)(end - head) : n, method = 0, path = 0;
	*request = (struct web_request){0};
	if (line && head[line - 1] == '\r')
		line--;
	method = word(head, line);
	if (method == line || memchr(head, 0, line))
		return 400;
	target = head + method + 1;
	path = word(target, line - method - 1);
	const char *version = target + path;
	size_t rest = line - method - 1 - path;
	if (path == 0 || *target != '/' || rest < 6 || memcmp(version, " HTTP/", 6) != 0)
		return 400;
	if (rest != 9 || memcmp(version, " HTTP/1.", 8) != 0)
		return 505;
	request->head = is(head, method, "HEAD");
	if (!request->head && !is(head, method, "GET"))
		return 405;
	const char *query = memchr(target, '?', path);
	if (query)
		path = (size_t)(query - target);
	if (path < sizeof(request->path))
		memcpy(request->path, target, path);
	return 200;
}
