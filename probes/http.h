// SPDX-License-Identifier: GPL-2.0-or-later
// http: asks a web server for a page, by http or https, through libcurl.
//
// Alive is a status in the wanted ranges and, if a text is expected, that text in the body. Redirects
// are not followed, proxies not used, connections not kept. What a server may send is bounded: 32 KiB
// of header, and of the body no more than it takes to find the text, at most 64 KiB; nothing of it is
// stored beyond that. libcurl is only loaded and started by the first question (curl_late.h).
// Called by prober.c only.
#ifndef GWD_PROBES_HTTP_H
#define GWD_PROBES_HTTP_H

struct answer;
struct ask;
struct ask_spec;
struct event_base;
struct http;

struct http *http_new(struct event_base *base);
void http_free(struct http *http); // after the last question was answered or cancelled

struct ask *http_ask(struct http *http, const struct ask_spec *spec,
		     struct answer *failed); // as prober_ask()

#endif
