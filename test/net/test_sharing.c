// SPDX-License-Identifier: GPL-2.0-or-later
// Ten services publish one real: it is asked as often as for one of them, and all ten know when it dies.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "test/net/dying.h"

#define SERVICES 10
#define INTERVAL_MS 200

static char *services(void)
{
	struct buf text = {0};
	buf_printf(&text, "probe ask { type = tcp interval = %dms fast = 100ms timeout = 300ms hold = 0s }\n",
		   INTERVAL_MS);
	for (int i = 0; i < SERVICES; i++)
		buf_printf(&text,
			   "service s%d { listen = \"100.64.1.2:%d\" probes = ask\n"
			   "real www { address = 10.0.0.11 port = 8080 } }\n",
			   i, 2000 + i);
	return text.text;
}

struct asking {
	struct inbound *in;
	long n; // connections that were tried
};

static long asked(struct inbound *in)
{
	char *output;
	lab_run(lab_host(in->net->lab, 1), &output, "nft list counter inet t asked");
	const char *packets = strstr(output, "packets ");
	cr_assert(packets, "%s", output);
	long n = strtol(packets + strlen("packets "), NULL, 10);
	free(output);
	return n;
}

static bool was_asked(void *arg)
{
	const struct asking *asking = arg;
	return asked(asking->in) >= asking->n;
}

static void wait_all(struct inbound *in, const char *state)
{
	char name[16];
	for (int i = 0; i < SERVICES; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		dying_wait_state(in, name, "www", state, 10000);
	}
}

Test(sharing, ten_services_ask_their_real_once)
{
	struct inbound *in = inbound_lab(&(struct lab_spec){.isps = 1}, 1);
	char *text = services();
	lab_nft_load(lab_host(in->net->lab, 1),
		     "table inet t {\ncounter asked { }\n"
		     "chain in { type filter hook prerouting priority -300;\n"
		     "ip saddr 10.0.0.1 tcp dport 8080 tcp flags & (syn | ack) == syn counter name asked\n"
		     "}\n}\n");
	inbound_gwd(in, "%s", text);
	wait_all(in, "up");
	struct asking asking = {in, asked(in) + 20};
	int64_t begun_ms = lab_now_ms();
	cr_assert(lab_wait_until(was_asked, &asking, 20000), "it is not asked");
	// that many questions of one take so long; ten who ask for themselves need a tenth of it
	cr_expect_geq(lab_now_ms() - begun_ms, 20 * INTERVAL_MS / 2);
	dying_kill(in, 1);
	wait_all(in, "down");
	dying_revive(in, 1);
	wait_all(in, "up");
	free(text);
	inbound_finish(in);
}
