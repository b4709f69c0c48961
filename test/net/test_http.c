// SPDX-License-Identifier: GPL-2.0-or-later
// The http and https probers against nginx, openssl s_server, and servers that mean no good.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gwd/base/vec.h"
#include "test/net/watching.h"

static struct model_status fine = {200, 399}, exactly_302 = {302, 302};

struct row {
	const char *path;
	const char *expect;
	struct model_status *status;
	enum state state;
	const char *reason;
};

#define ROWS 16

static struct model_probe probe_of(const struct row *row, uint16_t port)
{
	struct model_probe probe = watching_shipped;

	probe.type = PROBE_HTTP;
	probe.port = port;
	probe.path = row->path;
	probe.expect = row->expect;
	probe.status = row->status;
	probe.n_status = 1;
	probe.verify = true;
	return probe;
}

// Every row is a checker of its own; they all run at once.
static void expect_rows(struct watching *w, int family, uint16_t port, const struct row *rows, size_t n)
{
	struct watched s[ROWS];

	for (size_t i = 0; i < n; i++) {
		struct model_probe probe = probe_of(&rows[i], port);

		watching_isp(&s[i], w, 1, family, &probe, NULL);
	}
	watching_run(w, 3000);
	for (size_t i = 0; i < n; i++) {
		const char *reason = s[i].verdict.reason;

		cr_expect_eq(s[i].verdict.state, rows[i].state, "%s: %s", rows[i].path, reason);
		cr_expect(strstr(reason, rows[i].reason), "%s: %s", rows[i].path, reason);
		cr_expect_eq(s[i].changes, 1, "%s: %s", rows[i].path, reason);
		checker_free(s[i].checker);
	}
}

static void start_nginx(struct watching *w)
{
	const char *conf = lab_file(w->lab, "nginx.conf",
				    "daemon off; master_process off; pid %s; error_log stderr;\n"
				    "events {}\n"
				    "http { access_log off; server {\n"
				    "listen 100.64.1.1:80; listen [2001:db8:1::1]:80; server_name named;\n"
				    "location = / { return 200 'all is well'; }\n"
				    "location = /sick { return 503; }\n"
				    "location = /moved { return 302 /; }\n"
				    "location = /host { return 200 'this is $host'; }\n"
				    "} }\n",
				    lab_path(w->lab, "nginx.pid"));

	lab_proc_start(w->lab, lab_isp(w->lab, 1), (const char *const[]){"nginx", "-c", conf, NULL});
	watching_run(w, 700);
}

static void ask_nginx(int family)
{
	const struct row rows[] = {
		{"/", NULL, &fine, STATE_UP, "answers"},
		{"/", "is well", &fine, STATE_UP, "answers"},
		{"/", "is ill", &fine, STATE_DOWN, "without the expected text"},
		{"/sick", NULL, &fine, STATE_DOWN, "http 503 from "},
		{"/sick", "Service", &fine, STATE_DOWN, "http 503 from "},
		{"/moved", NULL, &fine, STATE_UP, "answers"},
		{"/moved", NULL, &exactly_302, STATE_UP, "answers"},
		{"/", NULL, &exactly_302, STATE_DOWN, "http 200 from "},
		{"/nowhere", NULL, &fine, STATE_DOWN, "http 404 from "},
		{"/host", family == AF_INET ? "this is 100.64.1.1" : "this is [2001:db8:1::1]", &fine,
		 STATE_UP, "answers"},
	};
	struct watching w = watching_start(&(struct lab_spec){.isps = 1});

	start_nginx(&w);
	expect_rows(&w, family, 80, rows, ARRAY_SIZE(rows));
	watching_finish(&w);
}

Test(http, nginx_is_asked_by_ipv4)
{
	ask_nginx(AF_INET);
}

Test(http, nginx_is_asked_by_ipv6)
{
	ask_nginx(AF_INET6);
}

Test(http, the_host_is_named_and_a_death_is_found_in_time)
{
	struct watching w = watching_start(&(struct lab_spec){.isps = 1});
	struct row row = {"/host", "this is www.example.net", &fine, STATE_UP, ""};
	struct model_probe probe = probe_of(&row, 80);
	struct watched s;

	start_nginx(&w);
	probe.host = "www.example.net";
	watching_isp(&s, &w, 1, AF_INET, &probe, NULL);
	watching_wait(&s, STATE_UP, 2000);
	watching_run(&w, 2500);
	cr_expect_eq(s.changes, 1);
	int64_t died_ms = lab_fault_blackhole(w.lab, 1);
	watching_wait(&s, STATE_DOWN, 2000);
	cr_expect_leq(s.changed_ms - died_ms, 1500);
	char *output;
	lab_run(lab_router(w.lab), &output, "ss -Htan | grep -v SYN-SENT");
	cr_expect_str_eq(output, "", "what stays: %s", output);
	free(output);
	checker_free(s.checker);
	watching_finish(&w);
}

// ---- https -----------------------------------------------------------------------------------

static void start_tls(struct watching *w)
{
	char key[128], cert[128];

	snprintf(key, sizeof(key), "%s/key.pem", lab_dir(w->lab));
	snprintf(cert, sizeof(cert), "%s/cert.pem", lab_dir(w->lab));
	lab_do(lab_isp(w->lab, 1),
	       "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=www.example.net -keyout %s -out "
	       "%s "
	       "2>/dev/null",
	       key, cert);
	lab_proc_start(w->lab, lab_isp(w->lab, 1),
		       (const char *const[]){"openssl", "s_server", "-quiet", "-www", "-accept", "443",
					     "-key", key, "-cert", cert, "-key2", key, "-cert2", cert,
					     "-servername", "www.example.net", "-servername_fatal", NULL});
	watching_run(w, 700);
}

Test(http, certificates_are_checked_unless_told_not_to_and_sni_is_sent)
{
	struct watching w = watching_start(&(struct lab_spec){.isps = 1});
	struct row row = {"/", NULL, &fine, STATE_UP, ""};
	struct model_probe probe = probe_of(&row, 443);
	struct watched any, checked, misnamed;

	start_tls(&w);
	probe.type = PROBE_HTTPS;
	probe.host = "www.example.net";
	watching_isp(&checked, &w, 1, AF_INET, &probe, NULL);
	watching_wait(&checked, STATE_DOWN, 3000);
	cr_expect(strstr(checked.verdict.reason, "https 100.64.1.1:443: SSL certificate problem"), "%s",
		  checked.verdict.reason);
	checker_free(checked.checker);
	probe.verify = false;
	watching_isp(&any, &w, 1, AF_INET, &probe, NULL);
	watching_wait(&any, STATE_UP, 3000);
	checker_free(any.checker);
	probe.host = "other.example.net";
	watching_isp(&misnamed, &w, 1, AF_INET, &probe, NULL);
	watching_wait(&misnamed, STATE_DOWN, 3000);
	checker_free(misnamed.checker);
	watching_finish(&w);
}

// ---- no good -----------------------------------------------------------------------------------

static long resident_kib(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	cr_assert(f && fscanf(f, "%*d %ld", &pages) == 1);
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE) / 1024;
}

Test(http, hostile_servers_get_no_belief_and_no_memory)
{
	static const struct row rows[] = {
		{"/well", "is well", &fine, STATE_UP, "answers"},
		{"/late-text", "is well", &fine, STATE_UP, "answers"},
		{"/too-late-text", "is well", &fine, STATE_DOWN, "without the expected text"},
		{"/endless-body", "is well", &fine, STATE_DOWN, "without the expected text"},
		{"/endless-header", NULL, &fine, STATE_DOWN, ""},
		{"/endless-line", NULL, &fine, STATE_DOWN, ""},
		{"/endless-continue", NULL, &fine, STATE_DOWN, ""},
		{"/garbage", NULL, &fine, STATE_DOWN, "http 100.64.1.1:8080: "},
		{"/old", "is well", &fine, STATE_DOWN, "http 100.64.1.1:8080: "},
		{"/cut", NULL, &fine, STATE_DOWN, ""},
		{"/drip", "is well", &fine, STATE_DOWN, "no answer from"},
		{"/silent", NULL, &fine, STATE_DOWN, "no answer from"},
		{"/moved", "is well", &fine, STATE_DOWN,
		 "http 302 from 100.64.1.1:8080 without the expected"},
		{"/chunk-lie", "is well", &fine, STATE_DOWN, ""},
	};
	struct watching w = watching_start(&(struct lab_spec){.isps = 1});
	struct lab_proc *server;

	server = lab_proc_start(
		w.lab, lab_isp(w.lab, 1),
		(const char *const[]){"python3", "test/net/hostile_http.py", "100.64.1.1", "8080", NULL});
	cr_assert(lab_proc_wait_output(server, "ready", 5000));
	expect_rows(&w, AF_INET, 8080, rows, ARRAY_SIZE(rows));
	long before = resident_kib();
	expect_rows(&w, AF_INET, 8080, rows, ARRAY_SIZE(rows));
	cr_expect_lt(resident_kib() - before, 65536, "the endless ones alone send gigabytes");
	watching_finish(&w);
}
