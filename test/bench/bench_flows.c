// SPDX-License-Identifier: GPL-2.0-or-later
// Many new flows at a rate, and what gwd counts of them.
#include <jansson.h>
#include <stdlib.h>

#include "test/bench/bench.h"

double bench_send_flows(struct lab *lab, int rate, int seconds, int first)
{
	char *output = NULL;
	int status = lab_run(
		lab_host(lab, 1), &output,
		"python3 - <<'END'\n"
		"import os, socket, struct, sys, time\n"
		"rate, n, first = %d, %d, %d\n"
		"s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)\n"
		"dst = socket.inet_aton('198.51.100.1')\n"
		"udp = struct.pack('!HHHH', 40000, 9, 8, 0)\n"
		"began = time.monotonic()\n"
		"child = os.fork()\n" // one process alone does not reach 30,000/s
		"for i in range(1 if child else 0, n, 2):\n"
		"    src = struct.pack('!I', 0x0a800000 + first + i)\n"
		"    s.sendto(struct.pack('!BBHHHBBH', 0x45, 0, 28, 0, 0, 64, 17, 0) + src + dst + udp,\n"
		"             ('198.51.100.1', 0))\n"
		"    ahead = began + (i + 1) / rate - time.monotonic()\n"
		"    if ahead > 0.0005: time.sleep(ahead)\n"
		"if not child: sys.exit()\n"
		"if os.wait()[1]: sys.exit('the other half of the flows failed')\n"
		"print(n / (time.monotonic() - began))\n"
		"END",
		rate, rate * seconds, first);
	if (status != 0)
		bench_die("flows could not be sent: %s", output);
	double achieved = atof(output);
	free(output);
	return achieved;
}

double bench_live_flows(struct lab *lab, double flows[], size_t gateways)
{
	char *output = NULL;
	double sum = 0;
	bench_gwctl(lab, lab_router(lab), &output, "-j status");
	json_t *root = json_loads(output, 0, NULL), *list = json_object_get(root, "gateways");
	if (json_array_size(list) != gateways)
		bench_die("status has not %zu gateways: %s", gateways, output);
	for (size_t i = 0; i < gateways; i++) {
		flows[i] = (double)json_integer_value(json_object_get(json_array_get(list, i), "flows"));
		sum += flows[i];
	}
	json_decref(root);
	free(output);
	return sum;
}
