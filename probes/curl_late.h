// SPDX-License-Identifier: GPL-2.0-or-later
// curl_late: libcurl's functions under their own names, for http.c; the library itself is loaded by
// curl_global_init(), that is by the first http or https probe.
//
// It brings some thirty others with it (TLS, Kerberos, LDAP, …), half of what a gwd without such a probe would
// have in memory. So no program of ours is linked with it: what <curl/curl.h> declares and http.c calls is
// defined here, and passed on. Source: curl_global_init(3); dlopen(3).
#ifndef GWD_PROBES_CURL_LATE_H
#define GWD_PROBES_CURL_LATE_H

// Why curl_global_init() could not load it, in words; NULL: it could.
const char *curl_late_failure(void);

#endif
