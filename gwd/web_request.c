// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/web_request.h"

#include <string.h>
#include <strings.h>

#include "gwd/base/addr.h"

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

// What stands behind "Host:"; -1: there are two, or it is none.
static int take_host(struct web_request *request, const char *text, size_t n)
{
	while (n && (*text == ' ' || *text == '\t'))
		text++, n--;
	while (n && (text[n - 1] == ' ' || text[n - 1] == '\t' || text[n - 1] == '\r'))
		n--;
	const char *end = n && *text == '[' ? memchr(text, ']', n) : memchr(text, ':', n);
	if (n && *text == '[' && !end)
		return -1;
	size_t length = end ? (size_t)(end - text) : n;
	if (n && *text == '[')
		text++, length--;
	if (*request->host || length >= sizeof(request->host) || memchr(text, 0, length))
		return -1;
	memcpy(request->host, text, length);
	return 0;
}

// In the lines from `text` on.
static int find_host(struct web_request *request, const char *text, const char *end)
{
	static const char name[] = "Host:";
	int rc = 0;
	while (!rc && text < end) {
		const char *next = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((next ? next : end) - text);
		if (n >= strlen(name) && !strncasecmp(text, name, strlen(name)))
			rc = take_host(request, text + strlen(name), n - strlen(name));
		text += n + 1;
	}
	return rc;
}

bool web_request_is_ours(const struct web_request *request, const char *own_name)
{
	struct addr addr;
	return !*request->host || addr_parse(request->host, &addr) ||
	       !strcasecmp(request->host, "localhost") || !strcasecmp(request->host, own_name);
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
	return end && find_host(request, end + 1, head + n) ? 400 : 200;
}
