// SPDX-License-Identifier: GPL-2.0-or-later
// The web page: what it shows, what it refuses, and that clients who mean no good keep nobody out.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/net/net.h"

#define PAGE "http = \"10.0.0.1:9555\"\n"

static struct net *start(const char *globals)
{
	static const int weights[] = {1, 1};
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	char *gateways = net_gateways(net->lab, 2, weights, false);
	net_configure(net, "%s%s", globals, gateways);
	free(gateways);
	net_gwd(net);
	net_wait_up(net);
	net_guard(net, 1);
	return net;
}

// Says these bytes to the page from a host in the LAN; what comes back until the end. The caller frees it.
static char *say(struct net *net, const char *bytes)
{
	static char *output;
	lab_run(lab_host(net->lab, 1), &output,
		"python3 -c 'import socket\n"
		"s = socket.create_connection((\"10.0.0.1\", 9555), 5)\n"
		"s.settimeout(10)\n"
		"s.sendall(b\"%s\")\n"
		"while 1:\n"
		" d = s.recv(65536)\n"
		" if not d: break\n"
		" print(d.decode(), end=\"\")' 2>&1",
		bytes);
	return output;
}

// The body at that path, which must be there.
static char *page(struct net *net, const char *path, const char *type)
{
	char request[128], want[128];
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\\r\\nHost: 10.0.0.1:9555\\r\\n\\r\\n", path);
	snprintf(want, sizeof(want), "\nContent-Type: %s", type);
	char *answer = say(net, request);
	cr_assert(!strncmp(answer, "HTTP/1.1 200 OK", 15) && strstr(answer, want), "%s: %s", path, answer);
	const char *length = strstr(answer, "Content-Length: "), *body = strstr(answer, "\r\n\r\n");
	cr_assert(length && body, "%s: %s", path, answer);
	char *copy = strdup(body + 4);
	cr_assert_eq(strlen(copy), strtoul(length + 16, NULL, 10), "%s: %s", path, answer);
	free(answer);
	return copy;
}

static void expect_status(struct net *net, const char *request, const char *status)
{
	char *answer = say(net, request);
	cr_expect(!strncmp(answer, status, strlen(status)), "%s: %s", request, answer);
	free(answer);
}

Test(web, shows_what_gwctl_shows)
{
	struct net *net = start(PAGE);
	json_error_t error;
	char *text = page(net, "/status.json", "application/json");
	json_t *status = json_loads(text, 0, &error);
	cr_assert_not_null(status, "%s", error.text);
	cr_expect_eq(json_array_size(json_object_get(status, "gateways")), 2);
	json_decref(status);
	free(text);
	text = page(net, "/metrics", "text/plain; version=0.0.4");
	cr_expect(strstr(text, "\ngwd_gateway_state{gateway=\"g1\",state=\"up\"} 1\n"), "%s", text);
	free(text);
	text = page(net, "/", "text/html");
	cr_expect(strstr(text, "GATEWAY  STATE") && strstr(text, "\ng2 "), "%s", text);
	free(text);
	net_finish(net);
}

Test(web, only_shows)
{
	struct net *net = start(PAGE);
	expect_status(net, "GET / HTTP/1.1\\r\\nHost: gwd.example.net\\r\\n\\r\\n", "HTTP/1.1 421 ");
	expect_status(net, "GET / HTTP/1.1\\r\\nhost:localhost:9555\\r\\n\\r\\n", "HTTP/1.1 200 ");
	expect_status(net, "POST / HTTP/1.1\\r\\n\\r\\n", "HTTP/1.1 405 ");
	expect_status(net, "GET /etc/passwd HTTP/1.1\\r\\n\\r\\n", "HTTP/1.1 404 ");
	expect_status(net, "GET /../metrics HTTP/1.1\\r\\n\\r\\n", "HTTP/1.1 404 ");
	expect_status(net, "\\x16\\x03\\x01\\r\\n\\r\\n", "HTTP/1.1 400 ");
	expect_status(net, "GET / HTTP/1.1\\r\\nA: \" + b\"a\" * 9000 + b\"", "HTTP/1.1 431 ");
	char *head = say(net, "HEAD /metrics HTTP/1.1\\r\\n\\r\\n");
	cr_expect(strstr(head, "200 OK") && !strstr(head, "gwd_info"), "%s", head);
	free(head);
	net_finish(net);
}

// Sixteen who say a byte now and then, and come again when they are dropped: whoever asks is answered all the same.
Test(web, idle_clients_keep_nobody_out)
{
	struct net *net = start(PAGE);
	const char *argv[] = {"python3", "-c",
			      "import socket, time\n"
			      "def new(): return socket.create_connection((\"10.0.0.1\", 9555), 30)\n"
			      "c = [new() for i in range(16)]\n"
			      "print(\"open\", flush=True)\n"
			      "for i in range(300):\n"
			      " for k in range(16):\n"
			      "  try: c[k].send(b\"G\")\n"
			      "  except OSError: c[k] = new()\n"
			      " time.sleep(0.1)\n",
			      NULL};
	struct lab_proc *idle = lab_proc_start(net->lab, lab_host(net->lab, 1), argv);
	cr_assert(lab_proc_wait_output(idle, "open", 10000), "%s", lab_proc_output(idle));
	char *text = NULL;
	lab_run(lab_host(net->lab, 1), &text,
		"python3 -c 'import urllib.request\n"
		"print(urllib.request.urlopen(\"http://10.0.0.1:9555/metrics\", timeout=60).status)' 2>&1");
	cr_expect_str_eq(text, "200\n", "%s", text);
	free(text);
	lab_proc_stop(idle);
	net_finish(net);
}

Test(web, comes_and_goes_by_reload)
{
	struct net *net = start("");
	static const int weights[] = {1, 1};
	char *gateways = net_gateways(net->lab, 2, weights, false);
	char *refused = say(net, "GET / HTTP/1.1\\r\\n\\r\\n");
	cr_expect(strstr(refused, "ConnectionRefused"), "%s", refused);
	net_configure(net, PAGE "%s", gateways);
	net_reload(net);
	free(page(net, "/", "text/html"));
	net_configure(net, "%s", gateways);
	net_reload(net);
	free(refused);
	refused = say(net, "GET / HTTP/1.1\\r\\n\\r\\n");
	cr_expect(strstr(refused, "ConnectionRefused"), "%s", refused);
	free(refused);
	free(gateways);
	net_finish(net);
}

Test(web, waits_for_an_address_that_is_taken)
{
	static const int weights[] = {1, 1};
	struct net *net = net_lab(&(struct lab_spec){.isps = 2});
	const char *argv[] = {"python3", "-c",
			      "import socket\n"
			      "s = socket.create_server((\"10.0.0.1\", 9555))\n"
			      "print(\"open\", flush=True)\n"
			      "import time; time.sleep(600)\n",
			      NULL};
	struct lab_proc *taken = lab_proc_start(net->lab, lab_router(net->lab), argv);
	cr_assert(lab_proc_wait_output(taken, "open", 10000), "%s", lab_proc_output(taken));
	char *gateways = net_gateways(net->lab, 2, weights, false);
	net_configure(net, PAGE "%s", gateways);
	net_gwd(net);
	net_wait_up(net); // the network does not wait for it
	net_guard(net, 1);
	lab_proc_stop(taken);
	char *text = NULL;
	lab_run(lab_host(net->lab, 1), &text,
		"python3 -c 'import urllib.request, time\n"
		"for i in range(300):\n"
		" try:\n"
		"  print(urllib.request.urlopen(\"http://10.0.0.1:9555/\", timeout=60).status)\n"
		"  break\n"
		" except OSError: time.sleep(0.1)' 2>&1");
	cr_expect_str_eq(text, "200\n", "%s", text);
	free(text);
	free(gateways);
	net_finish(net);
}
