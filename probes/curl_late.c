// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/curl_late.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "gwd/base/vec.h"

// The macros that check types are for callers.
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

static struct {
	void *library;
	const char *failure;
	CURLcode (*global_init)(long);
	void (*global_cleanup)(void);
	CURL *(*easy_init)(void);
	void (*easy_cleanup)(CURL *);
	CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
	CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
	const char *(*easy_strerror)(CURLcode);
	CURLM *(*multi_init)(void);
	CURLMcode (*multi_cleanup)(CURLM *);
	CURLMcode (*multi_setopt)(CURLM *, CURLMoption, ...);
	CURLMcode (*multi_assign)(CURLM *, curl_socket_t, void *);
	CURLMcode (*multi_add_handle)(CURLM *, CURL *);
	CURLMcode (*multi_remove_handle)(CURLM *, CURL *);
	CURLMsg *(*multi_info_read)(CURLM *, int *);
	CURLMcode (*multi_socket_action)(CURLM *, curl_socket_t, int, int *);
	struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
	void (*slist_free_all)(struct curl_slist *);
} late;

#define LATE(function) \
	{ \
		"curl_" #function, (void **)(void *)&late.function \
	}

static const struct {
	const char *name;
	void **at;
} late_functions[] = {
	LATE(global_init),         LATE(global_cleanup),  LATE(easy_init),           LATE(easy_cleanup),
	LATE(easy_setopt),         LATE(easy_getinfo),    LATE(easy_strerror),       LATE(multi_init),
	LATE(multi_cleanup),       LATE(multi_setopt),    LATE(multi_assign),        LATE(multi_add_handle),
	LATE(multi_remove_handle), LATE(multi_info_read), LATE(multi_socket_action), LATE(slist_append),
	LATE(slist_free_all),
};

// Never unloaded: its libraries don't all bear that.
static bool late_load(void)
{
	if (late.library)
		return true;
	void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	if (!library)
		library = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
	late.failure = library ? NULL : "libcurl.so.4 is not installed (Debian's package libcurl4)";
	for (size_t i = 0; library && !late.failure && i < ARRAY_SIZE(late_functions); i++)
		if (!(*late_functions[i].at = dlsym(library, late_functions[i].name)))
			late.failure = "libcurl is too old: it is not that of 7.85 or later";
	if (late.failure && library)
		dlclose(library);
	else
		late.library = library;
	return !late.failure;
}

const char *curl_late_failure(void)
{
	return late.failure;
}

// ---- passed on ---------------------------------------------------------------------------------

CURLcode curl_global_init(long flags)
{
	return late_load() ? late.global_init(flags) : CURLE_FAILED_INIT;
}

void curl_global_cleanup(void)
{
	late.global_cleanup();
}

CURL *curl_easy_init(void)
{
	return late.easy_init();
}

void curl_easy_cleanup(CURL *easy)
{
	late.easy_cleanup(easy);
}

// An option's number says what comes with it (curl.h: CURLOPTTYPE_…).
CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	va_list ap;
	CURLcode code;
	va_start(ap, option);
	if (option < CURLOPTTYPE_OBJECTPOINT)
		code = late.easy_setopt(easy, option, va_arg(ap, long));
	else if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
		code = late.easy_setopt(easy, option, va_arg(ap, curl_off_t));
	else
		code = late.easy_setopt(easy, option, va_arg(ap, void *));
	va_end(ap);
	return code;
}

CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	va_list ap;
	va_start(ap, info);
	CURLcode code = late.easy_getinfo(easy, info, va_arg(ap, void *));
	va_end(ap);
	return code;
}

const char *curl_easy_strerror(CURLcode code)
{
	return late.easy_strerror(code);
}

CURLM *curl_multi_init(void)
{
	return late.multi_init();
}

CURLMcode curl_multi_cleanup(CURLM *multi)
{
	return late.multi_cleanup(multi);
}

CURLMcode curl_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
	va_list ap;
	CURLMcode code;
	va_start(ap, option);
	if (option < CURLOPTTYPE_OBJECTPOINT)
		code = late.multi_setopt(multi, option, va_arg(ap, long));
	else
		code = late.multi_setopt(multi, option, va_arg(ap, void *));
	va_end(ap);
	return code;
}

CURLMcode curl_multi_assign(CURLM *multi, curl_socket_t fd, void *kept)
{
	return late.multi_assign(multi, fd, kept);
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy)
{
	return late.multi_add_handle(multi, easy);
}

CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
	return late.multi_remove_handle(multi, easy);
}

CURLMsg *curl_multi_info_read(CURLM *multi, int *left)
{
	return late.multi_info_read(multi, left);
}

CURLMcode curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int action, int *running)
{
	return late.multi_socket_action(multi, fd, action, running);
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *text)
{
	return late.slist_append(list, text);
}

void curl_slist_free_all(struct curl_slist *list)
{
	late.slist_free_all(list);
}
