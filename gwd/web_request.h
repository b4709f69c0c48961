// SPDX-License-Identifier: GPL-2.0-or-later
// web_request: what a browser or a scraper asks the web page for, out of the head of its request. Pure.
//
// Only what such a page needs of HTTP (RFC 9112): a request line and Host; other headers are not looked at, a body is not
// read, and every answer ends the connection.
#ifndef GWD_WEB_REQUEST_H
#define GWD_WEB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#define WEB_REQUEST_MAX 8192 // bytes of a head

struct web_request {
	bool head;     // HEAD: the answer without its body
	char path[64]; // without the query; "" for what is longer
	char host[68]; // without the port, an IPv6 address without its brackets; "" if it is not said
};

// True when `head` has all of a head, to the empty line.
bool web_request_whole(const char *head, size_t n);

// 200, or the status to answer with: 400 not HTTP, 405 another method, 505 another version.
int web_request_parse(struct web_request *request, const char *head, size_t n);

// The request means us: by an address, as localhost, by our own name (gethostname()), or not at all. Any other name may be
// somebody's whose DNS leads here, so that a page of his in a browser reads ours ("DNS rebinding").
bool web_request_is_ours(const struct web_request *request, const char *own_name);

#endif
