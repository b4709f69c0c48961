// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/http.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/alloc.h"
#include "gwd/base/mono.h"
#include "gwd/core/model.h"
#include "probes/ask.h"
#include "probes/curl_late.h"
#include "probes/http_body.h"
#include "probes/link_socket.h"
#include "probes/turn.h"

#define HEADER_MAX 32768

struct http_ask {
	struct ask ask;
	struct http *http;
	CURL *easy;
	struct curl_slist *connect_to, *headers;
	struct prober_link link;
	struct addr target;
	char where[LINK_WHERE];
	const char *scheme;
	struct model_status *status;
	size_t n_status;
	struct http_body body;
	bool has_expect;
	size_t header_size;
	int open_error; // -errno of a socket that could not be opened
	int64_t begun_us;
	char error[CURL_ERROR_SIZE];
};

struct http {
	struct event_base *base;
	CURLM *multi; // NULL: not started
	struct event *timer;
	size_t n_asks;
};

// ---- what came out ---------------------------------------------------------------------------

static bool wanted(const struct http_ask *ask, long status)
{
	for (size_t i = 0; i < ask->n_status; i++)
		if (status >= ask->status[i].first && status <= ask->status[i].last)
			return true;
	return false;
}

static long status_of(const struct http_ask *ask)
{
	long status = 0;

	curl_easy_getinfo(ask->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static void judge_reply(const struct http_ask *ask, long status, struct answer *answer)
{
	const char *lack = "";

	answer->kind = wanted(ask, status) ? ANSWER_ALIVE : ANSWER_DEAD;
	if (answer->kind == ANSWER_ALIVE && ask->has_expect && !http_body_found(&ask->body)) {
		answer->kind = ANSWER_DEAD;
		lack = " without the expected text";
	}
	snprintf(answer->text, sizeof(answer->text), "%s %ld from %s%s in %.0f ms", ask->scheme, status,
		 ask->where, lack, answer->rtt_ms);
}

static const char *why_not(const struct http_ask *ask, CURLcode code)
{
	long error = 0;

	// libcurl says "out of memory" to a line that is too long for it.
	if (ask->header_size > HEADER_MAX || code == CURLE_OUT_OF_MEMORY)
		return "endless header";
	curl_easy_getinfo(ask->easy, CURLINFO_OS_ERRNO, &error);
	if (code == CURLE_COULDNT_CONNECT && error)
		return strerror((int)error);
	return *ask->error ? ask->error : curl_easy_strerror(code);
}

static void judge_failure(const struct http_ask *ask, CURLcode code, struct answer *answer)
{
	if (ask->open_error) {
		link_failed(answer, ask->where, ask->open_error);
		return;
	}
	answer->kind = ANSWER_DEAD;
	snprintf(answer->text, sizeof(answer->text), "%s %s: %.60s", ask->scheme, ask->where,
		 why_not(ask, code));
}

// A transfer that we cut short ourselves, because we know enough, is a reply.
static bool has_reply(const struct http_ask *ask, CURLcode code)
{
	return code == CURLE_OK || (code == CURLE_WRITE_ERROR && ask->header_size <= HEADER_MAX);
}

static void end(struct http_ask *ask)
{
	curl_multi_remove_handle(ask->http->multi, ask->easy);
	curl_easy_cleanup(ask->easy);
	curl_slist_free_all(ask->connect_to);
	curl_slist_free_all(ask->headers);
	http_body_free(&ask->body);
	free(ask->status);
	ask->http->n_asks--;
	free(ask);
}

static void cancel(struct ask *ask)
{
	end((struct http_ask *)ask);
}

static void finish(struct http_ask *ask, CURLcode code)
{
	struct answer answer = {.rtt_ms = (double)(mono_now_us() - ask->begun_us) / 1000};
	struct ask head = ask->ask;

	if (has_reply(ask, code))
		judge_reply(ask, status_of(ask), &answer);
	else
		judge_failure(ask, code, &answer);
	end(ask);
	head.cb(head.arg, head.id, &answer);
}

static void finish_all(struct http *http)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(http->multi, &left))) {
		char *ask;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &ask);
		finish((struct http_ask *)(void *)ask, msg->data.result);
	}
}

// ---- libcurl and the loop ----------------------------------------------------------------------

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct http *http = arg;
	int running,
		action = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);

	curl_multi_socket_action(http->multi, fd, action, &running);
	finish_all(http);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct http *http = arg;
	int running;

	(void)fd, (void)what;
	curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish_all(http);
}

// libcurl wants this socket watched, or no longer. `kept` is what curl_multi_assign() keeps: our event.
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *kept)
{
	struct http *http = arg;
	short events = EV_PERSIST;

	(void)easy;
	if (kept)
		event_free(kept);
	if (what == CURL_POLL_REMOVE) {
		curl_multi_assign(http->multi, fd, NULL);
		return 0;
	}
	events =
		(short)(events | (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
	struct event *event = turn_first(event_new(http->base, fd, events, on_socket, http));
	event_add(event, NULL);
	curl_multi_assign(http->multi, fd, event);
	return 0;
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct http *http = arg;
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	(void)multi;
	if (ms < 0)
		event_del(http->timer);
	else
		event_add(http->timer, &tv);
	return 0;
}

static bool start(struct http *http)
{
	if (http->multi)
		return true;
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return false;
	http->multi = curl_multi_init();
	if (!http->multi)
		return false;
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	return true;
}

struct http *http_new(struct event_base *base)
{
	struct http *http = xcalloc(1, sizeof(*http));

	http->base = base;
	http->timer = turn_first(evtimer_new(base, on_timer, http));
	return http;
}

void http_free(struct http *http)
{
	assert(http->n_asks == 0);
	if (http->multi) {
		curl_multi_cleanup(http->multi);
		curl_global_cleanup();
	}
	event_free(http->timer);
	free(http);
}

// ---- one transfer ----------------------------------------------------------------------------

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	struct http_ask *ask = arg;
	int fd = link_socket_open(SOCK_STREAM, &ask->link, &ask->target);

	(void)purpose;
	if (fd < 0) {
		ask->open_error = fd;
		return CURL_SOCKET_BAD;
	}
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)); // nothing stays behind
	if (to->family == AF_INET6 && addr_is_link_local(&ask->target))
		((struct sockaddr_in6 *)(void *)&to->addr)->sin6_scope_id = ask->link.ifindex;
	return fd;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	struct http_ask *ask = arg;

	(void)data;
	ask->header_size += size * n;
	return ask->header_size > HEADER_MAX ? 0 : size * n;
}

// Returns less than it was given to end the transfer: the status, and the text, are known.
static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct http_ask *ask = arg;

	if (!ask->has_expect || !wanted(ask, status_of(ask)))
		return 0;
	return http_body_add(&ask->body, data, size * n) ? size * n : 0;
}

static void set_url(struct http_ask *ask, const struct model_probe *probe, const char *name)
{
	char host[ADDR_TEXT], url[2300], to[ADDR_TEXT + 16];
	bool six = ask->target.family == AF_INET6;

	addr_text(&ask->target, host);
	snprintf(to, sizeof(to), six ? "::[%s]:%u" : "::%s:%u", host, probe->port);
	if (name)
		snprintf(url, sizeof(url), "%s://%s:%u%s", ask->scheme, name, probe->port, probe->path);
	else
		snprintf(url, sizeof(url), six ? "%s://[%s]:%u%s" : "%s://%s:%u%s", ask->scheme, host,
			 probe->port, probe->path);
	ask->connect_to = curl_slist_append(NULL, to);
	curl_easy_setopt(ask->easy, CURLOPT_URL, url);
	curl_easy_setopt(ask->easy, CURLOPT_CONNECT_TO, ask->connect_to);
}

static void set_options(struct http_ask *ask, const struct model_probe *probe)
{
	CURL *easy = ask->easy;

	ask->headers = curl_slist_append(NULL, "Connection: close");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, ask->headers);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, ask);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, ask->error);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, ask->scheme);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "gwd");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, probe->verify ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, probe->verify ? 2L : 0L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, ask);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, ask);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, ask);
}

static struct http_ask *prepare(struct http *http, const struct ask_spec *spec, CURL *easy)
{
	const struct model_probe *probe = spec->probe;
	struct http_ask *ask = xcalloc(1, sizeof(*ask));

	ask->ask.cancel = cancel;
	ask->http = http;
	ask->easy = easy;
	ask->link = *spec->link;
	ask->target = *spec->target;
	ask->scheme = probe->type == PROBE_HTTPS ? "https" : "http";
	ask->status = xcalloc(probe->n_status, sizeof(*ask->status));
	memcpy(ask->status, probe->status, probe->n_status * sizeof(*ask->status));
	ask->n_status = probe->n_status;
	ask->has_expect = probe->expect != NULL;
	http_body_init(&ask->body, probe->expect ? probe->expect : "");
	ask->begun_us = mono_now_us();
	link_where(&ask->target, probe->port, ask->where);
	set_url(ask, probe, probe->host ? probe->host : spec->name);
	set_options(ask, probe);
	http->n_asks++;
	return ask;
}

struct ask *http_ask(struct http *http, const struct ask_spec *spec, struct answer *failed)
{
	CURL *easy = start(http) ? curl_easy_init() : NULL;

	if (!easy) {
		const char *why = curl_late_failure();
		*failed = (struct answer){.kind = ANSWER_CANT};
		snprintf(failed->text, sizeof(failed->text), "%s", why ? why : "libcurl does not start");
		return NULL;
	}
	struct http_ask *ask = prepare(http, spec, easy);
	if (!curl_multi_add_handle(http->multi, easy))
		return &ask->ask;
	*failed = (struct answer){ANSWER_CANT, 0, "libcurl does not take another transfer"};
	end(ask);
	return NULL;
}
