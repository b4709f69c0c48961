// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/web_request.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(const char *head, int status, bool is_head, const char *path)
{
	struct web_request request;
	cr_expect_eq(web_request_parse(&request, head, strlen(head)), status, "%s: not %d", head, status);
	if (status != 200)
		return;
	cr_expect_eq(request.head, is_head, "%s", head);
	cr_expect_str_eq(request.path, path, "%s", head);
}

Test(web_request, what_is_asked_for)
{
	expect("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 200, false, "/");
	expect("GET /metrics HTTP/1.0\n\n", 200, false, "/metrics");
	expect("GET /status.json?t=1 HTTP/1.1\r\n\r\n", 200, false, "/status.json");
	expect("HEAD /metrics HTTP/1.1\r\n\r\n", 200, true, "/metrics");
	expect("GET /a-very-long-path-that-is-no-page-of-ours-and-would-not-fit-in-there HTTP/1.1\r\n\r\n",
	       200, false, "");
}

Test(web_request, what_is_not)
{
	expect("POST / HTTP/1.1\r\n\r\n", 405, false, NULL);
	expect("get / HTTP/1.1\r\n\r\n", 405, false, NULL);
	expect("GET / HTTP/2.0\r\n\r\n", 505, false, NULL);
	expect("GET / HTTP/1.\r\n\r\n", 505, false, NULL);
	expect("GET /\r\n\r\n", 400, false, NULL);
	expect("GET  / HTTP/1.1\r\n\r\n", 400, false, NULL);
	expect("GET http://x/ HTTP/1.1\r\n\r\n", 400, false, NULL);
	expect("GET / FTP/1.1\r\n\r\n", 400, false, NULL);
	expect("\r\n\r\n", 400, false, NULL);
	expect("", 400, false, NULL);
	expect("GET", 400, false, NULL);
	expect("GET ", 400, false, NULL);
}

static void expect_host(const char *lines, int status, const char *host, bool ours)
{
	char head[512];
	struct web_request request;
	snprintf(head, sizeof(head), "GET / HTTP/1.1\r\n%s\r\n", lines);
	cr_expect_eq(web_request_parse(&request, head, strlen(head)), status, "%s", lines);
	if (status != 200)
		return;
	cr_expect_str_eq(request.host, host, "%s", lines);
	cr_expect_eq(web_request_is_ours(&request, "edge.example.org"), ours, "%s", lines);
}

// A name that leads here, in a page of somebody else's, is not ours.
Test(web_request, who_is_meant)
{
	expect_host("", 200, "", true);
	expect_host("X-Host: evil.example\r\nAccept: */*\r\n", 200, "", true);
	expect_host("Host: 192.0.2.1\r\n", 200, "192.0.2.1", true);
	expect_host("Host: 192.0.2.1:9555\r\n", 200, "192.0.2.1", true);
	expect_host("A: b\r\nhOST:[2001:db8::1]:9555 \r\nC: d\r\n", 200, "2001:db8::1", true);
	expect_host("Host: LocalHost:9555\r\n", 200, "LocalHost", true);
	expect_host("Host: Edge.example.org:80\r\n", 200, "Edge.example.org", true);
	expect_host("Host: edge\r\n", 200, "edge", false);
	expect_host("Host: evil.example:9555\r\n", 200, "evil.example", false);
	expect_host("Host: 192.0.2.1.evil.example\r\n", 200, "192.0.2.1.evil.example", false);
	expect_host("Host: 192.0.2.0/24\r\n", 200, "192.0.2.0/24", false);
	expect_host("Host: localhost.evil.example\r\n", 200, "localhost.evil.example", false);
	expect_host("Host: a\r\nHost: 192.0.2.1\r\n", 400, NULL, false);
	expect_host("Host: [2001:db8::1\r\n", 400, NULL, false);
	expect_host("Host: a-name-that-is-far-longer-than-any-address-or-name-of-ours-can-be.example\r\n",
		    400, NULL, false);
}

Test(web_request, the_head_ends_with_an_empty_line)
{
	cr_expect(web_request_whole("GET / HTTP/1.1\r\nA: b\r\n\r\n", 24));
	cr_expect(web_request_whole("GET / HTTP/1.0\n\n", 16));
	cr_expect_not(web_request_whole("GET / HTTP/1.1\r\nA: b\r\n", 22));
	cr_expect_not(web_request_whole("", 0));
}

// Cut anywhere, with any byte changed: an answer, and nothing read behind the end (ASan).
Test(web_request, whatever_comes)
{
	static const char fine[] = "GET /m?a=b HTTP/1.1\r\nHost: [::1]:80\r\n\r\n";
	for (size_t cut = 0; cut < sizeof(fine); cut++)
		for (size_t at = 0; at < cut; at++)
			for (int byte = 0; byte < 256; byte++) {
				struct web_request request;
				char *text = malloc(cut);
				memcpy(text, fine, cut);
				text[at] = (char)byte;
				int status = web_request_parse(&request, text, cut);
				cr_assert(status == 200 || status == 400 || status == 405 || status == 505);
				cr_assert_lt(strlen(request.path), sizeof(request.path));
				cr_assert_lt(strlen(request.host), sizeof(request.host));
				web_request_is_ours(&request, "x");
				free(text);
			}
}
